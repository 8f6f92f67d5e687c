// Speed and memory of the engine. One SimGrid kernel at a time per process, made anew in every iteration: the platform
// is part of what is measured. Each benchmark reports the most memory that the process had used when it ended; run one
// alone
// (--benchmark_filter) to see its own.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/engine/engine.hpp"
#include "sim/engine/star_network.hpp"
#include "sim/program/program.hpp"
#include "tests/sim/engine/platforms.hpp"

namespace orrery {

namespace {

void report(benchmark::State& state, const Records& records) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_MiB"] = static_cast<double>(usage.ru_maxrss) / 1024.0;
  state.counters["messages"] = static_cast<double>(records.messages);
  state.counters["simulated_s"] = records.makespan.value();
}

Program one_collective(std::size_t ranks, Algorithm algorithm, double bytes) {
  Program program(ranks);
  std::vector<RankId> everyone;
  for (std::size_t rank = 0; rank < ranks; ++rank) everyone.emplace_back(rank);
  const GroupId group = program.add_group(everyone);
  const CollectiveId id = program.add_collective({CollectiveKind::all_reduce, algorithm, group, Bytes(bytes), 0});
  for (const RankId rank : everyone) {
    program.add({rank, Stream::collective, Dimension::dp, Phase::gradient_exchange, {}, -1, {}, CollectiveCall{id}});
  }
  return program;
}

void run(benchmark::State& state, const Program& program, const std::function<Platform()>& make_platform,
         const EngineOptions& options) {
  Records records;
  for (auto _ : state) {
    const Platform platform = make_platform();
    const auto kernel = make_simgrid_kernel(platform);
    records = run_program(program, *kernel, test::all_hosts(platform), options);
  }
  report(state, records);
}

/// 2 x 255 steps of 256 messages, every one simulated.
void exact_ring(benchmark::State& state) {
  const auto ranks = static_cast<std::size_t>(state.range(0));
  EngineOptions options;
  options.fidelity = FidelityChoice::exact;
  run(
      state, one_collective(ranks, Algorithm::ring, 1e9),
      [&] {
        return test::star(ranks, {25e9, 2e-6});
      },
      options);
}
BENCHMARK(exact_ring)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond);

/// 1 GiB over 512 nodes of 8, 32 nodes behind each uplink of a 2:1 oversubscribed fat tree: one flow per edge and
/// round.
void collapsed_hierarchical(benchmark::State& state) {
  EngineOptions options;
  options.fidelity = FidelityChoice::collapsed;
  const auto platform = [] { return test::cluster(512, 8, 32, {{450e9, 1e-6}, {50e9, 4e-6}, 6.4e12}); };
  run(state, one_collective(4096, Algorithm::hierarchical, gibi), platform, options);
}
BENCHMARK(collapsed_hierarchical)->Unit(benchmark::kMillisecond);

/// What sharing costs: as many workers as range(0) push to one server and pull from it, all flows on its port. The
/// solver's work grows with the square.
void parameter_server(benchmark::State& state) {
  const auto workers = static_cast<std::size_t>(state.range(0));
  const auto platform = [&] { return test::star(workers + 1, {25e9, 2e-6}); };
  run(state, one_collective(workers + 1, Algorithm::parameter_server, 1e8), platform, {});
}
BENCHMARK(parameter_server)->Arg(64)->Arg(1000)->Unit(benchmark::kMillisecond);

/// Data-parallel step in the shape of ResNet-50 (25.6 million parameters, 4 bytes each; He et al. 2016): 54 layers
/// forward and backward, gradients in 5 buckets that are exchanged while the backward pass goes on, optimizer.
Program data_parallel_step(std::size_t ranks) {
  constexpr int layers = 54, buckets = 5;
  Program program(ranks);
  std::vector<RankId> everyone;
  for (std::size_t rank = 0; rank < ranks; ++rank) everyone.emplace_back(rank);
  const GroupId group = program.add_group(everyone);
  std::vector<CollectiveId> exchanges;
  for (int bucket = 0; bucket < buckets; ++bucket) {
    exchanges.push_back(program.add_collective(
        {CollectiveKind::all_reduce, Algorithm::hierarchical, group, Bytes(25.6e6 * 4.0 / buckets), 0}));
  }
  for (const RankId rank : everyone) {
    const auto compute = [&](Phase phase, double seconds, std::vector<OpId> after) {
      return program.add({rank,
                          Stream::compute,
                          Dimension::none,
                          phase,
                          {},
                          -1,
                          std::move(after),
                          Compute{Seconds(seconds), Flops(seconds * 1e13)}});
    };
    for (int layer = 0; layer < layers; ++layer) compute(Phase::forward, 1e-3, {});
    std::vector<OpId> exchanged;
    for (int layer = 0; layer < layers; ++layer) {
      const OpId gradient = compute(Phase::backward, 2e-3, {});
      if ((layer + 1) * buckets / layers == layer * buckets / layers) continue;
      const CollectiveId id = exchanges[exchanged.size()];
      exchanged.push_back(program.add(
          {rank, Stream::collective, Dimension::dp, Phase::gradient_exchange, {}, -1, {gradient}, CollectiveCall{id}}));
    }
    compute(Phase::optimizer, 1e-3, exchanged);
  }
  return program;
}

