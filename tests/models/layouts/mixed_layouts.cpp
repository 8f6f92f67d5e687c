// Layouts on nodes of two kinds.
#include <algorithm>
#include <numeric>

#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

/// Software without a host between operators: devices set the pace of these small networks.
constexpr auto compiled = "xla";

/// The job on `nodes` A100 nodes and behind them as many of `system`.
TrainingJob mixed_with(const std::string& system, int nodes, std::int64_t batch = 96,
                       const MegatronModel& model = {24, 2048, 16}) {
  TrainingJob job = megatron_job(model, batch, nodes * 8, compiled);
  Problems problems;
  const auto folder = data_directory() / "topologies" / "catalogue";
  const Catalogue catalogue = read_catalogue(folder, problems);
  const FabricLaws fabrics = FabricLaws::read(folder, problems);
  const ClusterDescription other = describe_system(*catalogue.system(system), catalogue, nodes);
  job.cluster.more.push_back(other);
  job.more_laws.push_back({DeviceLaws::read(folder, problems).of(other.device), fabrics.of(*other.node_link),
                           fabrics.of(*other.network_link)});
  problems.throw_if_any();
  return job;
}

Layout layout_of(int tp, int pp, int dp, Balance balance = Balance::equal) {
  Layout layout;
  layout.tp = tp, layout.pp = pp, layout.dp = dp;
  layout.zero_stage = 1;
  layout.recompute = Recompute::selective;
  layout.sequence_parallel = tp > 1 ? SequenceParallel::on : SequenceParallel::off;
  layout.balance = balance;
  return layout;
}

/// Stages beside each other, replicas over the nodes: each replica is of one kind.
Layout stages_first(Layout layout) {
  layout.order = {Dimension::tp, Dimension::cp, Dimension::pp, Dimension::dp};
  return layout;
}

std::int64_t sum(const std::vector<std::int64_t>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), std::int64_t{0});
}

}  // namespace

TEST_CASE("two groups of one kind are priced as the cluster of all their nodes") {
  LayoutJudge mixed(mixed_with("selene", 2));
  LayoutJudge plain(megatron_job({24, 2048, 16}, 96, 32, compiled));
  for (const Balance balance : {Balance::equal, Balance::speed}) {
    for (const auto& [tp, pp, dp] : {std::array{8, 1, 4}, {4, 4, 2}, {8, 4, 1}, {2, 2, 8}, {1, 8, 4}, {16, 2, 1}}) {
      for (Layout layout : {layout_of(tp, pp, dp), stages_first(layout_of(tp, pp, dp))}) {
        const StepPrediction expected = plain.predict(layout);
        layout.balance = balance;
        CAPTURE(to_text(layout));
        REQUIRE(mixed.obstacles(layout).empty());
        const StepPrediction found = mixed.predict(layout);
        // By speed the blocks of a pipeline are cut where head and embedding weigh, too.
        const bool same_cut = balance == Balance::equal || pp == 1;
        if (same_cut) CHECK(found.time().value() == Approx(expected.time().value()).epsilon(1e-12));
        if (same_cut) CHECK(found.memory.peak().value() == Approx(expected.memory.peak().value()));
        CHECK(found.time().value() <= expected.time().value() * 1.001);
        CHECK(found.model_flops == expected.model_flops);
      }
    }
  }
}

TEST_CASE("replicas of equal size go at the pace of the slow kind") {
  const TrainingJob job = mixed_with("dgx1-v100", 2);
  LayoutJudge mixed(job), slow(job_on_group(job, 1)), fast(job_on_group(job, 0));
  const Layout layout = layout_of(8, 1, 4);
  const StepPrediction both = mixed.predict(layout);
  CHECK(both.time().value() == Approx(slow.predict(layout).time().value()).epsilon(1e-12));
  CHECK(both.time() > fast.predict(layout).time() * 1.5);
  const LayoutPrices prices = mixed.prices(layout);
  CHECK(prices.kind_of_replica == std::vector<std::size_t>{0, 0, 1, 1});
  CHECK(prices.microbatches_of_replica == std::vector<std::int64_t>{24, 24, 24, 24});
  REQUIRE(prices.kinds.size() == 2);
  CHECK(prices.kinds[0].devices == "a100-sxm-80");
  CHECK(prices.kinds[1].devices == "v100-sxm2-32");
}

