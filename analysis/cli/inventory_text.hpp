// What the pages of `show` are made of.
#pragma once

#include <fmt/format.h>

#include <string>

#include "analysis/cli/inventory.hpp"
#include "sim/base/text.hpp"

namespace orrery {

/// Six digits: more than any constant is worth, and nothing of what sums of binary fractions leave behind.
inline std::string figure_text(double value) {
  return number_text(std::stod(fmt::format("{:.6g}", value)));
}

/// Name and value under each other; nothing for an empty or unknown value.
inline std::string line(const std::string& name, const std::string& value) {
  return value.empty() ? std::string{} : fmt::format("  {:<26} {}\n", name, value);
}
inline std::string line(const std::string& name, double value, const std::string& unit) {
  return value == 0 ? std::string{} : line(name, number_text(value) + " " + unit);
}
inline std::string origin(const std::string& source, const std::string& assumed, const std::string& notes) {
  return line("source", source) + line("assumed (no source read)", assumed) + line("notes", notes);
}

/// For kinds whose line says it all.
template <Lines (*List)(const Catalogue&)>
std::string show_line(const Catalogue& catalogue, const std::string& name) {
  for (const auto& [known, summary] : List(catalogue)) {
    if (known == name) return known + "\n  " + summary + "\n";
  }
  return {};
}

}  // namespace orrery
