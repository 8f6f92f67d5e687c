// What a profile is worth: how well it foretells what it was not shown.
#pragma once

#include <string>
#include <vector>

#include "models/cost/shards.hpp"
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
std::vector<Foretold> leave_one_out(const StepProfile& profile, const BatchCut& cut = {});

/// Rows for `threads` threads from those for one. Forward and backward take busiest_share() of their time, the
/// optimizer 1 / update_threads() of it as far as its blocks of 16,384 weights go round. Where the batch is cut,
/// weights and gradients also travel between the cores, each to be read and to be overwritten: 4 bytes x parameters x
/// (1 - 1 / threads) at 22 GB/s, once for forward and backward, twice for the optimizer, of networks that fit into a
/// core's cache, else of as much as fits. The rate is a core's reading and updating of what another one wrote (0.1 to
/// 0.8 MB, Sapphire Rapids, two cores of a virtual machine); a parallel region as such costs 0.7 us there, which is
/// left out. FLOPs stay. The notes say that it was derived.
StepProfile derive_threads(const StepProfile& profile, const LayerGraph& graph, int threads);

/// The steps measured with more than one thread, foretold from one thread by derive_threads().
std::vector<Foretold> threads_from_one(const StepProfile& profile, const LayerGraph& graph);

}  // namespace orrery
