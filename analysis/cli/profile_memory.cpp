#include "analysis/cli/profile_memory.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "models/cost/memory.hpp"
#include "models/training/execution_plan.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/human.hpp"

namespace orrery {
namespace {

Bytes memory_of_machine() {
  return Bytes(static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGE_SIZE)));
}

/// Activations are left out: of a batch, only those of a few samples are there at a time.
MemoryEstimate least_memory(const LayerGraph& network) {
  return estimate_memory(network, std::vector<double>(network.layers.size(), 1.0), 0.0, Precision::fp32,
                         OptimizerKind::sgd);
}

std::string states_text(const LayerGraph& network, const MemoryEstimate& least) {
  return fmt::format("its {} parameters take {} in fp32, their gradients {}", parameters(network),
                     human_memory(least.weights), human_memory(least.gradients));
}

constexpr const char* remedy =
    "profile a smaller network; compute = \"operators\" and kind = \"hybrid\" need no profile";

/// Throws Infeasible when the machine cannot hold what executing takes at least.
void require_memory(const LayerGraph& network) {
  const Bytes machine = memory_of_machine();
  const MemoryEstimate least = least_memory(network);
  if (least.peak() <= machine) return;
  throw Infeasible(fmt::format("{} cannot be executed here: {} (this machine has {}) - {}", network.name,
                               states_text(network, least), human_memory(machine), remedy));
}

}  // namespace

StepProfile measure_within_memory(const LayerGraph& network, const ProfileOptions& options) {
  // What cannot be executed at all is told below: no memory would help.
  if (obstacles_to_execution(network).empty()) require_memory(network);
  try {
    return measure_profile(network, options);
  } catch (const std::bad_alloc&) {
    throw Infeasible(
        fmt::format("out of memory while executing {} with batches of up to {} on up to {} threads: {} "
                    "(this machine has {}) - use fewer threads or smaller batches, or {}",
                    network.name, *std::max_element(options.batches.begin(), options.batches.end()),
                    *std::max_element(options.threads.begin(), options.threads.end()),
                    states_text(network, least_memory(network)), human_memory(memory_of_machine()), remedy));
  }
}

}  // namespace orrery