TEST_CASE("by speed the micro-batches of a step are shared out, and no replica waits for more than one") {
  const TrainingJob job = mixed_with("dgx1-v100", 2);
  LayoutJudge mixed(job), slow(job_on_group(job, 1)), fast(job_on_group(job, 0));
  const Layout equal = layout_of(8, 1, 4), by_speed = layout_of(8, 1, 4, Balance::speed);
  const std::vector<std::int64_t> counts = mixed.prices(by_speed).microbatches_of_replica;
  CHECK(sum(counts) == 96);
  CHECK(counts[0] > counts[2]);
  const auto pace = [&](LayoutJudge& judge) {
    const ChunkPrice chunk = judge.prices(equal).stages[0].chunks[0];
    return (chunk.forward + chunk.backward_input + chunk.backward_weights + chunk.recompute + chunk.tensor_forward +
            chunk.tensor_backward + chunk.tensor_recompute)
        .value();
  };
  const double fast_one = pace(fast), slow_one = pace(slow);
  const auto done = [&](std::size_t i) { return static_cast<double>(counts[i]) * (i < 2 ? fast_one : slow_one); };
  const double last = std::max({done(0), done(1), done(2), done(3)});
  for (std::size_t i = 0; i < 4; ++i) CHECK(last - done(i) <= slow_one);
  const StepPrediction step = mixed.predict(by_speed);
  CHECK(step.time() < mixed.predict(equal).time());
  const double once = job.framework.host_iteration_ms.value * 1e-3;
  const StepParts& parts = step.parts;
  CHECK((parts.compute + parts.gaps + parts.recompute + parts.exposed_tp).value() == Approx(last + once));
  CHECK(step.microbatches == 24);  // on the mean
}

TEST_CASE("where both kinds share a stage its gaps are those of the slower one, whichever comes first") {
  const TrainingJob job = mixed_with("dgx1-v100", 1);
  TrainingJob swapped = job;
  std::swap(static_cast<NodeGroup&>(swapped.cluster), swapped.cluster.more.front());
  std::swap(static_cast<NodeLaws&>(swapped), swapped.more_laws.front());
  const Layout layout = layout_of(16, 1, 1);
  const StepParts one = LayoutJudge(job).predict(layout).parts, other = LayoutJudge(swapped).predict(layout).parts;
  CHECK(one.gaps.value() == Approx(other.gaps.value()));
  CHECK(one.total().value() == Approx(other.total().value()));
}

TEST_CASE("by speed stages on fast devices hold more layers, and the slowest stage is faster") {
  LayoutJudge mixed(mixed_with("dgx1-v100", 1));
  const Layout equal = layout_of(4, 4, 1), by_speed = layout_of(4, 4, 1, Balance::speed);
  REQUIRE(mixed.obstacles(by_speed).empty());
  const LayoutPrices cut = mixed.prices(by_speed), even = mixed.prices(equal);
  CHECK(cut.kinds.front().devices == "a100-sxm-80 (2 stages), v100-sxm2-32 (2 stages)");
  CHECK(even.stages[1].layers == "6 x block");
  CHECK(even.stages[2].layers == "6 x block");
  double parameters = 0, even_parameters = 0;
  for (std::size_t stage = 0; stage < 4; ++stage) {
    parameters += cut.stages[stage].chunks[0].parameters;
    even_parameters += even.stages[stage].chunks[0].parameters;
  }
  CHECK(parameters == Approx(even_parameters));  // every layer somewhere
  CHECK(cut.stages[1].chunks[0].parameters > 1.3 * cut.stages[2].chunks[0].parameters);
  CHECK(mixed.predict(by_speed).time() < mixed.predict(equal).time() * 0.85);
}

