// Who takes part in a round. One function per rule and one line in the table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "scenarios/scenario.hpp"
#include "sim/base/random.hpp"

namespace orrery {

struct SelectionInput {
  std::int64_t round = 0;                    // from 0
  std::size_t count = 1;                     // clients wanted, at most expected_seconds.size()
  std::span<const double> expected_seconds;  // per client: download + training + upload, alone on its links
};

/// Returns `count` different clients in ascending order: the order in which updates are averaged.
using Select = std::vector<std::size_t> (*)(const SelectionInput& input, Random& random);

struct SelectionEntry {
  Selection kind;
  std::string name, summary;
  Select select;
};
const std::vector<SelectionEntry>& selections();

}  // namespace orrery
