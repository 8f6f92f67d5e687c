// ZeRO-2 without a pipeline: a rank adds up a shard of the gradients, so they move with every micro-batch.
#include <algorithm>

#include "models/layouts/block_price.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

constexpr int devices = 32;

/// GPT of 1.3 billion parameters on four nodes of eight A100, so many micro-batches on each.
TrainingJob gpt_with(int microbatches, double overlap = 0.9) {
  TrainingJob job = megatron_job({24, 2048, 16}, std::int64_t{microbatches} * devices, devices, "modern");
  job.framework.gradient_overlap = Ranged(overlap);
  return job;
}

Layout sharing(int zero_stage, int zero_group = 0) {
  Layout layout;
  layout.dp = devices;
  layout.recompute = Recompute::selective;
  layout.zero_stage = zero_stage, layout.zero_group = zero_group;
  return layout;
}

/// Of all parameters of a job.
class Moves {
 public:
  explicit Moves(const TrainingJob& job)
      : paths_(paths_of(job)),
        wire_(job.framework.gradient_wire_bytes.value),
        numbers_(LayoutJudge(job).prices(sharing(0)).stages[0].chunks[0].parameters) {}
  [[nodiscard]] LibraryCost scattered(GroupPlace place) const {
    return of(CollectiveKind::reduce_scatter, place, numbers_ * wire_);
  }
  [[nodiscard]] LibraryCost gathered(GroupPlace place) const {
    return of(CollectiveKind::all_gather, place, numbers_ * 2);
  }
  [[nodiscard]] LibraryCost summed(GroupPlace place, int shards) const {
    return of(CollectiveKind::all_reduce, place, numbers_ / shards * wire_);
  }

 private:
  [[nodiscard]] LibraryCost of(CollectiveKind kind, GroupPlace place, double bytes) const {
    return library_cost(kind, place, Bytes(bytes), paths_.node, paths_.network);
  }
  Paths paths_;
  double wire_, numbers_;
};

constexpr GroupPlace all{devices, 8, 1}, node{8, 8, 1}, across{4, 1, 1};

}  // namespace

TEST_CASE("gradients of ZeRO-2 are reduce-scattered with every micro-batch, parameters gathered once, by hand") {
  const int count = GENERATE(1, 2, 5);
  const TrainingJob job = gpt_with(count, 0);
  const Moves moves(job);
  LayoutJudge judge(job);
  const StepPrediction step = judge.predict(sharing(2));
  const double time = count * moves.scattered(all).total().value() + moves.gathered(all).total().value();
  CHECK(step.parts.exposed_dp.value() == Approx(time).epsilon(1e-9));
  CHECK(step.comm_dp.value() == Approx(time).epsilon(1e-9));
  const double sent = count * moves.scattered(all).sent().total().value() + moves.gathered(all).sent().total().value();
  CHECK(step.sent_per_device.value() == Approx(sent).epsilon(1e-9));
  const LayoutPrices prices = judge.prices(sharing(2));
  CHECK(prices.states_backward.sent.total().value() == Approx(moves.scattered(all).sent().total().value()));
  CHECK(prices.states_backward.exposed.value() == Approx(moves.scattered(all).total().value()));
  CHECK(prices.states_forward.sent.total() == Bytes());
}

TEST_CASE("every backward pass hides its own part of ZeRO-2's exchange") {
  // At the share that hides half of it.
  const Moves moves(gpt_with(1));
  const ChunkPrice chunk = LayoutJudge(gpt_with(1)).prices(sharing(2)).stages[0].chunks[0];
  const double backward = (chunk.recompute + chunk.backward_input + chunk.backward_weights).value();
  const double once = moves.scattered(all).total().value(), overlap = once / 2 / backward;
  REQUIRE(overlap < 1);
  const double gather = std::max(0.0, moves.gathered(all).total().value() - overlap * chunk.forward.value());
  for (const int count : {1, 4, 16}) {
    const StepPrediction step = LayoutJudge(gpt_with(count, overlap)).predict(sharing(2));
    CHECK(step.parts.exposed_dp.value() == Approx(count * once / 2 + gather).epsilon(1e-9));
  }
}

