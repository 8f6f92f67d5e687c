// Rows of a StepProfile out of steps that were recorded one by one.
#pragma once

#include <array>
#include <vector>

#include "models/cost/step_profile.hpp"
#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Seconds of every step, by layer and pass.
using StepSeconds = std::vector<std::array<std::vector<double>, 3>>;

struct RecordedAs {
  int batch = 1;
  int threads = 1;
  double update_flops = 0;  // of an update, per parameter; 0: not known
};

/// A row for every pass that a layer has: backward where a gradient is needed, optimizer where there is something to
/// train. Seconds are the median, 10th and 90th percentile of the steps, at least 1 ns (the format wants times above
/// 0, and a view takes none); FLOPs those of layer_cost().
std::vector<ProfileRow> profile_rows(const LayerGraph& graph, const StepSeconds& seconds, const RecordedAs& as);

}  // namespace orrery
