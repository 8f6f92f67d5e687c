// What of a token travels to its experts, and what of their work is kept.
#include "models/layouts/expert_dispatch.hpp"

#include "models/cost/cost_model.hpp"
#include "models/layouts/group_place.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

Layer experts(std::int64_t all, std::int64_t chosen, std::int64_t groups = 1, std::int64_t groups_chosen = 1) {
  Layer layer;
  layer.kind = LayerKind::mixture_of_experts;
  layer.experts = all, layer.experts_per_token = chosen;
  layer.expert_groups = groups, layer.groups_per_token = groups_chosen;
  return layer;
}

TrainingJob job_with(double node_dispatch, double kept_outputs = 1) {
  TrainingJob job = experts_job(16);
  job.framework.node_dispatch = Ranged(node_dispatch);
  job.framework.kept_expert_outputs = Ranged(kept_outputs);
  return job;
}

Layout across_nodes() {
  Layout layout;
  layout.dp = 16, layout.ep = 8;
  layout.order = {Dimension::tp, Dimension::cp, Dimension::pp, Dimension::dp};
  return layout;
}

TEST_CASE("shares that hold an expert of a token, counted by hand") {
  // 2 of 8 experts: both in the other half in 4 x 3 of 8 x 7 draws.
  CHECK(expected_holders(experts(8, 2), 2) == Approx(2 * (1 - 12.0 / 56)));
  CHECK(expected_holders(experts(8, 2), 8) == Approx(2));
  CHECK(expected_holders(experts(8, 1), 4) == Approx(1));
  CHECK(expected_holders(experts(8, 8), 4) == Approx(4));
  // 2 of 4 groups of two, then 2 of these 4 experts: a share of one group is chosen in half of the cases, and then
  // missed in 2 x 1 of 4 x 3.
  CHECK(expected_holders(experts(8, 2, 4, 2), 4) == Approx(4 * 0.5 * (1 - 2.0 / 12)));
  // Shares of two groups each: both chosen groups are in one share in 2 of 6 cases, one in each in 4 of 6.
  CHECK(expected_holders(experts(8, 2, 4, 2), 2) == Approx(2 * (1 - (1.0 / 6 + 4.0 / 6 * 2 / 12))));
  // All groups: as without.
  CHECK(expected_holders(experts(64, 6, 8, 8), 4) == Approx(expected_holders(experts(64, 6), 4)));
}

TEST_CASE("shares and groups that do not divide each other, counted over all choices of groups") {
  const Layer v2 = experts(160, 6, 8, 3), v3 = experts(256, 8, 8, 4);
  CHECK(expected_holders(v2, 4) == Approx(2.4068).margin(1e-4));
  CHECK(expected_holders(v2, 5) == Approx(2.8626).margin(1e-4));
  CHECK(expected_holders(v2, 10) == Approx(3.6618).margin(1e-4));
  CHECK(expected_holders(v2, 20) == Approx(4.5675).margin(1e-4));
  CHECK(expected_holders(v3, 3) == Approx(2.6200).margin(1e-4));
  CHECK(expected_holders(v3, 6) == Approx(3.7516).margin(1e-4));
  for (const Layer& layer : {v2, v3}) {
    for (int holders = 2; holders <= 40; ++holders) {
      INFO(holders);
      CHECK(expected_holders(layer, holders) >= expected_holders(layer, 1));
      CHECK(expected_holders(layer, holders) <= static_cast<double>(layer.experts_per_token) + 1e-9);
    }
  }
}

TEST_CASE("DeepSeek-V3's tokens reach 3.6 of the four nodes that they may go to") {
  CHECK(expected_holders(experts(256, 8, 8, 4), 8) == Approx(3.62).margin(0.01));
  CHECK(expected_holders(experts(256, 8), 8) == Approx(5.29).margin(0.01));
  const TokenCopies copies = copies_per_node(experts(256, 8, 8, 4), {64, 8});
  CHECK(copies.network == Approx(3.62 * 7 / 8).margin(0.01));
  CHECK(copies.node == Approx(expected_holders(experts(256, 8, 8, 4), 64) * 7 / 8));
}

TEST_CASE("a copy for each expert, k (g - 1) / n inside and k (n - g) / n out") {
  const TokenCopies copies = copies_per_expert(experts(64, 6), {16, 4});
  CHECK(copies.node == Approx(6 * 3.0 / 16));
  CHECK(copies.network == Approx(6 * 12.0 / 16));
  const TokenCopies inside = copies_per_expert(experts(64, 6), {4, 8});
  CHECK(inside.node == Approx(6 * 3.0 / 4));
  CHECK(inside.network == 0);
}

