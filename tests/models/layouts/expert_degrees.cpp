// Experts that are split over fewer ranks than the layers around them.
#include "models/cost/cost_model.hpp"
#include "models/layouts/group_place.hpp"
#include "models/layouts/replica_places.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

/// experts_job(): four layers of eight experts, two products of 1024 x 2048 each.
constexpr double all_experts = 4 * 8 * 2 * 1024 * 2048;

/// dp 8 x tp 2 on two nodes of eight, an expert on one rank.
Layout whole_experts(int ep) {
  Layout layout;
  layout.dp = 8, layout.tp = 2, layout.ep = ep, layout.etp = 1;
  layout.sequence_parallel = SequenceParallel::on;
  return layout;
}

Layout split_experts(int ep) {
  Layout layout = whole_experts(ep);
  layout.etp = 0;
  return layout;
}

/// Tokens go to each of their experts.
ChunkPrice price_of(const Layout& layout) {
  TrainingJob job = experts_job(16);
  job.framework.node_dispatch = Ranged(0);
  return LayoutJudge(job).prices(layout).stages[0].chunks[0];
}

}  // namespace

TEST_CASE("a rank holds experts / ep / etp, and the other weights as before") {
  for (const int ep : {1, 2, 4, 8}) {
    INFO("ep " << ep);
    CHECK(price_of(whole_experts(ep)).expert_parameters == Approx(all_experts / ep));
    CHECK(price_of(split_experts(ep)).expert_parameters == Approx(all_experts / ep / 2));
    CHECK(price_of(whole_experts(ep)).parameters == Approx(price_of(split_experts(ep)).parameters));
  }
  CHECK(expert_ranks_in_step(whole_experts(4)) == 16);
  CHECK(expert_ranks_in_step(split_experts(4)) == 8);
  CHECK(expert_sharers(whole_experts(4), 8) == 4);
  CHECK(expert_sharers(split_experts(4), 8) == 2);
  CHECK(to_text(whole_experts(4)) == "tp2 pp1 dp8 ep4 etp1 b1 sp");
}

TEST_CASE("each tensor rank sends its own tokens to experts, and whole experts sum nothing over the slices") {
  // Dispatch and combine of two visits of half the tokens in 16 bits, of which 1 / ep stays, in four layers.
  const double visits = 2.0 * (2048 / 2.0) * 1024 * 2;
  for (const int ep : {2, 4, 8}) {
    INFO("ep " << ep);
    const double sent = 4 * 2 * visits * (ep - 1) / ep;
    for (const Layout& layout : {whole_experts(ep), split_experts(ep)}) {
      CHECK(price_of(layout).expert_sent.forward.total().value() == Approx(sent));
      CHECK(price_of(layout).expert_sent.backward.total().value() == Approx(sent));
    }
  }
  // Split ones gather the tokens of both slices and scatter the sums: of each a rank sends half.
  const double gathered = 4 * 2 * (2.0 * 2048 * 1024) / 2;
  const auto tensor_sent = [](const Layout& layout) { return price_of(layout).tensor_sent.forward.total().value(); };
  CHECK(tensor_sent(split_experts(4)) - tensor_sent(whole_experts(4)) == Approx(gathered));
  CHECK(tensor_sent(whole_experts(4)) > 0);  // attention, embedding and head
}

TEST_CASE("shared experts stay split over the slices, and their sums are exchanged") {
  const auto with_shared = [](const Layout& layout, std::int64_t shared) {
    TrainingJob job = experts_job(16);
    for (Layer& layer : job.network.layers) {
      if (layer.kind == LayerKind::mixture_of_experts) layer.shared_experts = shared;
    }
    return LayoutJudge(job).prices(layout).stages[0].chunks[0];
  };
  const ChunkPrice none = with_shared(whole_experts(4), 0), one = with_shared(whole_experts(4), 1);
  CHECK(one.parameters - none.parameters == Approx(all_experts / 8 / 2));
  CHECK(one.expert_parameters == Approx(none.expert_parameters));
  CHECK(one.tensor_sent.forward.total() == with_shared(split_experts(4), 1).tensor_sent.forward.total());
}

TEST_CASE("whole experts are summed by the ranks of all slices that hold them, and share their states") {
  LayoutJudge judge(experts_job(16));
  const double wire = judge.job().framework.gradient_wire_bytes.value;
  for (const auto& [layout, sharers] : {std::pair{whole_experts(4), 4}, {split_experts(4), 2}, {whole_experts(8), 2}}) {
    const ChunkPrice held = judge.prices(layout).stages[0].chunks[0];
    // All-reduces: over dp 8 the dense weights, over those that hold the same ones the experts.
    const double states = 2 * wire * (held.parameters * 7 / 8 + held.expert_parameters * (sharers - 1) / sharers);
    const double passes = (held.tensor_sent.total() + held.expert_sent.total()).value();
    INFO(to_text(layout));
    CHECK(judge.predict(layout).exchanged_per_device.total().value() == Approx(2 * passes + states));
    Layout shared = layout;
    shared.zero_stage = 1;
    const double each = judge.memory(layout).states.optimizer.value() / (held.parameters + held.expert_parameters);
    CHECK(judge.memory(shared).states.optimizer.value() ==
          Approx(each * (held.parameters / 8 + held.expert_parameters / sharers)));
  }
  Layout alone = whole_experts(1);  // one replica: both slices have gradients of all experts
  alone.dp = 1;
  CHECK(judge.predict(alone).comm_dp > Seconds(0));
  alone.etp = 0;
  CHECK(judge.predict(alone).comm_dp == Seconds(0));
}

