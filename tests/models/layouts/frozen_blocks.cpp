// Layouts of networks of which a part does not train.
#include "models/layouts/blocks.hpp"
#include "models/layouts/step_prediction.hpp"
#include "models/networks/layer_patterns.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

TrainingJob frozen_up_to(int blocks, TrainingJob job) {
  for (Layer& layer : job.network.layers) {
    const bool is_embedding = layer.name == "embedding";
    for (int block = 1; block <= blocks; ++block) {
      if (is_embedding || layer.name.rfind("block." + std::to_string(block) + ".", 0) == 0) layer.frozen = true;
    }
  }
  return job;
}

/// Four blocks of 1024 units, the head with weights of its own.
TrainingJob dense_job() {
  TrainingJob job = megatron_job({4, 1024, 16}, 16, 8, "modern");
  TransformerShape shape;
  shape.name = "dense", shape.layers = 4, shape.hidden = 1024, shape.heads = 16, shape.vocabulary = 51200;
  shape.tokens = 2048, shape.tied = false;
  job.network = transformer_graph(shape);
  return job;
}

Layout over(int dp, int zero_stage) {
  Layout layout;
  layout.dp = dp, layout.zero_stage = zero_stage;
  return layout;
}

TEST_CASE(
    "frozen weights stay in memory, their gradients and states do not, and what is below what trains keeps nothing") {
  const LayoutMemory all = LayoutJudge(dense_job()).memory(over(8, 0));
  const LayoutMemory half = LayoutJudge(frozen_up_to(2, dense_job())).memory(over(8, 0));
  const LayoutMemory head = LayoutJudge(frozen_up_to(4, dense_job())).memory(over(8, 0));
  CHECK(half.states.weights == all.states.weights);
  CHECK(head.states.weights == all.states.weights);
  const auto trained = static_cast<double>(trainable_parameters(frozen_up_to(2, dense_job()).network));
  CHECK(half.states.gradients.value() == Approx(4 * trained));
  CHECK(half.states.optimizer.value() == Approx(12 * trained));
  const double block =
      (LayoutJudge(frozen_up_to(1, dense_job())).memory(over(8, 0)).states.activations - half.states.activations)
          .value();
  CHECK(block > 0);
  CHECK(half.states.activations.value() == Approx(head.states.activations.value() + 2 * block));
  CHECK(head.states.activations > Bytes());  // the head's own
}

TEST_CASE("blocks below what trains have no backward pass, nothing to compute again and no sums in it") {
  Layout layout = over(2, 1);
  layout.tp = 4, layout.sequence_parallel = SequenceParallel::on, layout.recompute = Recompute::full;
  const auto sums = [&](int blocks) {
    const LayoutPrices prices = LayoutJudge(frozen_up_to(blocks, dense_job())).prices(layout);
    return prices.stages[0].chunks[0];
  };
  const ChunkPrice none = sums(0), two = sums(2), four = sums(4);
  CHECK(two.forward == none.forward);
  CHECK(two.tensor_sent.forward.total().value() == Approx(none.tensor_sent.forward.total().value()));
  CHECK(four.recompute == Seconds());
  CHECK(two.recompute.value() == Approx(none.recompute.value() / 2));
  const auto backward = [](const ChunkPrice& price) { return price.tensor_sent.backward.total().value(); };
  CHECK(backward(none) - backward(two) > 0);
  CHECK(backward(two) - backward(four) == Approx(2 * (backward(sums(1)) - backward(two))));
}

TEST_CASE("a frozen embedding that the head uses too is copied to the last stage, and nothing of it is summed") {
  TrainingJob job = megatron_job({4, 1024, 16}, 16, 8, "modern");
  Layout layout = over(2, 1);
  layout.pp = 4;
  const LayoutPrices trains = LayoutJudge(job).prices(layout);
  for (Layer& layer : job.network.layers) {
    layer.frozen = layer.frozen || layer.kind == LayerKind::embedding || layer.tied;
  }
  LayoutJudge judge(job);
  CHECK(trains.tied_exchange.time > Seconds());
  CHECK(judge.prices(layout).tied_exchange.time == Seconds());
  const MemoryEstimate states = judge.memory(layout).states;
  const double table = 51200.0 * 1024;
  CHECK(states.weights.value() > 2 * table);
  CHECK(states.gradients.value() < 4 * table);  // of a block
}

