#include "models/training/network.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "models/training/dataset.hpp"
#include "models/training/layer_stack.hpp"
#include "sim/base/errors.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

Samples random_samples(const LayerGraph& graph, std::size_t count, std::uint64_t seed) {
  Random random(seed);
  Samples samples;
  samples.inputs.resize(count * static_cast<std::size_t>(graph.input.count()));
  for (float& input : samples.inputs) input = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < count; ++i) {
    samples.labels.push_back(static_cast<std::int32_t>(random.below(static_cast<std::size_t>(graph.classes))));
  }
  return samples;
}

std::vector<LayerStep> smooth_steps() {
  return {{LayerKind::convolution, {.channels = 3, .kernel = 3, .padding = 1}},
          {LayerKind::tanh, {}},
          {LayerKind::average_pool, {.kernel = 2, .stride = 2}},
          {LayerKind::convolution, {.channels = 4, .kernel = 2}},
          {LayerKind::sigmoid, {}},
          {LayerKind::flatten, {}},
          {LayerKind::dense, {.channels = 6}},
          {LayerKind::tanh, {}},
          {LayerKind::dense, {.channels = 4}},
          {LayerKind::softmax_cross_entropy, {}}};
}

std::vector<LayerStep> kinked_steps() {
  return {{LayerKind::convolution, {.channels = 4, .kernel = 3, .padding = 1}},
          {LayerKind::relu, {}},
          {LayerKind::max_pool, {.kernel = 2, .stride = 2}},
          {LayerKind::flatten, {}},
          {LayerKind::dense, {.channels = 8}},
          {LayerKind::relu, {}},
          {LayerKind::dense, {.channels = 3}},
          {LayerKind::softmax_cross_entropy, {}}};
}

// Share of the parameters whose gradient differs from the difference quotient by more than `tolerance` times the
// largest gradient. The loss is summed in double, but of float32 scores: it is off by about 1e-7 and the quotient by
// about 1e-7 / step, so 3e-5 for 1/256 and 2e-4 for 1/2048. The term of third order is smaller.
double share_of_wrong_gradients(const LayerGraph& graph, float step, double tolerance) {
  Random random(5);
  Network network(graph, random);
  const Samples samples = random_samples(graph, 6, 11);
  network.forward_backward(samples.inputs, samples.labels);
  const Numbers gradients(network.gradients().begin(), network.gradients().end());
  double largest = 0;
  for (const float gradient : gradients) largest = std::max(largest, std::abs(static_cast<double>(gradient)));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    float& weight = network.parameters()[i];
    const float at = weight, above = at + step, below = at - step;
    weight = above;
    const double high = network.evaluate(samples.inputs, samples.labels).loss_sum;
    weight = below;
    const double low = network.evaluate(samples.inputs, samples.labels).loss_sum;
    weight = at;
    const double distance = static_cast<double>(above) - static_cast<double>(below);
    const double quotient = (high - low) / distance / static_cast<double>(samples.count());
    if (std::abs(quotient - gradients[i]) > tolerance * largest) ++wrong;
  }
  return static_cast<double>(wrong) / static_cast<double>(gradients.size());
}

TEST_CASE("the gradients of a smooth network agree with finite differences in every parameter") {
  CHECK(share_of_wrong_gradients(chain_network({6, 6, 2}, smooth_steps()), 1.0F / 256, 1e-3) == 0.0);
}

TEST_CASE("the gradients of a network with ReLU and max pooling agree but where a step crosses a kink") {
  // A step may carry one of the 150 activations of a sample over its kink: the quotient then lies between two slopes.
  // Each weight of the convolution moves all of them, so a few weights meet a kink even with a small step.
  const LayerGraph graph = chain_network({6, 6, 2}, kinked_steps());
  CHECK(share_of_wrong_gradients(graph, 1.0F / 2048, 2e-3) < 0.05);
  CHECK(share_of_wrong_gradients(graph, 1.0F / 2048, 2e-2) == 0.0);
}

TEST_CASE("a network that starts with layers without parameters trains the others") {
  const LayerGraph graph = chain_network({2, 2, 2}, {{LayerKind::flatten, {}},
                                                     {LayerKind::tanh, {}},
                                                     {LayerKind::dense, {.channels = 3}},
                                                     {LayerKind::softmax_cross_entropy, {}}});
  CHECK(share_of_wrong_gradients(graph, 1.0F / 256, 1e-3) == 0.0);
}

