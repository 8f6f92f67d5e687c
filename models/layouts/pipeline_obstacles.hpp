// What a pipeline asks of a network and its micro-batches.
#pragma once

#include <string>
#include <vector>

#include "models/layouts/blocks.hpp"
#include "models/layouts/layout.hpp"
#include "models/layouts/training_job.hpp"

namespace orrery {

/// Stages and their chunks need blocks, and interleaved schedules runs of micro-batches: adds to `found` what they
/// miss.
void add_pipeline_obstacles(const TrainingJob& job, const BlockSequence& sequence, const Layout& layout,
                            std::vector<std::string>& found);

}  // namespace orrery