TEST_CASE("sharing out by speed is never slower than equal shares") {
  for (const std::string framework : {"megatron-deepspeed-2021", "modern"}) {
    for (const MegatronModel& model : {MegatronModel{24, 1024, 16}, MegatronModel{16, 2048, 16}}) {
      TrainingJob job = mixed_with("dgx1-v100", 1, 64, model);
      job.framework = megatron_job(model, 64, 8, framework).framework;
      LayoutJudge mixed(job);
      for (const auto& [tp, pp, dp, cp] : {std::array{1, 16, 1, 1},
                                           {1, 8, 2, 1},
                                           {1, 4, 1, 4},
                                           {2, 2, 4, 1},
                                           {8, 1, 2, 1},
                                           {4, 2, 2, 1},
                                           {1, 3, 4, 1}}) {
        for (const Recompute recompute : {Recompute::none, Recompute::selective, Recompute::full}) {
          for (Layout layout : {layout_of(tp, pp, dp), stages_first(layout_of(tp, pp, dp))}) {
            layout.cp = cp, layout.recompute = recompute;
            const double equal = mixed.predict(layout).time().value();
            layout.balance = Balance::speed;
            CAPTURE(framework, model.layers, to_text(layout));
            REQUIRE(mixed.obstacles(layout).empty());
            CHECK(mixed.predict(layout).time().value() <= equal * (1 + 1e-12));
          }
        }
      }
    }
  }
}

TEST_CASE("a pipeline that waits for its hosts is cut evenly") {
  // Starting operators takes as long on either kind: fast devices with more layers would only wait longer.
  const MegatronModel small{24, 256, 4};
  TrainingJob job = mixed_with("dgx1-v100", 1, 64, small);
  job.framework = megatron_job(small, 64, 8, "megatron-deepspeed-2021").framework;
  job.framework.host_forward_us.value = job.framework.host_backward_us.value = 1e4;  // far above any product here
  LayoutJudge mixed(job);
  const LayoutPrices cut = mixed.prices(layout_of(1, 4, 4, Balance::speed));
  const auto host_bound = [&](std::size_t stage) {
    const ChunkPrice& chunk = cut.stages[stage].chunks[0];
    return (chunk.forward_time() + chunk.backward_time()).value();
  };
  for (std::size_t stage = 1; stage < 3; ++stage) CHECK(cut.stages[stage].layers == "6 x block");
  CHECK(host_bound(1) == Approx(host_bound(2)).epsilon(0.01));
}

TEST_CASE("groups of nodes that a layout does not reach do not matter to it") {
  TrainingJob job = mixed_with("dgx1-v100", 1);
  job.precision = Precision::bf16;
  job.cluster.more.front().devices_per_node = 4;
  LayoutJudge mixed(job), alone(job_on_group(job, 0));
  for (const auto& [tp, pp, dp] : {std::array{8, 1, 1}, {1, 1, 8}, {2, 2, 2}, {1, 4, 2}}) {
    for (const Balance balance : {Balance::equal, Balance::speed}) {
      Layout layout = layout_of(tp, pp, dp, balance);
      CAPTURE(to_text(layout));
      CHECK(mixed.obstacles(layout).empty());
      CHECK(mixed.predict(layout).time().value() == Approx(alone.predict(layout).time().value()).epsilon(1e-12));
      CHECK(mixed.memory(layout).group == 0);
    }
  }
  CHECK(mixed.obstacles(layout_of(1, 1, 12)).size() == 2);  // four devices of the other kind
}

TEST_CASE("memory is judged on every kind, and the one that is too small is named") {
  TrainingJob job = mixed_with("dgx1-v100", 2, 96, {48, 6144, 64});
  LayoutJudge mixed(job), slow(job_on_group(job, 1));
  Layout layout = layout_of(8, 1, 4);
  layout.zero_stage = 0;
  const StepPrediction step = mixed.predict(layout);
  CHECK(step.memory.group == 1);
  CHECK(step.memory.peak() == slow.predict(layout).memory.peak());
  CHECK_FALSE(step.fits(job.cluster));
  CHECK(mixed.memory_obstacle(step.memory).starts_with("does not fit v100-sxm2-32: "));
  CHECK(slow.memory_obstacle(step.memory).starts_with("does not fit: "));
}

