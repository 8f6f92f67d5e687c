// `--dump STAGE`: what each stage made of the last, as text.
#pragma once

#include <string>

#include "scenarios/way.hpp"

namespace orrery {

/// STAGE: scenario, workload, cluster, program, records. `strategy` empty: the first. Throws UsageError for unknown
/// names.
std::string dump_stage(const std::string& stage, const Scenario& scenario, const std::string& strategy,
                       const Catalogue& catalogue);

}  // namespace orrery
