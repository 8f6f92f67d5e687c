// What selective recomputation does again where a fused kernel keeps no scores.
#include "models/layouts/selective_layers.hpp"

#include <algorithm>

#include "models/cost/layer_cost.hpp"
#include "models/layouts/tensor_split.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"

namespace orrery {
namespace {

using namespace testing;

constexpr double tokens = 2048, heads = 16, query = 16 * (64 + 32), raised = 16 * (64 + 48);
constexpr double attended = query + raised + 32;  // queries; keys without their rotary part, and values; that part once

/// Four blocks of latent attention: queries of 16 x (64 + 32) numbers from 256, keys and values of 16 x (64 + 48) from
/// 128.
TrainingJob latent_job() {
  TrainingJob job = megatron_job({4, 1024, 16}, 4, 4, "modern");
  TransformerShape shape;
  shape.name = "latent";
  shape.layers = 4, shape.hidden = 1024, shape.heads = 16, shape.vocabulary = 51200, shape.tokens = 2048;
  shape.query_rank = 256, shape.kv_rank = 128, shape.rope_size = 32, shape.nope_size = 64, shape.value_size = 48;
  job.network = transformer_graph(shape);
  return job;
}

StepPrediction predicted(const TrainingJob& job, Recompute recompute) {
  Layout layout;
  layout.dp = 4, layout.recompute = recompute;
  return LayoutJudge(job).predict(layout);
}

double activations(const TrainingJob& job, Recompute recompute) {
  Layout layout;
  layout.dp = 4, layout.recompute = recompute;
  return LayoutJudge(job).memory(layout).states.activations.value();
}

TEST_CASE("latent attention raises queries, keys and values once more, and does not keep them") {
  const TrainingJob job = latent_job();
  std::string marked;
  const std::vector<bool> again = selective_layers(job.network, job.framework);
  for (const Layer& layer : job.network.layers) {
    if (again[layer.id.index()] && layer.name.rfind("block.1.", 0) == 0) marked += layer.name.substr(8) + " ";
  }
  CHECK(marked == "query_up kv_up key_rope keys_values qkv ");
  CHECK(activations(job, Recompute::none) - activations(job, Recompute::selective) ==
        Approx(4 * 2 * tokens * attended));
  const double products = 2 * tokens * (256 * query + 128 * raised + 1024 * 32);
  const StepPrediction none = predicted(job, Recompute::none), selective = predicted(job, Recompute::selective);
  CHECK((selective.hardware_flops - none.hardware_flops).value() == Approx(4 * 4 * products));
  CHECK(selective.parts.recompute > Seconds());
  CHECK(selective.parts.recompute < predicted(job, Recompute::full).parts.recompute * 0.3);
}

TEST_CASE("latent attention and attention on normalised heads are shared out over tensor-parallel ranks") {
  TransformerShape normalised;
  normalised.name = "normalised", normalised.layers = 2, normalised.hidden = 1024, normalised.heads = 16;
  normalised.kv_heads = 4, normalised.vocabulary = 51200, normalised.tokens = 2048, normalised.query_norm = true;
  for (const LayerGraph& graph : {latent_job().network, transformer_graph(normalised)}) {
    const TensorSplit split = split_tensor(graph, 4);
    for (const Layer& layer : graph.layers) {
      const LayerSplit& part = split.layers[layer.id.index()];
      INFO(graph.name << " " << layer.name);
      const bool is_before_attention =
          layer.kind == LayerKind::concatenate || (layer.kind == LayerKind::rms_norm && layer.heads > 1);
      if (layer.kind != LayerKind::attention && !is_before_attention) continue;
      CHECK(part.mode == SplitMode::channelwise);
      CHECK(part.share.work == 0.25);
      CHECK(part.before_forward.empty());
    }
  }
}

TEST_CASE("attention that shares nothing over heads has only its scores to compute again, if its kernel keeps them") {
  TrainingJob job = megatron_job({4, 1024, 16}, 4, 4, "modern");
  const auto count = [&] {
    const std::vector<bool> again = selective_layers(job.network, job.framework);
    return std::count(again.begin(), again.end(), true);
  };
  CHECK(count() == 0);
  CHECK(activations(job, Recompute::none) == activations(job, Recompute::selective));
  job.framework.flash_attention = Ranged(0);
  CHECK(count() == 4);
}

}  // namespace
}  // namespace orrery
