// Prices of single layers against those of the blocks that they make up.
#include "models/cost/layer_times.hpp"
#include "models/layouts/step_prediction.hpp"
#include "models/layouts/tensor_split.hpp"
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

LayerTimes on_one_device(const TrainingJob& job, const DeviceWork& work) {
  return operator_times(job.network, {job.framework, job.precision, job.optimizer, job.cluster.device, job.device_law},
                        work);
}

TEST_CASE("a layer that one device works on alone has the price that it has in a layout") {
  TrainingJob job = GENERATE(megatron_job({4, 1024, 16}, 4, 1, "ideal"), experts_job(1, "ideal"));
  job.batch = 4;
  const bool freeze = GENERATE(false, true);
  for (Layer& layer : job.network.layers) layer.frozen = freeze && layer.name.rfind("block.1.", 0) == 0;
  Layout layout;
  layout.microbatch = 4;
  const LayerTimes times = on_one_device(job, {4});
  const std::vector<LayerPrice> prices = LayoutJudge(job).layer_prices(layout);
  for (std::size_t i = 0; i < prices.size(); ++i) {
    INFO(job.network.layers[i].name);
    CHECK(times.of(Pass::forward)[i].value() == Approx(prices[i].forward.value()));
    CHECK(times.of(Pass::backward)[i].value() == Approx(prices[i].backward.value()));
    CHECK(times.of(Pass::optimizer)[i].value() == Approx(prices[i].optimizer.value()));
  }
}

TEST_CASE("parts of layers have the prices of tensor parallelism") {
  TrainingJob job = megatron_job({2, 1024, 16}, 4, 4, "ideal");
  job.batch = 4;
  Layout layout;
  layout.tp = 4, layout.microbatch = 4;
  DeviceWork work{4};
  const TensorSplit split = split_tensor(job.network, 4);
  for (const LayerSplit& layer : split.layers) work.shares.push_back(layer.share);
  const LayerTimes times = on_one_device(job, work);
  const std::vector<LayerPrice> prices = LayoutJudge(job).layer_prices(layout);
  std::size_t split_layers = 0;
  for (const Layer& layer : job.network.layers) {
    if (is_loss(layer.kind)) continue;  // whole here, split there
    INFO(layer.name);
    const std::size_t i = layer.id.index();
    CHECK(times.of(Pass::forward)[i].value() == Approx(prices[i].forward.value()));
    CHECK(times.of(Pass::backward)[i].value() == Approx(prices[i].backward.value()));
    split_layers += work.shares[i].work < 1 ? 1 : 0;
  }
  CHECK(split_layers > 10);
}

}  // namespace
}  // namespace orrery
