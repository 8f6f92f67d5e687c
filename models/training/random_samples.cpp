#include "models/training/random_samples.hpp"

#include <optional>
#include <vector>

#include "sim/base/random.hpp"

namespace orrery {
namespace {

/// Where in a sample the numbers begin that a layer reads, if only views and slices of vectors lie between; none if
/// not.
std::optional<std::size_t> place_in_sample(const LayerGraph& graph, const Layer& layer) {
  std::int64_t first = 0;
  for (LayerId id = layer.input; id.valid(); id = graph.layers[id.index()].input) {
    const Layer& before = graph.layers[id.index()];
    const bool is_slice = before.kind == LayerKind::slice && before.in.height * before.in.width == 1;
    if (!is_slice && !is_view(before.kind)) return std::nullopt;
    first += before.first_channel;
  }
  return static_cast<std::size_t>(first);
}

/// Any row of every table.
void draw_rows(const LayerGraph& graph, Random& random, std::vector<float>& inputs) {
  const auto numbers = static_cast<std::size_t>(graph.input.count());
  for (const Layer& layer : graph.layers) {
    const auto place = layer.kind == LayerKind::embedding_tables ? place_in_sample(graph, layer) : std::nullopt;
    if (!place) continue;
    for (std::size_t sample = *place; sample < inputs.size(); sample += numbers) {
      for (std::size_t table = 0; table < layer.tables.size(); ++table) {
        inputs[sample + table] = static_cast<float>(random.below(static_cast<std::size_t>(layer.tables[table])));
      }
    }
  }
}

}  // namespace

Samples random_samples(const ExecutionPlan& plan, std::size_t count, std::uint64_t seed) {
  const LayerGraph& graph = plan.graph();
  Random random = Random::derived(seed, "profile data");
  Samples samples;
  samples.labels_per_sample = static_cast<std::size_t>(plan.loss().predictions_per_sample());
  samples.inputs.resize(count * static_cast<std::size_t>(graph.input.count()));
  const Layer& first = graph.layers.front();
  for (float& input : samples.inputs) {
    input = first.kind == LayerKind::embedding
                ? static_cast<float>(random.below(static_cast<std::size_t>(first.vocabulary)))
                : static_cast<float>(random.uniform());
  }
  draw_rows(graph, random, samples.inputs);
  for (std::size_t i = 0; i < count * samples.labels_per_sample; ++i) {
    samples.labels.push_back(static_cast<std::int32_t>(random.below(static_cast<std::size_t>(graph.classes))));
  }
  if (graph.layers.back().kind == LayerKind::detection_loss) {  // an empty grid: no object to find
    samples.targets.resize(count * static_cast<std::size_t>(graph.layers.back().in.count()));
  }
  return samples;
}

}  // namespace orrery