/// 128 nodes of 8; range(0): 0 collapsed, 1 automatic within the default budget of messages.
void data_parallel_1024(benchmark::State& state) {
  EngineOptions options;
  options.fidelity = state.range(0) == 0 ? FidelityChoice::collapsed : FidelityChoice::automatic;
  const auto platform = [] { return test::cluster(128, 8, 32, {{450e9, 1e-6}, {50e9, 4e-6}, 6.4e12}); };
  Records records;
  for (auto _ : state) {
    const Program program = data_parallel_step(1024);
    const Platform cluster = platform();
    const auto kernel = make_simgrid_kernel(cluster);
    records = run_program(program, *kernel, test::all_hosts(cluster), options);
  }
  report(state, records);
}
BENCHMARK(data_parallel_1024)->ArgName("automatic")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

/// The fast path of searches: the same step without contention.
void data_parallel_1024_closed_form(benchmark::State& state) {
  const Program program = data_parallel_step(1024);
  const Platform platform = test::cluster(128, 8, 32, {{450e9, 1e-6}, {50e9, 4e-6}, 6.4e12});
  EngineOptions options;
  options.fidelity = FidelityChoice::collapsed;
  Records records;
  for (auto _ : state) {
    records = run_program(program, *make_closed_form_kernel(platform), test::all_hosts(platform), options);
  }
  report(state, records);
}
BENCHMARK(data_parallel_1024_closed_form)->Unit(benchmark::kMillisecond);

/// A federation's network: range(1) rounds in which range(0) clients, each with a line of its own, take 1 MB from a
/// server and send it back after computing; all of it over the server's line, which is full most of the time.
void hub(benchmark::State& state) {
  const auto clients = static_cast<std::size_t>(state.range(0));
  const DeviceId server(clients);
  double end = 0.0;
  std::uint64_t flows = 0;
  for (auto _ : state) {
    Random random(1);
    std::vector<AccessLine> lines;
    for (std::size_t i = 0; i < clients; ++i) {
      const double rate = 1e6 * std::exp(random.normal());
      lines.push_back({BytesPerSecond(rate / 4), BytesPerSecond(rate), Seconds(0.01)});
    }
    const BytesPerSecond shared(0.05e6 * static_cast<double>(clients));
    lines.push_back({shared, shared, Seconds(0.01)});
    StarNetwork net(lines, EngineKind::flow);
    for (int round = 0; round < state.range(1); ++round) {
      for (std::size_t i = 0; i < clients; ++i) {
        const double computing = random.uniform(1, 5);
        net.flow(server, DeviceId(i), Bytes(1e6), [&net, i, server, computing] {
          net.after(Seconds(computing), [&net, i, server] { net.flow(DeviceId(i), server, Bytes(1e6), [] {}); });
        });
      }
      net.run();
    }
    end = net.now().value();
    flows = net.flows_started();
  }
  state.counters["simulated_s"] = end;
  state.counters["flows"] = static_cast<double>(flows);
}
BENCHMARK(hub)->Args({100, 100})->Args({1000, 100})->Args({10000, 10})->Unit(benchmark::kMillisecond)->Iterations(1);

/// What a planner pays before anything runs.
void check_program(benchmark::State& state) {
  const Program program = data_parallel_step(1024);
  for (auto _ : state) benchmark::DoNotOptimize(check(program));
}
BENCHMARK(check_program)->Unit(benchmark::kMillisecond);

}  // namespace

}  // namespace orrery
