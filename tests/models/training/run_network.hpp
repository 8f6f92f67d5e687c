// A whole network with weights of its own, run on plain samples.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/training/sample_batch.hpp"
#include "models/training/training_step.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {

/// Normal inputs, or tokens where the network begins with an embedding; labels for every prediction.
inline Samples random_samples(const LayerGraph& graph, std::size_t count, std::uint64_t seed) {
  Random random(seed);
  Samples samples;
  const Layer& loss = graph.layers.back();
  samples.labels_per_sample =
      loss.kind == LayerKind::softmax_cross_entropy ? static_cast<std::size_t>(loss.in.height * loss.in.width) : 1;
  samples.inputs.resize(count * static_cast<std::size_t>(graph.input.count()));
  const Layer& first = graph.layers.front();
  for (float& input : samples.inputs) {
    input = static_cast<float>(first.kind == LayerKind::embedding
                                   ? static_cast<double>(random.below(static_cast<std::size_t>(first.vocabulary)))
                                   : random.normal());
  }
  for (std::size_t i = 0; i < count * samples.labels_per_sample; ++i) {
    samples.labels.push_back(static_cast<std::int32_t>(random.below(static_cast<std::size_t>(graph.classes))));
  }
  return samples;
}

class RunNetwork {
 public:
  explicit RunNetwork(const LayerGraph& graph, std::size_t workers = 1)
      : plan_(std::make_shared<const ExecutionPlan>(graph)), runner_(plan_, workers), weights(plan_->weight_count()) {
    Random random(5);
    plan_->initialise(weights, random);
  }

  /// The mean gradient over the predictions.
  std::vector<float> gradients(const Samples& samples) {
    result = runner_.run(weights, whole(samples), {.divisor = predictions(samples), .seed = 3});
    const auto gradients = runner_.gradient(0, plan_->parameter_count());
    return {gradients.begin(), gradients.end()};
  }
  /// The mean loss of a training pass (batch statistics, the same draws).
  double loss(const Samples& samples) {
    std::vector<float> copy = weights;  // running statistics change
    return runner_.run(copy, whole(samples), {.divisor = 1, .seed = 3}).loss_sum / predictions(samples);
  }
  [[nodiscard]] const ExecutionPlan& plan() const { return *plan_; }
  [[nodiscard]] double predictions(const Samples& samples) const {
    return static_cast<double>(plan_->loss().predictions_per_sample()) * static_cast<double>(samples.count());
  }

 private:
  std::shared_ptr<const ExecutionPlan> plan_;
  BatchRunner runner_;

 public:
  std::vector<float> weights;
  BatchResult result;
};

/// Share of the parameters whose gradient differs from the difference quotient by more than `tolerance` times the
/// largest gradient. The loss is summed in double, but of float32 scores: it is off by about 1e-7 and the quotient by
/// about 1e-7 / step, so 3e-5 for 1/256 and 2e-4 for 1/2048. The term of third order is smaller.
inline double share_of_wrong_gradients(RunNetwork& network, const Samples& data, float step, double tolerance) {
  const std::vector<float> gradients = network.gradients(data);
  double largest = 0;
  for (const float gradient : gradients) largest = std::max(largest, std::abs(static_cast<double>(gradient)));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    float& weight = network.weights[i];
    const float at = weight, above = at + step, below = at - step;
    weight = above;
    const double high = network.loss(data);
    weight = below;
    const double low = network.loss(data);
    weight = at;
    const double quotient = (high - low) / (static_cast<double>(above) - static_cast<double>(below));
    if (std::abs(quotient - gradients[i]) > tolerance * largest) ++wrong;
  }
  return static_cast<double>(wrong) / static_cast<double>(gradients.size());
}

/// The same on six random samples. `spread` multiplies the first weights: a step must be small against embeddings that
/// a normalisation divides by.
inline double share_of_wrong_gradients(const LayerGraph& graph, float step, double tolerance, float spread = 1.0F) {
  constexpr std::size_t samples = 6;
  RunNetwork network(graph);
  for (float& weight : network.weights) weight *= spread;
  return share_of_wrong_gradients(network, random_samples(graph, samples, 11), step, tolerance);
}

}  // namespace orrery
