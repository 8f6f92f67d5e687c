#include "analysis/cli/explain_constants.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/text.hpp"

namespace orrery {

std::string UsedConstants::add(const std::string& strategy, const std::vector<ConstantSet>& sets) {
  if (sets.empty()) return {};
  ++strategies_;
  std::vector<std::string> owners;
  for (const ConstantSet& set : sets) {
    owners.push_back(set.owner);
    const auto same = std::find_if(used_.begin(), used_.end(), [&](const Used& used) { return used.set == set; });
    if (same != used_.end()) {
      same->strategies.push_back(strategy);
    } else {
      used_.push_back({set, {strategy}});
    }
  }
  return "  constants (below): " + join(owners, ", ") + "\n";
}

std::string UsedConstants::text() const {
  if (used_.empty()) return {};
  std::string text = "\nConstants, with their ranges\n";
  for (const Used& used : used_) {
    const bool is_of_all = used.strategies.size() == strategies_;
    text += fmt::format("{}{}\n", used.set.owner, is_of_all ? "" : fmt::format(" ({})", join(used.strategies, ", ")));
    for (const std::string& line : used.set.lines) text += "  " + line + "\n";
  }
  return text;
}

}  // namespace orrery
