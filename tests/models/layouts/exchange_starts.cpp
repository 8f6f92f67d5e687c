// When the exchange of states may begin, and what it is made of.
#include <algorithm>
#include <array>

#include "models/layouts/block_price.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

using namespace testing;

/// GPT of 1.3 billion parameters on two A100 nodes and two of `system`.
TrainingJob with_nodes_of(const std::string& system, std::int64_t batch) {
  TrainingJob job = megatron_job({24, 2048, 16}, batch, 16, "modern");
  Problems problems;
  const auto folder = data_directory() / "topologies" / "catalogue";
  const FabricLaws fabrics = FabricLaws::read(folder, problems);
  const ClusterDescription other = describe_system(*shipped_catalogue().system(system), shipped_catalogue(), 2);
  job.cluster.more.push_back(other);
  job.more_laws.push_back({DeviceLaws::read(folder, problems).of(other.device), fabrics.of(*other.node_link),
                           fabrics.of(*other.network_link)});
  problems.throw_if_any();
  return job;
}

Layout replicas(int count) {
  Layout layout;
  layout.dp = count;
  layout.recompute = Recompute::selective;
  return layout;
}

}  // namespace

TEST_CASE("on two kinds an exchange begins when the last pass of either kind lets it") {
  int by_the_fast = 0, by_the_slow = 0;
  for (const auto& system : {"dgx1-v100", "dgx-h100"}) {
    for (const std::int64_t batch : {96, 128, 160, 192, 224, 256, 320, 512}) {
      const TrainingJob job = with_nodes_of(system, batch);
      Layout layout = replicas(32);
      layout.balance = Balance::speed;
      LayoutJudge judge(job);
      const LayoutPrices prices = judge.prices(layout);
      if (prices.kinds.size() < 2) continue;
      const double whole = prices.gradient_exchange.total().value();
      std::array<double, 2> done{}, shown{};
      for (std::size_t kind = 0; kind < 2; ++kind) {
        const ChunkPrice& chunk = prices.kinds[kind].stages[0].chunks[0];
        const double forward = chunk.forward_time().value(), backward = chunk.backward_time().value();
        double most = 0;
        for (int i = 0; i < layout.dp; ++i) {
          if (prices.kind_of_replica[static_cast<std::size_t>(i)] == kind)
            most = std::max<double>(most, prices.microbatches_of(i, 0));
        }
        done[kind] = most * (forward + backward);
        shown[kind] = std::max(0.0, whole - backward * job.framework.gradient_overlap.value);
      }
      const double last = std::max(done[0], done[1]);
      const double expected = std::max(done[0] + shown[0], done[1] + shown[1]) - last;
      CAPTURE(system, batch);
      CHECK(prices.gradient_exposed.value() == Approx(expected).epsilon(1e-9));
      CHECK(judge.predict(layout).parts.exposed_dp == prices.gradient_exposed);
      const std::size_t slow = done[0] > done[1] ? 0 : 1;
      ++(expected > shown[slow] * (1 + 1e-9) ? by_the_fast : by_the_slow);
    }
  }
  CHECK(by_the_fast > 0);
  CHECK(by_the_slow > 0);
}

TEST_CASE("groups that share states exchange them and sum their shards once, a network without experts has no more") {
  const TrainingJob job = megatron_job({24, 2048, 16}, 256, 32, "modern");
  LayoutJudge judge(job);
  Layout layout = replicas(32);
  layout.zero_stage = 1, layout.zero_group = 8;
  const double numbers = judge.prices(layout).stages[0].chunks[0].parameters;
  const Paths paths = paths_of(job);
  const auto time = [&](CollectiveKind kind, GroupPlace place, double bytes) {
    return library_cost(kind, place, Bytes(bytes), paths.node, paths.network).total().value();
  };
  const double wire = job.framework.gradient_wire_bytes.value;
  const double expected = time(CollectiveKind::reduce_scatter, {8, 8, 1}, numbers * wire) +
                          time(CollectiveKind::all_reduce, {4, 1, 1}, numbers / 8 * wire) +
                          time(CollectiveKind::all_gather, {8, 8, 1}, numbers * 2);
  CHECK(judge.predict(layout).comm_dp.value() == Approx(expected).epsilon(1e-9));
}

TEST_CASE("groups that share states hold whole groups of experts, or lie in one") {
  const LayoutJudge judge(experts_job(24));
  Layout layout = replicas(24);
  layout.ep = 8, layout.zero_stage = 1;
  using Told = std::vector<std::string>;
  for (const int group : {1, 2, 4, 8, 24}) {
    layout.zero_group = group;
    CHECK(judge.obstacles(layout) == Told{});
  }
  for (const int group : {3, 6, 12}) {
    layout.zero_group = group;
    CHECK(judge.obstacles(layout) == Told{"zero_group " + std::to_string(group) +
                                          " cuts through groups of ep 8 that share the experts - use a multiple or a "
                                          "divisor of ep"});
  }
}

}  // namespace orrery
