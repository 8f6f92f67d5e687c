// Measures this machine: real training steps of a network, and the device itself.
#pragma once

#include <functional>
#include <vector>

#include "models/cost/step_profile.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

struct ProfileOptions {
  std::vector<int> batches = {1, 8, 32, 64};
  std::vector<int> threads = {1};
  int warm_up = 3, repeats = 20;
  std::uint64_t seed = 1;
  std::function<void(double)> progress;  // share done
};
/// Executes real steps (forward, backward, optimizer) on synthetic data of the network's input shape. With t threads
/// the batch is cut into t parts that run beside each other, so a row's seconds is the wall-clock time of the whole
/// batch.
StepProfile measure_profile(const LayerGraph& graph, const ProfileOptions& options);

/// This machine as a Device with id "host": cores and name from /proc/cpuinfo, fp32 peak from a fused multiply-add
/// loop, gemm_fraction from a large matrix product over that peak, memory bandwidth from streaming arrays larger than
/// the caches. Powers come from `assumed` rows (idle and TDP per core) and are marked so, since reading them needs
/// RAPL.
Device measure_host(int threads);
std::string host_csv(const Device& device);  // the row that read_catalogue() reads back

}  // namespace orrery
