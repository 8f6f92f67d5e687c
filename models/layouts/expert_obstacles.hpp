// What experts ask of the ranks that they are spread over.
#pragma once

#include <string>
#include <vector>

#include "models/layouts/layout.hpp"
#include "models/layouts/training_job.hpp"

namespace orrery {

/// Ranks have as many experts each, whole or split as the tensor-parallel ranks, and share their states alike; a token
/// visits none twice. Adds to `found` what breaks that.
void add_expert_obstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found);

}  // namespace orrery
