// Whole networks: gradients against differences, branches, shared weights, frozen layers.
#include <cmath>
#include <vector>

#include "sim/base/errors.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/small_layers.hpp"
#include "tests/models/training/run_network.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

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
  RunNetwork network(graph);
  const Samples samples = random_samples(graph, 4, 2);
  const Numbers gradients = network.gradients(samples);
  const BatchResult all = network.result;
  std::vector<double> mean(gradients.size());
  double loss = 0;
  const auto size = static_cast<std::ptrdiff_t>(graph.input.count());
  for (std::ptrdiff_t i = 0; i < 4; ++i) {
    const Samples one{{samples.inputs.begin() + i * size, samples.inputs.begin() + (i + 1) * size},
                      {samples.labels[static_cast<std::size_t>(i)]}};
    const Numbers of_one = network.gradients(one);
    loss += network.result.loss_sum;
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += static_cast<double>(of_one[j]) / 4;
  }
  CHECK(all.loss_sum == Approx(loss).epsilon(1e-6));
  for (std::size_t j = 0; j < mean.size(); ++j) REQUIRE(gradients[j] == Approx(mean[j]).margin(1e-6));
}

const std::string residual_network = network_text("[4, 4, 2]", "3", R"(
  { name = "stem", kind = "convolution", filters = 4, kernel = 3, padding = 1, bias = false },
  { name = "stem.norm", kind = "batch_norm" },
  { name = "stem.tanh", kind = "tanh" },
  { name = "left", kind = "convolution", filters = 4, kernel = 3, padding = 1 },
  { name = "left.norm", kind = "batch_norm" },
  { name = "sum", kind = "residual_add", skip = "stem.tanh" },
  { name = "sum.tanh", kind = "tanh" },
  { name = "right", kind = "convolution", filters = 2, input = "sum.tanh" },
  { name = "both", kind = "concatenate", skip = "sum.tanh" },
  { name = "narrow", kind = "convolution", filters = 3, input = "sum" },
  { name = "all", kind = "concatenate", skip = "both" },
  { name = "mean", kind = "global_average_pool" },
  { name = "head", kind = "dense", units = 3 },
  { name = "loss", kind = "softmax_cross_entropy" },
)");

const char* const token_network = R"(
[network]
name = "small"
title = "tokens"
source = "made for this test"
sample = "sequence"
input = [5, 1, 1]
classes = 7
layers = [
  { name = "embedding", kind = "embedding", units = 4, vocabulary = 7, positions = 5 },
  { name = "norm1", kind = "layer_norm" },
  { name = "qkv", kind = "dense", units = 12 },
  { name = "attention", kind = "attention", heads = 2, causal = true },
  { name = "projection", kind = "dense", units = 4 },
  { name = "add1", kind = "residual_add", skip = "embedding" },
  { name = "norm2", kind = "rms_norm" },
  { name = "up", kind = "dense", units = 8 },
  { name = "gelu", kind = "gelu" },
  { name = "down", kind = "dense", units = 4 },
  { name = "add2", kind = "residual_add", skip = "add1" },
  { name = "head", kind = "dense", units = 7, bias = false, tied = true },
  { name = "loss", kind = "softmax_cross_entropy" },
]
)";

const std::string gated_network = network_text("[2, 2, 2]", "3", R"(
  { name = "stem", kind = "convolution", filters = 4 },
  { name = "stem.norm", kind = "group_norm", groups = 2 },
  { name = "up", kind = "upsample", stride = 2 },
  { name = "gate", kind = "sigmoid" },
  { name = "product", kind = "multiply", skip = "up" },
  { name = "tokens", kind = "pixels_to_tokens" },
  { name = "heads", kind = "rms_norm", heads = 2 },
  { name = "class", kind = "class_token" },
  { name = "swiglu", kind = "swiglu" },
  { name = "mean", kind = "global_average_pool" },
  { name = "head", kind = "dense", units = 3 },
  { name = "loss", kind = "softmax_cross_entropy" },
)");

TEST_CASE("gradients flow through gates, products, groups, upsampling and a class token") {
  CHECK(share_of_wrong_gradients(small_network(gated_network), 1.0F / 512, 2e-3) == 0.0);
}

TEST_CASE("gradients flow through sums, concatenations and outputs that several layers read") {
  CHECK(share_of_wrong_gradients(small_network(residual_network), 1.0F / 256, 2e-3) == 0.0);
}

