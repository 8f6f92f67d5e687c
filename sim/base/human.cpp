#include "sim/base/human.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

namespace orrery {
namespace {

struct Scale {
  double size;
  std::string_view unit;
};

/// Three significant digits without exponent: 1.23, 12.3, 123, 1234.
std::string digits(double value) {
  const double size = std::abs(value);
  if (size >= 99.95) return fmt::format("{:.0f}", value);
  if (size >= 9.995) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

constexpr std::array<Scale, 7> time_scales{
    {{1e-9, "ns"}, {1e-6, "us"}, {1e-3, "ms"}, {1, "s"}, {60, "min"}, {3600, "h"}, {86400, "d"}}};

/// The largest scale that leaves at least one; the smallest for anything below. Scales ascend.
const Scale& fitting(double value, std::span<const Scale> scales) {
  const Scale* chosen = &scales.front();
  for (const Scale& scale : scales) {
    // What rounds to one of the next unit is shown as that.
    if (std::abs(value) / scale.size >= 0.9995) chosen = &scale;
  }
  return *chosen;
}

std::string scaled(double value, std::span<const Scale> scales) {
  if (value == 0) return fmt::format("0 {}", scales.front().unit);
  const Scale& scale = fitting(value, scales);
  return fmt::format("{} {}", digits(value / scale.size), scale.unit);
}

/// Three significant digits and an exponent without leading zeros: 7.86e-6.
std::string with_exponent(double value) {
  std::string text = fmt::format("{:.2e}", value);
  const std::size_t exponent = text.find('e') + 2;  // behind its sign
  text.erase(exponent, text.find_first_not_of('0', exponent) - exponent);
  return text;
}

}  // namespace

std::string human(Seconds time) {
  if (time == Seconds{}) return "0 s";
  return scaled(time.value(), time_scales);
}

std::string human_range(Seconds low, Seconds high, Seconds middle) {
  const double unit = fitting(middle.value(), time_scales).size;
  return digits(low.value() / unit) + "-" + digits(high.value() / unit);
}

std::string human(Bytes bytes) {
  static constexpr std::array<Scale, 6> scales{
      {{1, "B"}, {kilo, "kB"}, {mega, "MB"}, {giga, "GB"}, {tera, "TB"}, {1e15, "PB"}}};
  if (bytes.value() > 0 && bytes.value() < kilo) return fmt::format("{:.0f} B", bytes.value());
  return scaled(bytes.value(), scales);
}

std::string human(Joules energy) {
  static constexpr std::array<Scale, 6> scales{
      {{1e-3, "mJ"}, {1, "J"}, {kilo, "kJ"}, {mega, "MJ"}, {giga, "GJ"}, {tera, "TJ"}}};
  if (energy == Joules{}) return "0 J";
  return scaled(energy.value(), scales);
}

std::string human_mass(double kilograms) {
  static constexpr std::array<Scale, 4> scales{{{1e-6, "mg"}, {1e-3, "g"}, {1, "kg"}, {1e3, "t"}}};
  return scaled(kilograms, scales);
}

std::string human_memory(Bytes bytes) {
  static constexpr std::array<Scale, 4> scales{{{kibi, "KiB"}, {mebi, "MiB"}, {gibi, "GiB"}, {gibi * kibi, "TiB"}}};
  return scaled(bytes.value(), scales);
}

std::string human_ratio(double ratio) {
  return ratio > 0 && ratio < 0.005 ? "<0.01x" : digits(ratio) + "x";
}

std::string human_percent(double share) {
  const double percent = share * 100;
  if (percent > 0 && percent < 0.5) return "<1%";
  return fmt::format("{:.0f}%", percent);
}

std::string human_accuracy(double share) {
  return fmt::format("{:.2f}%", share * 100);
}

std::string human_cost(double amount, const std::string& currency) {
  constexpr double least_in_full = 0.001;
  if (amount > 0 && amount < least_in_full) return with_exponent(amount) + " " + currency;
  if (amount > 0 && amount < 0.0995) {  // three significant digits
    return fmt::format("{:.{}f} {}", amount, 2 - static_cast<int>(std::floor(std::log10(amount))), currency);
  }
  return amount >= 100 ? fmt::format("{:.0f} {}", amount, currency) : fmt::format("{:.2f} {}", amount, currency);
}

std::string human_count(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace orrery
