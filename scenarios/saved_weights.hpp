// Files that learned weights are saved to: what is wrong with them shows before anything is learned.
#pragma once

#include "scenarios/reading.hpp"

namespace orrery {

/// Records a save_weights that no run may write, that would replace a file which the scenario reads or another run
/// writes, or that several runs would share.
void check_saved_weights(TomlTable& root, const Scenario& scenario);

}  // namespace orrery
