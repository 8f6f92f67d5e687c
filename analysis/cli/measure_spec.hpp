// The command line of `orrery measure`: read by `orrery`, which starts orrery-measure, and by orrery-measure itself.
#pragma once

#include "analysis/cli/command.hpp"

namespace orrery {

CommandSpec measure_spec();

}  // namespace orrery