TEST_CASE("once to a node never sends more out than once to each expert, and as much when tokens have one expert") {
  for (const int ranks : {2, 4, 8, 16, 32, 64}) {
    for (const std::int64_t chosen : {1, 2, 4, 8}) {
      for (const std::int64_t groups : {1, 4, 8}) {
        const Layer layer = experts(64, chosen, groups, (groups + 1) / 2);
        const GroupPlace place{ranks, 8};
        const TokenCopies once = copies_per_node(layer, place), each = copies_per_expert(layer, place);
        INFO(ranks << " ranks, " << chosen << " experts, " << groups << " groups");
        CHECK(once.network <= each.network * (1 + 1e-12));
        if (chosen == 1) CHECK(once.network == Approx(each.network));
        // Inside it passes on what came from other nodes, too.
        CHECK(once.node + once.network <= (each.node + each.network) * 2);
      }
    }
  }
}

TEST_CASE("a layout whose experts are on two nodes sends each token once to the other") {
  const auto sent = [](double node_dispatch) {
    const LayoutPrices prices = LayoutJudge(job_with(node_dispatch)).prices(across_nodes());
    return prices.stages[0].chunks[0].expert_sent.forward;
  };
  // One sample of 2048 tokens of 1024 numbers in 16 bits, dispatched and combined in four layers.
  const double token = 2 * 4 * 2048.0 * 1024 * 2;
  const GroupPlace place = place_of(across_nodes(), Dimension::ep, 8);
  const auto of = [&](const TokenCopies& copies) {
    return WireBytes{Bytes(token * copies.node), Bytes(token * copies.network)};
  };
  const WireBytes each = of(copies_per_expert(experts(8, 2), place)), once = of(copies_per_node(experts(8, 2), place));
  CHECK(sent(0).network.value() == Approx(each.network.value()));
  CHECK(sent(0).node.value() == Approx(each.node.value()));
  CHECK(sent(1).network.value() == Approx(once.network.value()));
  CHECK(sent(1).node.value() == Approx(once.node.value()));
}

TEST_CASE("outputs of experts whose weights come before them are not kept") {
  const Layout layout = across_nodes();
  const auto memory = [&](double outputs, const Layout& with) {
    TrainingJob job = job_with(1, outputs);
    job.framework.whole_logits = Ranged(0);  // else its gradient is more than a block
    return LayoutJudge(job).memory(with);
  };
  const double of_a_block = 2 * 2048.0 * 1024 * 2;
  CHECK((memory(1, layout).states.activations - memory(0, layout).states.activations).value() ==
        Approx(4 * of_a_block));
  Layout again = layout;
  again.recompute = Recompute::full;
  CHECK(memory(1, again).states.activations == memory(0, again).states.activations);
  CHECK((memory(1, again).working - memory(0, again).working).value() == Approx(of_a_block));
}

/// DeepEP's README, normal kernels: 4096 tokens of 7168 numbers dispatched in fp8 to 8 of 256 experts, in 4 groups at
/// most, on nodes of eight H800 (153 GB/s over NVLink, 50 GB/s to the network). It counts a copy for every node that a
/// token goes to, its own too.
double dispatch_GBps(int nodes) {
  const Layer layer = experts(256, 8, nodes, std::min(nodes, 4));
  const GroupPlace place{8 * nodes, 8};
  const double token = 4096.0 * 7168;
  const TokenCopies copies = copies_per_node(layer, place);
  LibraryPath node, network;
  node.bus = BytesPerSecond(153e9), network.bus = BytesPerSecond(50e9);
  const Seconds time =
      all_to_all_cost(place, {Bytes(token * copies.node), Bytes(token * copies.network)}, node, network).total();
  return expected_holders(layer, nodes) * token / time.value() / 1e9;
}

TEST_CASE("DeepEP reaches the published rates of dispatch on four and eight nodes, and less than foretold on two") {
  CHECK(dispatch_GBps(4) == Approx(58).epsilon(0.16));
  CHECK(dispatch_GBps(8) == Approx(51).epsilon(0.13));
  CHECK(dispatch_GBps(2) == Approx(43).epsilon(0.3));  // 20 % less than foretold: passing on inside is the bottleneck
}

}  // namespace
}  // namespace orrery
