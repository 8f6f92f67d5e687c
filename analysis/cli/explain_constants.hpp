// The constants that price strategies, each set of them once.
#pragma once

#include <string>
#include <vector>

#include "scenarios/pricing_constants.hpp"

namespace orrery {

class UsedConstants {
 public:
  /// Remembers those of a strategy and returns the line that names them; empty when it has none.
  std::string add(const std::string& strategy, const std::vector<ConstantSet>& sets);
  /// Every set with its lines, and whose it is where it does not price every strategy that has constants.
  [[nodiscard]] std::string text() const;

 private:
  struct Used {
    ConstantSet set;
    std::vector<std::string> strategies{};
  };
  std::vector<Used> used_;
  std::size_t strategies_ = 0;  // that have constants
};

}  // namespace orrery
