// What splitting layers and sequences asks of a network.
#pragma once

#include <string>
#include <vector>

#include "models/layouts/layout.hpp"
#include "models/layouts/training_job.hpp"

namespace orrery {

/// Tensor-parallel ranks share out heads, and with sequence parallelism tokens: adds to `found` what does not come out
/// even.
void add_tensor_obstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found);

/// Context-parallel ranks share out the tokens of sequences, all of which are worked on at once.
void add_context_obstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found);

}  // namespace orrery
