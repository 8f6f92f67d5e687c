// `--dump STAGE`: what each stage made of the last, as text.
#pragma once

#include <cstddef>
#include <string>

#include "scenarios/way.hpp"

namespace orrery {

/// STAGE: scenario, workload, cluster, program, records. Throws UsageError for an unknown one.
std::string dump_stage(const std::string& stage, const Scenario& scenario, std::size_t strategy,
                       const Catalogue& catalogue);

}  // namespace orrery
