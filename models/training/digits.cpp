#include "models/training/digits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {
namespace {

constexpr int pixels = 64, largest_pixel = 16, largest_digit = 9;

// A whole number in [0, largest], written with digits alone.
std::optional<int> number_in(std::string_view field, int largest) {
  int value = 0;
  const char* end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  const bool is_whole = error == std::errc() && stop == end && field.front() != '-';
  return is_whole && value <= largest ? std::optional(value) : std::nullopt;
}

// What can be printed of a field that may be anything.
std::string shown(std::string_view field) {
  constexpr std::size_t most_shown = 16;
  std::string text(field.substr(0, most_shown));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return field.size() > most_shown ? text + "..." : text;
}

class DigitsReader {
 public:
  DigitsReader(const PublishedFile& file, Problems& problems) : file_(file), problems_(problems) {}

  Samples read(std::string_view content) {
    while (!content.empty() && problems_.all().size() < most_problems) {
      ++line_;
      const std::size_t end = std::min(content.find('\n'), content.size());
      read_line(content.substr(0, end));
      content.remove_prefix(std::min(end + 1, content.size()));
    }
    return std::move(samples_);
  }

 private:
  static constexpr std::size_t most_problems = 10;

  void read_line(std::string_view line) {
    const auto fields = 1 + std::count(line.begin(), line.end(), ',');
    if (fields != pixels + 1) {
      refuse(0, fmt::format("holds {} numbers", fields), "64 pixels and a label are expected");
      return;
    }
    std::size_t start = 0;
    for (int i = 0; i <= pixels; ++i) {
      const std::string_view field = line.substr(start, line.find(',', start) - start);
      const int column = static_cast<int>(start) + 1;
      if (i == pixels) {
        const auto label = read_field(field, "label", largest_digit, column);
        if (label) samples_.labels.push_back(*label);
        return;
      }
      const auto pixel = read_field(field, "pixel", largest_pixel, column);
      if (!pixel) return;
      samples_.inputs.push_back(static_cast<float>(*pixel) / static_cast<float>(largest_pixel));
      start += field.size() + 1;
    }
  }

  std::optional<int> read_field(std::string_view field, std::string_view what, int largest, int column) {
    const std::optional<int> value = number_in(field, largest);
    if (!value) {
      refuse(column, fmt::format("\"{}\" is no {}", shown(field), what),
             fmt::format("a whole number from 0 to {} is", largest));
    }
    return value;
  }

  void refuse(int column, std::string what, std::string why) {
    add_problem(file_, {.file = {}, .line = line_, .column = column}, std::move(what), std::move(why), problems_);
  }

  const PublishedFile& file_;
  Problems& problems_;
  Samples samples_;
  int line_ = 0;
};

}  // namespace

Samples read_digits(const PublishedFile& file, std::size_t samples) {
  Problems problems;
  const std::vector<std::uint8_t> content = read_packed(file, problems);
  problems.throw_if_any();
  if (content.size() > file.bytes) {
    add_problem(file, {}, "is too long", fmt::format("{} bytes are expected", file.bytes), problems);
    problems.throw_if_any();
  }
  DigitsReader reader(file, problems);
  Samples digits = reader.read({reinterpret_cast<const char*>(content.data()), content.size()});
  problems.throw_if_any();
  if (digits.count() != samples) {
    add_problem(file, {}, fmt::format("holds {} digits", digits.count()), fmt::format("{} are expected", samples),
                problems);
  } else {
    check_sum(file, content, problems);
  }
  problems.throw_if_any();
  return digits;
}

}  // namespace orrery
