// Collectives on the engine against the formulas of the textbooks.
#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/collectives/schedule.hpp"
#include "sim/engine/engine.hpp"
#include "sim/program/program.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/fresh_process.hpp"
#include "tests/sim/engine/one_collective.hpp"
#include "tests/sim/engine/platforms.hpp"

namespace orrery::test {

namespace {

constexpr double bandwidth = 25e9, latency = 2e-6;

Collective collective(CollectiveKind kind, Algorithm algorithm, double bytes) {
  return {kind, algorithm, GroupId(0), Bytes(bytes), 0};
}

EngineOptions with(FidelityChoice fidelity, std::int32_t segments = 4) {
  EngineOptions options;
  options.fidelity = fidelity;
  options.segments = segments;
  return options;
}

double time_on(EngineKind kind, const Platform& platform, const Collective& call, const EngineOptions& options) {
  const auto time = [&] {
    return run_collective(call, *make_kernel(kind, platform), all_hosts(platform), options).value();
  };
  return kind == EngineKind::flow ? in_fresh_process(time) : time();
}

}  // namespace

TEST_CASE("ring all-reduce takes 2(N-1)(latency + bytes/(N bandwidth)) on both engines") {
  for (std::size_t ranks = 2; ranks <= 64; ++ranks) {
    const Platform platform = star(ranks, {bandwidth, latency});
    const auto n = static_cast<double>(ranks);
    for (const double bytes : {64.0, 4e6, 1e12 + 1.0}) {
      const double formula = 2.0 * (n - 1.0) * (latency + bytes / (n * bandwidth));
      for (const EngineKind kind : {EngineKind::flow, EngineKind::closed_form}) {
        INFO(ranks << " ranks, " << bytes << " bytes, " << name_of(kind));
        const Collective call = collective(CollectiveKind::all_reduce, Algorithm::ring, bytes);
        CHECK(time_on(kind, platform, call, with(FidelityChoice::exact)) == Approx(formula).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("without latency, too, a ring of any size and few bytes follows the formula") {
  for (const std::size_t ranks : {2, 3, 7, 8, 61}) {
    const auto n = static_cast<double>(ranks);
    const Platform platform = star(ranks, {1e6, 0.0});
    for (const double bytes : {64.0, 100.0, 1e5 / 3.0}) {
      const Collective call = collective(CollectiveKind::all_reduce, Algorithm::ring, bytes);
      CHECK(time_on(EngineKind::flow, platform, call, with(FidelityChoice::exact)) ==
            Approx(2.0 * (n - 1.0) * bytes / (n * 1e6)).epsilon(1e-9));
    }
  }
}

TEST_CASE("collapsed and segmented collectives take as long as exact ones when nothing contends") {
  for (const std::size_t nodes : {2, 3, 7, 8}) {
    for (const Algorithm algorithm : {Algorithm::ring, Algorithm::hierarchical}) {
      const Platform platform = cluster(nodes, 4, nodes, {{300e9, 1e-6}, {50e9, 4e-6}, 1e15});
      const Collective call = collective(CollectiveKind::all_reduce, algorithm, 1e8);
      const double exact = time_on(EngineKind::flow, platform, call, with(FidelityChoice::exact));
      CHECK(time_on(EngineKind::flow, platform, call, with(FidelityChoice::collapsed)) == Approx(exact).epsilon(1e-9));
      for (const std::int32_t segments : {2, 4}) {
        INFO(nodes << " nodes, " << name_of(algorithm) << ", " << segments << " segments");
        CHECK(time_on(EngineKind::flow, platform, call, with(FidelityChoice::segments, segments)) ==
              Approx(exact).epsilon(1e-9));
      }
    }
    const Platform equal = star(nodes * 4, {bandwidth, latency});
    const Collective ring = collective(CollectiveKind::all_reduce, Algorithm::ring, 1e8);
    const double exact = time_on(EngineKind::flow, equal, ring, with(FidelityChoice::exact));
    CHECK(time_on(EngineKind::flow, equal, ring, with(FidelityChoice::collapsed)) == Approx(exact).epsilon(1e-9));
    CHECK(time_on(EngineKind::flow, equal, ring, with(FidelityChoice::segments, 3)) == Approx(exact).epsilon(1e-9));
  }
}

TEST_CASE("the closed form equals the engine where ranks keep step on equal links") {
  for (const AlgorithmEntry& entry : algorithms()) {
    for (const CollectiveKind kind : entry.kinds) {
      for (const std::size_t ranks : {1, 2, 3, 4, 7, 8, 16, 32}) {
        // Trees and chains: at their ends ranks have less to do and run ahead, checked below.
        const bool in_step = entry.algorithm != Algorithm::double_binary_tree && kind != CollectiveKind::broadcast;
        if (!in_step) continue;
        const bool folded = entry.algorithm == Algorithm::halving_doubling && (ranks & (ranks - 1)) != 0;
        if (folded && kind != CollectiveKind::all_reduce) continue;  // unequal blocks
        // One rank per node, then four: without inside ports all ways are equal.
        for (const std::int32_t places : {1, 4}) {
          if (static_cast<std::int32_t>(ranks) % places != 0) continue;
          Platform platform = star(ranks, {bandwidth, latency});
          for (std::size_t i = 0; i < ranks; ++i) platform.hosts[i].node = static_cast<std::int32_t>(i) / places;
          INFO(entry.name() << " " << name_of(kind) << " " << ranks << " ranks, " << places << " per node");
          GroupShape shape{static_cast<std::int32_t>(ranks), places};
          const Seconds formula =
              closed_form_time(kind, entry.algorithm, shape, Bytes(1e7), Seconds(latency), BytesPerSecond(bandwidth));
          CHECK(time_on(EngineKind::flow, platform, collective(kind, entry.algorithm, 1e7),
                        with(FidelityChoice::exact)) == Approx(formula.value()).epsilon(1e-9));
        }
      }
    }
  }
}

TEST_CASE("a chain of N ranks passes p pieces in p + N - 2 steps") {
  for (const std::size_t ranks : {2, 3, 7, 8}) {
    const auto n = static_cast<double>(ranks);
    const double formula = (8.0 + n - 2.0) * (latency + 1e7 / 8.0 / bandwidth);
    const Collective call = collective(CollectiveKind::broadcast, Algorithm::ring, 1e7);
    CHECK(time_on(EngineKind::flow, star(ranks, {bandwidth, latency}), call, with(FidelityChoice::exact)) ==
          Approx(formula).epsilon(1e-9));
    CHECK(closed_form_time(call.kind, call.algorithm, {static_cast<std::int32_t>(ranks), 1}, call.bytes,
                           Seconds(latency), BytesPerSecond(bandwidth))
              .value() == Approx(formula).epsilon(1e-12));
  }
}

TEST_CASE("two ranks in two trees of four pieces each: five steps of two pieces per direction") {
  // Piece: 1/8 of the bytes, two at once on the port. Up in steps 1-4, down in steps 2-5.
  const double formula = 5.0 * (latency + 2.0 * 1e7 / 8.0 / bandwidth);
  const Collective call = collective(CollectiveKind::all_reduce, Algorithm::double_binary_tree, 1e7);
  CHECK(closed_form_time(call.kind, call.algorithm, {2, 1}, call.bytes, Seconds(latency), BytesPerSecond(bandwidth))
            .value() == Approx(formula).epsilon(1e-12));
  CHECK(time_on(EngineKind::flow, star(2, {bandwidth, latency}), call, with(FidelityChoice::exact)) ==
        Approx(formula).epsilon(1e-9));
}

TEST_CASE("trees are not slower than their steps in lockstep and not faster than their ports") {
  for (const std::size_t ranks : {3, 4, 7, 8, 16, 33, 64}) {
    for (const double bytes : {1e3, 1e6, 1e9}) {
      INFO(ranks << " ranks, " << bytes << " bytes");
      const Collective call = collective(CollectiveKind::all_reduce, Algorithm::double_binary_tree, bytes);
      const double time =
          time_on(EngineKind::flow, star(ranks, {bandwidth, latency}), call, with(FidelityChoice::exact));
      const Seconds lockstep = closed_form_time(call.kind, call.algorithm, {static_cast<std::int32_t>(ranks), 1},
                                                call.bytes, Seconds(latency), BytesPerSecond(bandwidth));
      CHECK(time <= lockstep.value() * (1.0 + 1e-9));
      CHECK(time >= bytes / bandwidth);
      CHECK(time >= 2.0 * std::floor(std::log2(static_cast<double>(ranks))) * latency);
    }
  }
}

TEST_CASE("the ring wins with many bytes, the trees with many ranks and few bytes") {
  const Platform platform = star(64, {bandwidth, latency});
  const auto time = [&](Algorithm algorithm, double bytes) {
    return time_on(EngineKind::flow, platform, collective(CollectiveKind::all_reduce, algorithm, bytes),
                   with(FidelityChoice::exact));
  };
  CHECK(time(Algorithm::ring, 1e9) < time(Algorithm::double_binary_tree, 1e9));
  CHECK(time(Algorithm::double_binary_tree, 1e3) < time(Algorithm::ring, 1e3) / 4.0);
  CHECK(time(Algorithm::ring, 1e9) < time(Algorithm::parameter_server, 1e9) / 30.0);
}

TEST_CASE("one rank alone communicates nothing") {
  for (const AlgorithmEntry& entry : algorithms()) {
    for (const CollectiveKind kind : entry.kinds) {
      const auto kernel = make_kernel(EngineKind::flow, star(1, {bandwidth, latency}));
      CHECK(run_collective(collective(kind, entry.algorithm, 1e9), *kernel, {DeviceId(0)}, {}) == Seconds());
      CHECK(kernel->flows_started() == 0);
      CHECK(closed_form_time(kind, entry.algorithm, {1, 1}, Bytes(1e9), Seconds(latency), BytesPerSecond(bandwidth)) ==
            Seconds());
    }
  }
}

TEST_CASE("fewer bytes than ranks, and no bytes at all, still pay their latencies") {
  for (const std::size_t ranks : {2, 3, 7, 8}) {
    const auto n = static_cast<double>(ranks);
    for (const double bytes : {0.0, 1.0, n - 1.0}) {
      for (const FidelityChoice fidelity : {FidelityChoice::exact, FidelityChoice::collapsed}) {
        const double time = time_on(EngineKind::flow, star(ranks, {bandwidth, latency}),
                                    collective(CollectiveKind::all_reduce, Algorithm::ring, bytes), with(fidelity));
        // A chunk of one byte goes along: at most its time more per step.
        CHECK(time >= 2.0 * (n - 1.0) * latency * (1.0 - 1e-9));
        CHECK(time <= 2.0 * (n - 1.0) * (latency + 1.0 / bandwidth) * (1.0 + 1e-6));
      }
    }
  }
}

TEST_CASE("more bandwidth or less latency never makes a collective slower") {
  for (const AlgorithmEntry& entry : algorithms()) {
    for (const CollectiveKind kind : entry.kinds) {
      for (const std::size_t nodes : {1, 2, 3}) {
        double before = 1e99;
        for (const double faster : {1.0, 2.0, 8.0}) {
          const Platform platform =
              cluster(nodes, 4, 1, {{100e9 * faster, 1e-6}, {10e9 * faster, 5e-6 / faster}, 20e9 * faster});
          const double time =
              time_on(EngineKind::flow, platform, collective(kind, entry.algorithm, 1e7), with(FidelityChoice::exact));
          INFO(entry.name() << " " << name_of(kind) << " " << nodes << " nodes x" << faster);
          CHECK(time < before);
          before = time;
        }
      }
    }
  }
}

}  // namespace orrery::test
