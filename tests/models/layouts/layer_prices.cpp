// Prices of single layers against those of the blocks that they make up.
#include "models/layouts/step_prediction.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

/// With software that adds nothing of its own, so that a chunk takes what its kernels take.
struct Sums {
  double forward = 0, backward = 0, optimizer = 0, kept = 0;
};

Sums of_layers(const TrainingJob& job, const Layout& layout) {
  Sums sums;
  for (const LayerPrice& price : LayoutJudge(job).layer_prices(layout)) {
    sums.forward += price.forward.value(), sums.backward += price.backward.value();
    sums.optimizer += price.optimizer.value(), sums.kept += price.kept.value();
  }
  return sums;
}

Sums of_step(const TrainingJob& job, const Layout& layout) {
  LayoutJudge judge(job);
  const LayoutPrices prices = judge.prices(layout);
  Sums sums;
  for (const StagePrice& stage : prices.stages) {
    for (const ChunkPrice& chunk : stage.chunks) {
      sums.forward += chunk.forward.value();
      sums.backward += (chunk.backward_input + chunk.backward_weights).value();
    }
    sums.optimizer += stage.optimizer.value();
  }
  sums.kept = judge.memory(layout).states.activations.value();
  return sums;
}

void same(const Sums& layers, const Sums& step) {
  CHECK(layers.forward == Approx(step.forward));
  CHECK(layers.backward == Approx(step.backward));
  CHECK(layers.optimizer == Approx(step.optimizer));
}

TEST_CASE("prices of layers add up to those of the stages that they stand on") {
  const TrainingJob dense = megatron_job({4, 1024, 16}, 16, 8, "ideal");
  Layout layout;
  layout.dp = 8, layout.microbatch = 2, layout.zero_stage = 1;
  same(of_layers(dense, layout), of_step(dense, layout));
  CHECK(of_layers(dense, layout).kept == Approx(of_step(dense, layout).kept));
  layout.dp = 2, layout.tp = 4, layout.sequence_parallel = SequenceParallel::on;
  same(of_layers(dense, layout), of_step(dense, layout));
  CHECK(of_layers(dense, layout).kept == Approx(of_step(dense, layout).kept));
  layout.tp = 2, layout.pp = 2;
  same(of_layers(dense, layout), of_step(dense, layout));
  const TrainingJob experts = experts_job(8, "ideal");
  layout = {};
  layout.dp = 8, layout.ep = 4, layout.zero_stage = 1;
  same(of_layers(experts, layout), of_step(experts, layout));
}

TEST_CASE("layers of equal blocks have equal prices, frozen ones no update") {
  TrainingJob job = megatron_job({4, 1024, 16}, 16, 8, "ideal");
  for (Layer& layer : job.network.layers) layer.frozen = layer.name.rfind("block.1.", 0) == 0;
  Layout layout;
  layout.dp = 8;
  const std::vector<LayerPrice> prices = LayoutJudge(job).layer_prices(layout);
  REQUIRE(prices.size() == job.network.layers.size());
  const auto at = [&](const std::string& name) {
    for (const Layer& layer : job.network.layers) {
      if (layer.name == name) return prices[layer.id.index()];
    }
    return LayerPrice();
  };
  CHECK(at("block.2.projection").forward > Seconds());
  CHECK(at("block.2.projection").forward == at("block.4.projection").forward);
  CHECK(at("block.2.projection").optimizer > Seconds());
  CHECK(at("block.1.projection").optimizer == Seconds());
  CHECK(at("block.1.projection").backward < at("block.2.projection").backward);
}

}  // namespace
}  // namespace orrery