TEST_CASE("with one micro-batch ZeRO-2 takes what ZeRO-1 does, with more what they send beyond the first") {
  LayoutJudge one(gpt_with(1)), four(gpt_with(4));
  CHECK(one.predict(sharing(2)).time().value() == Approx(one.predict(sharing(1)).time().value()).epsilon(1e-9));
  CHECK(one.predict(sharing(2)).sent_per_device == one.predict(sharing(1)).sent_per_device);
  const double more = (four.predict(sharing(2)).sent_per_device - four.predict(sharing(1)).sent_per_device).value();
  CHECK(more == Approx(3 * Moves(gpt_with(4)).scattered(all).sent().total().value()));
}

TEST_CASE("groups that share ZeRO-2's states sum their shards with every micro-batch, too") {
  const int count = 3;
  const TrainingJob job = gpt_with(count, 0);
  const Moves moves(job);
  const StepPrediction step = LayoutJudge(job).predict(sharing(2, 8));
  const LibraryCost scattered = moves.scattered(node), sums = moves.summed(across, 8), gathered = moves.gathered(node);
  CHECK(step.parts.exposed_dp.value() ==
        Approx(count * (scattered.total() + sums.total()).value() + gathered.total().value()).epsilon(1e-9));
  CHECK(step.sent_per_device.value() ==
        Approx(count * (scattered.sent().total() + sums.sent().total()).value() + gathered.sent().total().value()));
}

TEST_CASE("in a pipeline gradients of ZeRO-2 stay whole until the end of the step, in memory and in time") {
  LayoutJudge judge(gpt_with(8));
  Layout first = sharing(1), second = sharing(2);
  const double whole = judge.memory(first).states.gradients.value();
  CHECK(judge.memory(second).states.gradients.value() == Approx(whole / devices));
  for (Layout* layout : {&first, &second}) layout->dp = devices / 4, layout->pp = 4;
  CHECK(judge.memory(second).states.gradients == judge.memory(first).states.gradients);
  CHECK(judge.predict(second).time() == judge.predict(first).time());
  CHECK(judge.predict(second).sent_per_device == judge.predict(first).sent_per_device);
}

TEST_CASE("exchanges slow the pass that hides them, and every byte sent takes of the memory, by hand") {
  const int zero_stage = GENERATE(0, 1, 2);
  TrainingJob job = gpt_with(1);
  const Seconds still = LayoutJudge(job).predict(sharing(zero_stage)).parts.exposed_dp;
  job.framework.exchange_interference = Ranged(0.25);
  const Moves moves(job);
  const Paths paths = paths_of(job);
  const double numbers = LayoutJudge(job).prices(sharing(0)).stages[0].chunks[0].parameters;
  const LibraryCost summed =
      library_cost(CollectiveKind::all_reduce, all, Bytes(numbers * job.framework.gradient_wire_bytes.value),
                   paths.node, paths.network);
  const Seconds scattered = moves.scattered(all).total(), gathered = moves.gathered(all).total();
  const Seconds hidden = zero_stage == 0 ? summed.total() - still : scattered + gathered - still;
  const Seconds slowed = LayoutJudge(job).predict(sharing(zero_stage)).parts.exposed_dp;
  CHECK((slowed - still).value() == Approx(0.25 * hidden.value()).epsilon(1e-9));

  job.framework.exchange_traffic = Ranged(4);
  const StepPrediction step = LayoutJudge(job).predict(sharing(zero_stage));
  const double bandwidth = job.cluster.device.memory_bandwidth.value() * job.device_law.memory_share.value;
  CHECK((step.parts.exposed_dp - slowed).value() == Approx(4 * step.sent_per_device.value() / bandwidth).epsilon(1e-9));
}

TEST_CASE("over a slow network no more shows of an exchange than it takes") {
  TrainingJob job = megatron_job({24, 2048, 16}, devices, devices, "pytorch-ddp");
  for (const double speed : {1.0, 0.1, 0.01}) {
    TrainingJob slow = job;
    slow.cluster.network_link->down = job.cluster.network_link->down * speed;
    slow.cluster.network_link->up = job.cluster.network_link->up * speed;
    const StepPrediction step = LayoutJudge(slow).predict(sharing(0));
    CHECK(step.parts.exposed_dp < step.comm_dp);
  }
}

}  // namespace orrery
