// What a profile is worth: how well it foretells what it was not shown.
#pragma once

#include <string>
#include <vector>

#include "models/cost/step_profile.hpp"
#include "models/networks/layer_graph.hpp"

namespace orrery {

/// A whole step (all layers, all passes) measured, and foretold from the rest.
struct Foretold {
  int batch = 0, threads = 0;
  double measured = 0, foretold = 0;  // seconds
  [[nodiscard]] double error() const { return foretold / measured - 1.0; }
};

/// Every batch left out in turn and foretold from the others by MeasuredTimes, per number of threads. Batches that are
/// the smallest or the largest are foretold beyond what is left; with fewer than three batches there is nothing to say.
std::vector<Foretold> leave_one_out(const StepProfile& profile);

/// Rows for `threads` threads from those for one: forward and backward take busiest_share() of their time, the
/// optimizer 1 / threads of it as far as its blocks of 16,384 weights go round. FLOPs stay. The notes say that it was
/// derived.
StepProfile derive_threads(const StepProfile& profile, const LayerGraph& graph, int threads);

/// The steps measured with more than one thread, foretold from one thread by derive_threads().
std::vector<Foretold> threads_from_one(const StepProfile& profile, const LayerGraph& graph);

}  // namespace orrery