TEST_CASE("gradients flow through attention, normalisation and a head that shares the embedding's table") {
  CHECK(share_of_wrong_gradients(small_network(token_network), 1.0F / 1024, 2e-3, 5.0F) == 0.0);
}

LayerGraph with_frozen(const std::string& text, const std::vector<std::string>& names) {
  LayerGraph graph = small_network(text);
  for (Layer& layer : graph.layers) {
    for (const std::string& name : names) layer.frozen = layer.frozen || layer.name == name;
  }
  return graph;
}

TEST_CASE("frozen layers stay as they are and the others get the gradients they always got") {
  const LayerGraph whole_graph = small_network(residual_network);
  const LayerGraph frozen_graph = with_frozen(residual_network, {"stem", "stem.norm", "right"});
  const Samples samples = random_samples(whole_graph, 6, 11);
  RunNetwork all(whole_graph), part(frozen_graph);
  const Numbers expected = all.gradients(samples), actual = part.gradients(samples);
  std::size_t trained = 0;
  for (const NumberRange& range : part.plan().trainable()) {
    trained += range.count;
    for (std::size_t i = range.first; i < range.first + range.count; ++i) REQUIRE(actual[i] == expected[i]);
  }
  // stem 3 x 3 x 2 x 4, its norm 2 x 4, right 4 x 2 + 2.
  CHECK(trained == all.plan().parameter_count() - 72 - 8 - 10);
  TrainingStep step(std::make_shared<const ExecutionPlan>(frozen_graph), {});
  const Numbers before = part.weights;
  step.run(part.weights, whole(samples));
  for (const Layer& layer : frozen_graph.layers) {
    if (!layer.frozen) continue;
    const NumberRange range = part.plan().steps(layer.id.index()).parameters;
    for (std::size_t i = range.first; i < range.first + range.count; ++i) REQUIRE(part.weights[i] == before[i]);
  }
}

TEST_CASE("layers below the lowest that trains have no backward pass") {
  const LayerGraph graph = with_frozen(residual_network, {"stem", "stem.norm", "left", "left.norm", "right", "narrow"});
  const ExecutionPlan plan(graph);
  for (const Layer& layer : graph.layers) {
    if (layer.kind == LayerKind::softmax_cross_entropy) continue;
    CHECK(plan.steps(layer.id.index()).slot.has_value() == (layer.name == "head"));
  }
}

TEST_CASE("layers whose backward pass does not read what they overwrite share its memory") {
  const LayerGraph graph = small_network(residual_network);
  const ExecutionPlan plan(graph);
  const auto buffer_of = [&](const std::string& name) {
    for (const Layer& layer : graph.layers) {
      if (layer.name == name) return *plan.steps(layer.id.index()).buffer;
    }
    return std::size_t{99};
  };
  CHECK(buffer_of("stem.tanh") == buffer_of("stem.norm"));
  CHECK(buffer_of("stem.norm") != buffer_of("stem"));  // its backward pass reads its input
  CHECK(buffer_of("sum") == buffer_of("left.norm"));
  CHECK(buffer_of("sum.tanh") != buffer_of("sum"));  // "narrow" reads the sum as well
}

TEST_CASE("first weights have the spread of He initialisation and first biases are 0") {
  const RunNetwork network(two_hidden_layers());
  const std::span<const float> parameters(network.weights);
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

TEST_CASE("every shipped network of at most 50 million parameters can be executed, but Inception's oblong windows") {
  for (const std::string& name : network_names()) {
    const LayerGraph graph = load_network(name);
    if (parameters(graph) > 50'000'000 || name == "inception-v3") continue;
    INFO(name);
    CHECK(static_cast<std::int64_t>(ExecutionPlan(graph).parameter_count()) == parameters(graph));
  }
}

TEST_CASE("a network ends with its loss, and has no other") {
  const auto message_of = [](const LayerGraph& graph) -> std::string {
    try {
      const ExecutionPlan plan(graph);
    } catch (const InvalidInput& error) {
      return error.what();
    }
    return "";
  };
  CHECK(message_of(chain_network({1, 1, 8}, {{LayerKind::dense, {.channels = 8}}})) ==
        "small: layer \"dense1\": the last layer of an executed network is its loss");
  CHECK(message_of(chain_network({1, 1, 8}, {{LayerKind::softmax_cross_entropy, {}},
                                             {LayerKind::dense, {.channels = 8}},
                                             {LayerKind::softmax_cross_entropy, {}}})) ==
        "small: layer \"softmax_cross_entropy1\": softmax_cross_entropy comes last in an executed network");
}

}  // namespace
}  // namespace orrery
