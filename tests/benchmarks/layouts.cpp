// Layouts: how many a core judges per second in a search, and how long planning and simulating one takes.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <string>

#include "models/layouts/pipeline_replay.hpp"
#include "scenarios/search/layout_search.hpp"
#include "scenarios/search/search_space.hpp"
#include "scenarios/training_job.hpp"
#include "scenarios/way.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

std::string job(const std::string& network, const std::string& system, int nodes, const std::string& layout,
                const std::string& framework = "modern") {
  return "[workload]\nnetwork = \"" + network + "\"\nbatch = 2048\nprecision = \"bf16\"\noptimizer = \"adam\"\n" +
         "framework = \"" + framework + "\"\n[cluster]\nsystem = \"" + system + "\"\nnodes = " + std::to_string(nodes) +
         "\n[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + layout;
}

/// One core; the space is judged anew each time, with nothing kept from before.
void judge_layouts(benchmark::State& state, const std::string& framework) {
  const Scenario scenario =
      parse_scenario(job("megatron-175b", "selene", 128, "", framework), "bench.toml", shipped_catalogue());
  const SearchSpec spec;
  const TrainingJob training = training_job(scenario, scenario.strategies[0]);
  const std::vector<Layout> layouts = search_space(spec, training, scenario.strategies[0].hybrid.layout);
  for (auto _ : state) benchmark::DoNotOptimize(search_layouts(training, layouts, spec, {}, 1));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(layouts.size()));
}
BENCHMARK_CAPTURE(judge_layouts, modern, "modern")->Unit(benchmark::kMillisecond);
/// Its pipelines wait for every message, which few closed forms hold: most of them are replayed.
BENCHMARK_CAPTURE(judge_layouts, megatron_2021, "megatron-2021")->Unit(benchmark::kMillisecond);

/// Messages as long as a pass: a pipeline of eight stages, three chunks each.
void replay_pipeline(benchmark::State& state) {
  Layout layout;
  layout.pp = 8, layout.interleave = 3;
  const auto microbatches = static_cast<int>(state.range(0));
  const std::vector<StageTime> chunks(24, {Seconds(1), Seconds(2), {}});
  const std::vector<PipelineHop> hops = hops_of_own_ports(layout, Seconds(0.1), Seconds(0.9));
  for (auto _ : state) {
    PipelineReplay replay(ReplayedRounds::all);  // which remembers nothing yet
    benchmark::DoNotOptimize(replay.time(chunks, hops, layout, microbatches, 0));
  }
  state.SetItemsProcessed(state.iterations() * 2 * 24 * microbatches);
}
BENCHMARK(replay_pipeline)->Arg(64)->Arg(256)->Unit(benchmark::kMicrosecond);

void simulate_layout(benchmark::State& state, const std::string& text) {
  const Scenario scenario = parse_scenario(text, "bench.toml", shipped_catalogue());
  for (auto _ : state) {
    const Way way = simulate_way(scenario, 0, shipped_catalogue(), {});
    if (way.status != WayStatus::ok) state.SkipWithError(way.error.c_str());
    state.counters["simulated_s"] = way.records.makespan.value();
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_MiB"] = static_cast<double>(usage.ru_maxrss) / 1024.0;
}
BENCHMARK_CAPTURE(simulate_layout, megatron_175b_1024,
                  job("megatron-175b", "selene", 128,
                      "tp = 8\npp = 8\ninterleave = 3\nzero_stage = 1\nsequence_parallel = true\n"
                      "recompute = \"selective\"\n"))
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(simulate_layout, llama_405b_16384,
                  job("llama3-405b", "meta-gt-roce24k", 2048,
                      "tp = 8\npp = 16\nzero_stage = 1\nsequence_parallel = true\n"))
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace orrery
