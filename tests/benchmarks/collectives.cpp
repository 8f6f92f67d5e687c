// How long it takes to make the schedule of an all-reduce, and the textbook time of one.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "sim/collectives/schedule.hpp"

namespace orrery {

namespace {

void all_reduce_schedule(benchmark::State& state, Algorithm algorithm) {
  const GroupShape shape{static_cast<std::int32_t>(state.range(0)), 8, 0, 8};
  Schedule schedule;
  for (auto _ : state) {
    schedule = make_schedule(CollectiveKind::all_reduce, algorithm, shape);
    benchmark::DoNotOptimize(schedule);
  }
  state.counters["messages"] = static_cast<double>(message_count(schedule));
}

void closed_form(benchmark::State& state, Algorithm algorithm) {
  const GroupShape shape{static_cast<std::int32_t>(state.range(0)), 8, 0, 8};
  for (auto _ : state) {
    benchmark::DoNotOptimize(closed_form_time(CollectiveKind::all_reduce, algorithm, shape, Bytes(1e9), Seconds(1e-6),
                                              BytesPerSecond(25e9)));
  }
}

/// One benchmark per algorithm of the table that has an all-reduce.
[[maybe_unused]] const bool registered = [] {
  for (const AlgorithmEntry& entry : algorithms()) {
    if (std::count(entry.kinds.begin(), entry.kinds.end(), CollectiveKind::all_reduce) == 0) continue;
    const std::string name(entry.name());
    benchmark::RegisterBenchmark(("schedule/" + name).c_str(), all_reduce_schedule, entry.algorithm)
        ->Arg(256)
        ->Arg(4096)
        ->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark(("closed_form/" + name).c_str(), closed_form, entry.algorithm)
        ->Arg(256)
        ->Unit(benchmark::kMicrosecond);
  }
  return true;
}();

}  // namespace

}  // namespace orrery
