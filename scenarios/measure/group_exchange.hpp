// The collectives of a tensor-parallel group, one at a time: what a rank computes stands still meanwhile.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "scenarios/measure/real_step.hpp"
#include "scenarios/measure/schedule_run.hpp"
#include "scenarios/measure/tensor_values.hpp"

namespace orrery {

class GroupExchange {
 public:
  /// All devices of the job's strategy. The job must outlive it.
  explicit GroupExchange(const RealJob& job);

  void all_reduce(std::span<float> numbers) { run(CollectiveKind::all_reduce, numbers); }
  /// whole = the own parts of all ranks, put together.
  void all_gather(const SplitLayout& layout, std::span<const float> own, std::span<float> whole);
  /// own = (or +=) this rank's part of the sum of all ranks' `whole`.
  void reduce_scatter(const SplitLayout& layout, std::span<const float> whole, Update update, std::span<float> own);

  /// How the next exchange is recorded.
  void describe(Phase phase, LayerId layer, int microbatch);

 private:
  struct Run {
    Schedule schedule;
    ScheduleRun run;
  };
  [[nodiscard]] std::size_t rank() const { return static_cast<std::size_t>(job_.communicator.rank()); }
  std::span<float> piece(CollectiveKind kind, std::size_t of, std::size_t each);
  Run& run_of(CollectiveKind kind, std::size_t numbers);
  void run(CollectiveKind kind, std::span<float> numbers);

  const RealJob& job_;
  std::vector<int> members_;
  std::map<std::pair<CollectiveKind, std::size_t>, Run> runs_;
  AlignedVector by_device_;  // device after device, each in the place that the schedule wants it in
  Activity what_;
};

}  // namespace orrery