TEST_CASE("what layouts cannot do on devices of several kinds is said with the devices' names") {
  TrainingJob job = mixed_with("dgx1-v100", 2);
  const auto told = [](const TrainingJob& of, const Layout& layout) {
    const std::vector<std::string> all = LayoutJudge(of).obstacles(layout);
    REQUIRE(all.size() == 1);
    return all.front();
  };
  TrainingJob bf16 = job;
  bf16.precision = Precision::bf16;
  CHECK(told(bf16, layout_of(8, 1, 4)) == "v100-sxm2-32 has no bf16 products, a100-sxm-80 has - use fp16");
  TrainingJob fp8 = mixed_with("dgx-h100", 2);
  fp8.precision = Precision::fp8;
  CHECK(LayoutJudge(fp8).obstacles(layout_of(8, 1, 4)) ==
        std::vector<std::string>{"a100-sxm-80 has no fp8 products - use bf16",
                                 "a100-sxm-80 has no fp8 products, h100-sxm has - use bf16"});
  TrainingJob uneven = job;
  uneven.cluster.more.front().devices_per_node = 4;
  CHECK(told(uneven, layout_of(8, 1, 3)) ==
        "nodes of 8 a100-sxm-80 and of 4 v100-sxm2-32: a layout is numbered over nodes of equal size - use groups of "
        "equal devices_per_node");
  Layout interleaved = layout_of(4, 4, 2, Balance::speed);
  interleaved.interleave = 2;
  CHECK(told(job, interleaved) ==
        "interleave 2 deals equal chunks, balance speed unequal ones - use interleave 1, or balance equal");
  Layout sharded = layout_of(8, 1, 4, Balance::speed);
  sharded.zero_stage = 3;
  CHECK(told(job, sharded) ==
        "balance speed gives replicas different numbers of micro-batches, but zero_stage 3 exchanges states with each "
        "- use zero_stage 0 or 1, or balance equal");
  sharded.balance = Balance::equal;
  CHECK(LayoutJudge(job).obstacles(sharded).empty());
}

TEST_CASE("the range of a mixed step spans the constants of both kinds") {
  const TrainingJob job = mixed_with("dgx1-v100", 2);
  const Layout layout = layout_of(8, 1, 4);
  const auto time = [](const StepPrediction& step) { return step.time().value(); };
  const double error = time_error(job);
  const Ranged both = predicted_range(job, layout, time, error);
  const Ranged slow = predicted_range(job_on_group(job, 1), layout, time, error);
  CHECK(both.value == Approx(slow.value));
  CHECK(both.low <= slow.low * (1 + 1e-9));
  CHECK(both.high >= slow.high * (1 - 1e-9));
}

TEST_CASE("groups of equal nodes have the range that they have as one group") {
  TrainingJob two = mixed_with("dgx-a100", 1), one = two;
  two.cluster.more.front() = static_cast<const NodeGroup&>(two.cluster);
  two.more_laws.front() = static_cast<const NodeLaws&>(two);
  one.cluster.nodes += two.cluster.more.front().nodes;
  one.cluster.more.clear(), one.more_laws.clear();
  const Layout layout = layout_of(8, 1, 2);
  const auto time = [](const StepPrediction& step) { return step.time().value(); };
  const Ranged apart = predicted_range(two, layout, time, time_error(two));
  const Ranged together = predicted_range(one, layout, time, time_error(one));
  CHECK(apart.value == Approx(together.value).epsilon(1e-9));
  CHECK(apart.low == Approx(together.low).epsilon(1e-6));
  CHECK(apart.high == Approx(together.high).epsilon(1e-6));
}

}  // namespace orrery
