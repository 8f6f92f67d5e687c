// [search]: which layouts are looked at, within which limits, and what the best one is best in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/layouts/layout.hpp"

namespace orrery {

/// Ranks that an expert is split over, whatever tp is: one, or all tp.
enum class ExpertSplit : std::uint8_t { whole, tp };

enum class Objective : std::uint8_t { time, cost, energy };
std::string_view name_of(Objective objective);

/// Of one layout; nothing: none. Cost and energy are of one step, of the devices that the layout uses.
struct SearchLimits {
  std::optional<double> memory_GiB;  // of a device; the device's own memory is a limit in any case
  std::optional<double> step_s, cost, energy_J;
};

/// Values to try; an empty list: every one that may be feasible (scenarios/search/search_space.hpp).
struct SearchSpec {
  std::string strategy;  // hybrid one that is varied; empty: the first
  /// Of every layout, where that strategy says it (asked_devices()); nothing: those of the cluster.
  std::optional<std::int64_t> devices;
  std::vector<std::int64_t> dp, tp, pp, cp, ep, zero_stage, microbatch, interleave;
  std::vector<ExpertSplit> etp;
  std::vector<Recompute> recompute;
  std::vector<PipelineSchedule> schedule;
  std::vector<SequenceParallel> sequence_parallel;
  Objective objective = Objective::time;
  SearchLimits limits;
  int top = 5;  // layouts that are simulated
};

}  // namespace orrery
