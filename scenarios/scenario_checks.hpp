// What concerns several tables of a scenario, once all of them are read.
#pragma once

#include "scenarios/reading.hpp"

namespace orrery {

/// Records what one table says against another, or without an effect beside it.
void check_tables(TomlTable& root, const Scenario& scenario);

}  // namespace orrery