TEST_CASE(
    "a frozen embedding below everything that trains is gathered again for the head, which reads its matrix back") {
  TrainingJob job = megatron_job({4, 1024, 16}, 16, 8, "modern");
  const auto of_embedding = static_cast<double>(parameters(job.network.layers.front()));
  const double table = 51200.0 * 1024;
  REQUIRE(of_embedding == table + 2048 * 1024);  // positions, which the head does not read
  const auto gathered = [](const TrainingJob& of) {
    return LayoutJudge(of).prices(over(8, 3)).states_backward.sent.total().value();
  };
  const auto all = static_cast<double>(parameters(job.network));
  CHECK(gathered(job) == Approx(7.0 / 8 * (2 + 4) * all));
  freeze(job.network, "embedding");
  // The matrix and what trains in 16 bits, gradients of what trains in fp32.
  const double trained = all - of_embedding;
  CHECK(gathered(job) == Approx(7.0 / 8 * (2 * table + (2 + 4) * trained)));
  TrainingJob head_alone = frozen_up_to(4, job);  // and the last normalisation, for which gradients come from the head
  freeze(head_alone.network, "embedding");
  const auto norm = static_cast<double>(trainable_parameters(head_alone.network));
  CHECK(gathered(head_alone) == Approx(7.0 / 8 * (2 * table + (2 + 4) * norm)));
}

TEST_CASE("blocks with the same layers frozen are not alike where something trains below one of them alone") {
  LayerGraph graph = megatron_job({4, 1024, 16}, 16, 8, "modern").network;
  for (const char* pattern : {"embedding", "*.norm*", "*.qkv", "*.projection"}) freeze(graph, pattern);
  const BlockSequence sequence = blocks_of(graph);
  REQUIRE(sequence.blocks.size() == 6);
  CHECK(sequence.blocks[1].klass != sequence.blocks[2].klass);
  CHECK(sequence.blocks[2].klass == sequence.blocks[4].klass);
  CHECK(sequence.blocks[1].kin == sequence.blocks[2].kin);  // dealt out like the others
  CHECK(sequence.repeats == 4);
  CHECK(deal_blocks(sequence, 2, std::vector<double>(6, 1.0)) == std::vector<std::size_t>{0, 3, 6});
}

TEST_CASE("frozen blocks are dealt to stages as if they trained") {
  for (const int frozen : {1, 2, 3}) {
    const BlockSequence sequence = blocks_of(frozen_up_to(frozen, dense_job()).network);
    CHECK(deal_blocks(sequence, 4, std::vector<double>(6, 1.0)) == std::vector<std::size_t>{0, 2, 3, 4, 6});
  }
}

TEST_CASE("frozen experts are gathered like what trains, and the host asks for them once where there is no backward") {
  const auto mixture = [](bool all) {
    TrainingJob job = experts_job(16);
    for (Layer& layer : job.network.layers) {
      const bool is_block = layer.name.rfind("block.", 0) == 0 || layer.name == "embedding" || layer.tied;
      layer.frozen = all ? is_block : layer.kind == LayerKind::mixture_of_experts;
    }
    job.framework.expert_host_ms = Ranged(100);  // the host sets the pace
    return job;
  };
  Layout layout = over(1, 3);
  layout.tp = 8, layout.ep = 2, layout.etp = 1, layout.sequence_parallel = SequenceParallel::on;
  TrainingJob eight = mixture(false);
  eight.batch = 2;
  CHECK(LayoutJudge(eight).predict(layout).comm_dp > Seconds());
  const ChunkPrice price = LayoutJudge(mixture(true)).prices(over(16, 0)).stages[0].chunks[0];
  CHECK(price.forward_time() > Seconds(4 * 8 * 0.05));  // half of it in either pass
  CHECK(price.backward_time() < Seconds(0.05));
}

TEST_CASE("sharded weights are gathered whether they train or not") {
  const auto exchanged = [](int frozen, int zero_stage) {
    const StepPrediction step = LayoutJudge(frozen_up_to(frozen, dense_job())).predict(over(8, zero_stage));
    return step.exchanged_per_device.total().value();
  };
  const auto weights = [](const LayerGraph& graph) { return static_cast<double>(parameters(graph)); };
  const double all = weights(dense_job().network);
  const auto trained = static_cast<double>(trainable_parameters(frozen_up_to(4, dense_job()).network));
  // ZeRO-3: gathered in 16 bits for each pass of two micro-batches, frozen ones for the forward pass alone, gradients
  // scattered in fp32 with both.
  CHECK(exchanged(4, 3) == Approx(7.0 / 8 * 2 * (2 * all + 2 * trained + 4 * trained)));
  CHECK(exchanged(0, 3) == Approx(7.0 / 8 * 2 * (2 * 2 * all + 4 * all)));
  // ZeRO-1 gathers once what moved.
  CHECK(exchanged(4, 1) == Approx(7.0 / 8 * (2 + 4) * trained));
}

}  // namespace
}  // namespace orrery
