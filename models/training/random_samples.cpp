#include "models/training/random_samples.hpp"

#include <vector>

#include "models/training/row_numbers.hpp"
#include "sim/base/random.hpp"

namespace orrery {
namespace {

/// Any row that every table has which reads the number.
void draw_rows(const LayerGraph& graph, Random& random, std::vector<float>& inputs) {
  const auto numbers = static_cast<std::size_t>(graph.input.count());
  for (const RowNumber& number : row_numbers(graph)) {
    for (std::size_t at = number.place; at < inputs.size(); at += numbers) {
      inputs[at] = static_cast<float>(random.below(static_cast<std::size_t>(number.rows)));
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