TEST_CASE("the gradient of a batch is the mean of the gradients of its samples") {
  const LayerGraph graph = chain_network({6, 6, 2}, kinked_steps());
  Random random(5);
  Network network(graph, random);
  const Samples samples = random_samples(graph, 4, 2);
  const BatchResult all = network.forward_backward(samples.inputs, samples.labels);
  const Numbers gradients(network.gradients().begin(), network.gradients().end());
  std::vector<double> mean(gradients.size());
  double loss = 0;
  const auto size = static_cast<std::size_t>(graph.input.count());
  for (std::size_t i = 0; i < samples.count(); ++i) {
    loss += network
                .forward_backward(std::span(samples.inputs).subspan(i * size, size),
                                  std::span(samples.labels).subspan(i, 1))
                .loss_sum;
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += static_cast<double>(network.gradients()[j]) / 4;
  }
  CHECK(all.loss_sum == Approx(loss).epsilon(1e-6));
  for (std::size_t j = 0; j < mean.size(); ++j) REQUIRE(gradients[j] == Approx(mean[j]).margin(1e-6));
}

TEST_CASE("first weights have the spread of He initialisation and first biases are 0") {
  const LayerGraph graph = two_hidden_layers();
  Random random(1);
  const Network network(graph, random);
  const auto parameters = network.parameters();
  REQUIRE(parameters.size() == 199210);
  const auto first = parameters.first(784 * 200);
  double square = 0, sum = 0;
  for (const float weight : first) {
    square += static_cast<double>(weight) * weight;
    sum += weight;
  }
  const auto count = static_cast<double>(first.size());
  CHECK(square / count == Approx(2.0 / 784).epsilon(0.02));  // relative error of a variance: sqrt(2 / n) = 0.4 %
  CHECK(std::abs(sum / count) < 5 * std::sqrt(2.0 / 784 / count));
  for (const float bias : parameters.subspan(784 * 200, 200)) REQUIRE(bias == 0.0F);
}

TEST_CASE("parameters begin on a cache line") {
  Random random(1);
  Network network(chain_network({6, 6, 2}, kinked_steps()), random);
  CHECK(reinterpret_cast<std::uintptr_t>(network.parameters().data()) % 64 == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(network.gradients().data()) % 64 == 0);
}

TEST_CASE("the shipped executable networks have the parameters of their papers") {
  const auto parameters_of = [](const std::string& name) { return LayerStack(load_network(name)).parameter_count(); };
  CHECK(parameters_of("2nn") == 199210);
  CHECK(parameters_of("fedavg-cnn") == 1663370);
  CHECK(parameters_of("lenet5") == 61706);
}

TEST_CASE("every shipped network that calls itself executable can be executed, and no other") {
  for (const std::string& name : network_names()) {
    INFO(name);
    const LayerGraph graph = load_network(name);
    bool runs = true;
    try {
      const LayerStack stack(graph);
    } catch (const InvalidInput&) {
      runs = false;
    }
    CHECK(runs == graph.executable);
  }
}

TEST_CASE("all layers that cannot be executed are named at once") {
  LayerGraph graph = chain_network({4, 1, 8}, {{LayerKind::layer_norm, {}},
                                               {LayerKind::dense, {.channels = 8}},
                                               {LayerKind::tanh, {}},
                                               {LayerKind::residual_add, {}}});
  graph.layers[2].input = LayerId(0);
  std::string message;
  try {
    const LayerStack stack(graph);
  } catch (const InvalidInput& error) {
    message = error.what();
  }
  const std::string end = " - this network can be simulated, but not trained here";
  CHECK(
      message ==
      "small: layer \"layer_norm1\": layer_norm has no executable implementation" + end + "\n" +
          "small: layer \"dense2\": a dense layer over 4 positions cannot be executed, only over one vector (flatten " +
          "first)" + end + "\n" +
          "small: layer \"tanh3\": a layer that does not read the one before it cannot be executed" + end + "\n" +
          "small: layer \"residual_add4\": residual_add has no executable implementation" + end);
}

TEST_CASE("a network ends with its loss") {
  const LayerGraph graph = chain_network({1, 1, 8}, {{LayerKind::dense, {.channels = 8}}});
  std::string message;
  try {
    const LayerStack stack(graph);
  } catch (const InvalidInput& error) {
    message = error.what();
  }
  CHECK(message ==
        "small: layer \"dense1\": the last layer of an executed network is softmax_cross_entropy - this network can be "
        "simulated, but not trained here");
}

}  // namespace
}  // namespace orrery
