// Which option of a [[strategy]] belongs to which kind of strategy.
#pragma once

#include "scenarios/reading.hpp"

namespace orrery {

struct StrategyOption {
  std::string_view key;
  ValueType type;
  std::vector<StrategyKind> kinds;
};
/// Every option but name and kind, which all have.
const std::vector<StrategyOption>& strategy_options();

/// Records every option that belongs to other kinds than this one.
void refuse_foreign_options(TomlTable& table, StrategyKind kind);

}  // namespace orrery
