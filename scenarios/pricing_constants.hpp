// The constants that price a strategy, as `explain` prints them.
#pragma once

#include <string>
#include <vector>

#include "scenarios/scenario.hpp"

namespace orrery {

/// The constants of one framework, device or link, a line each: name, value and range, meaning.
struct ConstantSet {
  std::string owner;  // "device a100-sxm-80"
  std::vector<std::string> lines{};
  bool operator==(const ConstantSet&) const = default;
};

/// Where kernels are priced (operators): of the framework and of each kind of device, and for a layout of its links.
/// Empty elsewhere. Throws InvalidInput when a file of laws is defective.
std::vector<ConstantSet> pricing_constants(const Scenario& scenario, const StrategySpec& strategy);

}  // namespace orrery
