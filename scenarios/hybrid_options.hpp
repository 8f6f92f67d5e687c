// The options of kind = "hybrid": a layout in every dimension of parallelism, and what disturbs its steps.
#pragma once

#include <cstdint>
#include <optional>

#include "models/layouts/layout.hpp"

namespace orrery {

/// automatic: one rank stands for all that do the same at the same time, where there are any; never: one per device.
enum class Folding : std::uint8_t { automatic, never };

struct SlowRank {
  int rank = 0;
  double factor = 1;  // its computing takes so many times longer
};

/// Training data on its way to the devices, prefetched: a stage of the pipeline that is seen when it is the slowest.
/// 0: no limit.
struct InputOptions {
  double samples_per_s = 0;  // that the loader of one replica prepares
  double host_GBps = 0;      // from the host's memory to the first stage of one replica
};

struct HybridOptions {
  Layout layout;
  Folding fold = Folding::automatic;
  double capacity_factor = 0;   // mixture of experts: slots of an expert / mean of its tokens; 0: no limit
  double expert_imbalance = 1;  // tokens of the busiest rank / mean
  double length_variation = 0;  // standard deviation / mean of the tokens of a micro-batch
  double computed_tokens = 1;   // share that is computed: padding left out
  double head_tokens = 1;       // share that reaches the head
  std::optional<SlowRank> straggler;
  double jitter = 0;  // standard deviation / mean of the time of every computation, drawn from the seed
  InputOptions input;
};

}  // namespace orrery
