// Measures this machine: real training steps of a network, and the device itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "models/cost/cost_model.hpp"
#include "models/cost/step_profile.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

struct ProfileOptions {
  std::vector<int> batches = {1, 8, 32, 64};
  std::vector<int> threads = {1};
  int warm_up = 3, repeats = 20;
  std::uint64_t seed = 1;
  std::function<void(double)> progress{};  // share done
  OptimizerKind optimizer = OptimizerKind::sgd;
  std::filesystem::path powercap = "/sys/class/powercap";  // where the processor's energy counters are looked for
};
/// Executes real steps (forward, backward, optimizer apart from the gradients) on random data of the network's input
/// shape, as TrainingStep makes them. A row's seconds is the pass's part of the step: the rows of a step add up to its
/// time by the clock, and of what is not the optimizer's each has the share that it has in the work of all threads.
/// Passes that nobody makes have no row:
/// backward below the lowest layer that trains, the optimizer's of layers that do not. The latter includes the addition
/// of the shards' gradients. FLOPs are those of layer_cost(); the first layer with parameters is executed without the
/// gradient of its input, which nobody needs, so its backward pass may look faster than the machine. The notes say, per
/// batch and threads, the energy of a step: by RAPL where its counters can be read (all processor packages, whatever
/// else they do), else by the device model: assumed_host_power() of that many cores x step time.
StepProfile measure_profile(const LayerGraph& graph, const ProfileOptions& options);

/// This machine as a Device with id "host": cores and name from /proc/cpuinfo, fp32 peak from a fused multiply-add
/// loop, gemm_fraction from a large matrix product over that peak, memory bandwidth from streaming arrays larger than
/// the caches; all with `threads` threads at once. Powers are assumed_host_power() and marked
/// `assumed`. Takes about two seconds.
Device measure_host(int threads);
std::string host_csv(const Device& device);  // the row that read_catalogue() reads back

}  // namespace orrery
