// Large clusters in little time: library collectives on all ranks, and folded jobs. Platform, program, folding and run
// are all part of what is measured.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "sim/collectives/library.hpp"
#include "sim/engine/engine.hpp"
#include "sim/engine/fold.hpp"
#include "sim/program/program.hpp"
#include "tests/sim/engine/one_collective.hpp"
#include "tests/sim/engine/platforms.hpp"

namespace orrery {

namespace {

constexpr std::size_t places = 8;  // devices per node
constexpr double lane_rate = 239e9, nic_rate = 21.25e9;

/// Nodes of eight with a NIC per device, 32 nodes a leaf, 2:1 oversubscribed.
Platform boxes(std::size_t devices) {
  const double uplink = 32.0 * places * nic_rate / 2.0;
  return test::cluster(devices / places, places, 32, {{lane_rate, 1e-6}, {nic_rate, 4e-6}, uplink});
}

LibraryPath path(double rate, double hop) {
  LibraryPath result;
  result.bus = BytesPerSecond(rate);
  result.base = Seconds(34e-6);
  result.hop = Seconds(hop);
  return result;
}

LibraryCost cost_of_all_reduce(std::size_t devices, Bytes bytes) {
  return library_cost(CollectiveKind::all_reduce, {static_cast<int>(devices), places}, bytes, path(lane_rate, 2.2e-6),
                      path(nic_rate, 15e-6));
}

/// One step of data parallelism: 8 micro-batches of 24 layers forward and backward, gradients in 4 buckets.
Program step(std::size_t simulated, std::size_t devices) {
  constexpr int layers = 24, microbatches = 8, buckets = 4;
  Program program(simulated);
  std::vector<RankId> everyone;
  for (std::size_t rank = 0; rank < simulated; ++rank) everyone.emplace_back(rank);
  const GroupId group = program.add_group(everyone);
  const Bytes bucket(500e6);
  std::vector<CollectiveId> exchanges;
  for (int i = 0; i < buckets; ++i) {
    exchanges.push_back(program.add_collective(
        test::library_collective(CollectiveKind::all_reduce, group, bucket, cost_of_all_reduce(devices, bucket))));
  }
  for (const RankId rank : everyone) {
    for (int m = 0; m < microbatches; ++m) {
      for (int pass = 0; pass < 2 * layers; ++pass) {
        const bool backward = pass >= layers;
        const OpId op = program.add({rank,
                                     Stream::compute,
                                     Dimension::none,
                                     backward ? Phase::backward : Phase::forward,
                                     {},
                                     m,
                                     {},
                                     Compute{Seconds(backward ? 2e-3 : 1e-3), Flops(1e12)}});
        const int done = pass - layers + 1;  // layers of the backward pass
        if (m + 1 < microbatches || !backward || done % (layers / buckets) != 0) continue;
        const CollectiveId exchange = exchanges[static_cast<std::size_t>(done / (layers / buckets) - 1)];
        program.add({rank,
                     Stream::collective,
                     Dimension::dp,
                     Phase::gradient_exchange,
                     {},
                     -1,
                     {op},
                     CollectiveCall{exchange}});
      }
    }
  }
  return program;
}

FoldRequest all_into_one(std::size_t devices) {
  FoldRequest request;
  FoldTraffic gradients{"gradients", FoldTraffic::Kind::collective, {{}}};
  for (std::size_t rank = 0; rank < devices; ++rank) {
    request.hosts.emplace_back(rank);
    request.stand_in.push_back(0);
    gradients.groups.front().emplace_back(rank);
  }
  request.representatives = {RankId(0)};
  request.traffic.push_back(std::move(gradients));
  return request;
}

void report(benchmark::State& state, const Records& records) {
  state.counters["simulated_s"] = records.makespan.value();
  state.counters["flows"] = static_cast<double>(records.messages);
  state.counters["ops"] = static_cast<double>(records.activities.size());
}

/// Equal data-parallel ranks, one of them simulated.
void data_parallel_folded(benchmark::State& state) {
  const auto devices = static_cast<std::size_t>(state.range(0));
  Records records;
  for (auto _ : state) {
    const Fold folded = fold(boxes(devices), all_into_one(devices));
    if (!folded.obstacles.empty()) state.SkipWithError(folded.obstacles.front().c_str());
    const Program program = step(1, devices);
    const auto kernel = make_simgrid_kernel(folded.platform);
    records = run_program(program, *kernel, folded.hosts, {});
  }
  report(state, records);
}
BENCHMARK(data_parallel_folded)->Arg(1024)->Arg(4096)->Arg(16384)->Unit(benchmark::kMillisecond);

/// The same, every rank simulated.
void data_parallel_whole(benchmark::State& state) {
  const auto devices = static_cast<std::size_t>(state.range(0));
  Records records;
  for (auto _ : state) {
    const Platform platform = boxes(devices);
    const Program program = step(devices, devices);
    const auto kernel = make_simgrid_kernel(platform);
    records = run_program(program, *kernel, test::all_hosts(platform), {});
  }
  report(state, records);
}
BENCHMARK(data_parallel_whole)->Arg(256)->Arg(1024)->Arg(4096)->Unit(benchmark::kMillisecond);

/// 1 GiB on all ranks of two levels.
void library_all_reduce(benchmark::State& state) {
  const auto devices = static_cast<std::size_t>(state.range(0));
  Seconds time;
  for (auto _ : state) {
    const Platform platform = boxes(devices);
    const auto kernel = make_simgrid_kernel(platform);
    const Bytes bytes(gibi);
    time = test::run_collective(
        test::library_collective(CollectiveKind::all_reduce, {}, bytes, cost_of_all_reduce(devices, bytes)), *kernel,
        test::all_hosts(platform), {});
  }
  state.counters["simulated_s"] = time.value();
}
BENCHMARK(library_all_reduce)->Arg(1024)->Arg(4096)->Arg(16384)->Unit(benchmark::kMillisecond);

/// Tensor groups in nodes, pipelines of 8 stages, the rest data-parallel: folding alone, one rank of every stage for
/// all.
void fold_grid(benchmark::State& state) {
  const auto devices = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t stages = 8, stage = places;  // a stage of a replica is a node
  const std::size_t replica = stages * stage;
  const Platform platform = boxes(devices);
  std::size_t obstacles = 0;
  for (auto _ : state) {
    FoldRequest request;
    FoldTraffic tensor{"tensor", FoldTraffic::Kind::collective, {}}, data{"data", FoldTraffic::Kind::collective, {}},
        messages{"messages", FoldTraffic::Kind::messages, {}};
    tensor.groups.resize(devices / stage);
    data.groups.resize(replica);
    for (std::size_t s = 0; s < stages; ++s) request.representatives.emplace_back(s * stage);
    for (std::size_t rank = 0; rank < devices; ++rank) {
      request.hosts.emplace_back(rank);
      request.stand_in.push_back(rank / stage % stages);
      tensor.groups[rank / stage].emplace_back(rank);
      data.groups[rank % replica].emplace_back(rank);
      if (rank / stage % stages + 1 < stages) messages.groups.push_back({RankId(rank), RankId(rank + stage)});
    }
    request.traffic = {std::move(tensor), std::move(data), std::move(messages)};
    obstacles = fold(platform, request).obstacles.size();
  }
  state.counters["obstacles"] = static_cast<double>(obstacles);
}
BENCHMARK(fold_grid)->Arg(1024)->Arg(16384)->Unit(benchmark::kMillisecond);

/// What a search asks, without any engine.
void library_cost_alone(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(cost_of_all_reduce(4096, Bytes(gibi)));
}
BENCHMARK(library_cost_alone);

}  // namespace

}  // namespace orrery