TEST_CASE("groups of whole experts lie along the slices first") {
  CHECK(place_of(whole_experts(8), Dimension::ep, 8).per_node == 8);
  CHECK(place_of(split_experts(8), Dimension::ep, 8).per_node == 4);
  CHECK(place_of(whole_experts(8), Dimension::ep, 8).nodes() == 1);
  CHECK(place_of(split_experts(8), Dimension::ep, 8).nodes() == 2);
  CHECK(place_of_expert_ranks(whole_experts(8), 8, 2, 8).per_node == 1);  // who holds the same: one in each node
  CHECK(place_of_expert_ranks(whole_experts(4), 4, 4, 8).per_node == 2);
  Layout layout = whole_experts(4);
  layout.order = {Dimension::dp, Dimension::cp, Dimension::tp, Dimension::pp};  // slices on different nodes
  CHECK(place_of(layout, Dimension::ep, 8).per_node == 4);
  CHECK(place_of(layout, Dimension::ep, 2).per_node == 2);
  CHECK(place_of_expert_ranks(layout, 4, 4, 8).per_node == 2);
  layout.ep = 16;
  CHECK(place_of(layout, Dimension::ep, 8).per_node == 8);
}

TEST_CASE("replicas whose slices share experts meet in every pass") {
  ClusterDescription cluster;
  cluster.nodes = 1, cluster.devices_per_node = 6;
  cluster.more.push_back(cluster);
  Layout layout;
  layout.dp = 6, layout.tp = 2;
  using Kinds = std::vector<std::size_t>;
  CHECK(places_of_replicas(layout, cluster).kind_of_replica == Kinds{0, 0, 0, 1, 1, 1});
  layout.etp = 1, layout.ep = 2;  // inside a replica
  CHECK(places_of_replicas(layout, cluster).kind_of_replica == Kinds{0, 0, 0, 1, 1, 1});
  layout.ep = 4;  // of two, the middle ones on both kinds
  CHECK(places_of_replicas(layout, cluster).kind_of_replica == Kinds{0, 0, 1, 1, 2, 2});
  layout.ep = 3;  // three groups over two replicas
  layout.dp = 3;
  CHECK(places_of_replicas(layout, cluster).kind_of_replica == Kinds{0, 0, 0});
}

TEST_CASE("what whole experts need is told with the nearest that would do") {
  const LayoutJudge judge(experts_job(16));
  Layout layout = split_experts(16);
  layout.dp = 4, layout.tp = 4;
  CHECK(judge.obstacles(layout) ==
        std::vector<std::string>{
            "ep 16 does not divide 8 experts - use ep 4",
            "ep 16 does not divide dp 4 x cp 1 = 4 ranks that share the experts - use ep 4, or etp 1"});
  layout.ep = 8, layout.etp = 1;
  CHECK(judge.obstacles(layout).empty());
  layout.dp = 3, layout.ep = 8;
  TrainingJob job = experts_job(16);
  job.batch = 18;
  CHECK(
      LayoutJudge(job).obstacles(layout) ==
      std::vector<std::string>{"ep 8 does not divide dp 3 x cp 1 x tp 4 = 12 ranks that share the experts - use ep 4"});
  layout = whole_experts(4);
  layout.sequence_parallel = SequenceParallel::off;
  CHECK(judge.obstacles(layout) ==
        std::vector<std::string>{"etp 1 with tp 2: without sequence parallelism every rank has the same tokens to send "
                                 "to experts - use sequence_parallel true, or etp 2"});
  layout = split_experts(8);
  layout.dp = 4, layout.tp = 4, layout.sequence_parallel = SequenceParallel::off;
  CHECK(
      judge.obstacles(layout) ==
      std::vector<std::string>{"ep 8 does not divide dp 4 x cp 1 = 4 ranks that share the experts - use ep 4, or etp 1 "
                               "with sequence_parallel true"});
  layout = whole_experts(2);
  layout.tp = 4, layout.dp = 4, layout.etp = 2, layout.sequence_parallel = SequenceParallel::off;
  CHECK(judge.obstacles(layout) ==
        std::vector<std::string>{"etp 2: an expert is split over all tp 4 ranks that share a layer, or over none - use "
                                 "etp 4, or etp 1 with sequence_parallel true"});
  layout = {};
  layout.ep = 3;
  CHECK(judge.obstacles(layout) ==
        std::vector<std::string>{"ep 3 does not divide 8 experts - use ep 1",
                                 "ep 3 does not divide dp 1 x cp 1 = 1 ranks that share the experts - use ep 1"});
  layout = whole_experts(2);
  layout.tp = 4, layout.dp = 4, layout.etp = 2;
  CHECK(judge.obstacles(layout) ==
        std::vector<std::string>{"etp 2: an expert is split over all tp 4 ranks that share a layer, or over none - use "
                                 "etp 1 or 4"});
  layout.tp = 1;
  CHECK(judge.obstacles(layout) ==
        std::vector<std::string>{"etp 2: an expert is split over all tp 1 ranks that share a layer, or over none - use "
                                 "etp 1"});
  layout = whole_experts(8);
  layout.zero_stage = 1, layout.zero_group = 2;  // four ranks of both slices
  CHECK(judge.obstacles(layout).empty());
}

}  // namespace orrery
