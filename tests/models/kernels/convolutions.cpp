// Convolutions against their definition, on shapes for every way that they are computed.
#include <algorithm>
#include <cmath>
#include <span>

#include "models/kernels/parallel.hpp"
#include "sim/base/contract.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/image_layers.hpp"
#include "tests/models/kernels/run_layer.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

Numbers numbers(std::int64_t count, std::uint64_t seed) {
  Random random(seed);
  return gradient_check::normal_numbers(static_cast<std::size_t>(count), 1.0F, random);
}

// The largest difference, in units of what rounding allows: sums of `terms` products of numbers around 1.
double worst(const Numbers& found, const std::vector<double>& expected, double terms) {
  REQUIRE(found.size() == expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) largest = std::max(largest, std::abs(found[i] - expected[i]));
  return largest / (1e-6 * std::sqrt(terms) + 1e-7 * terms);
}

void check_against_definition(const Layer& layer, std::int64_t samples) {
  INFO(to_text(layer.in) << " -> " << to_text(layer.out) << " kernel " << layer.kernel << " stride " << layer.stride
                         << " padding " << layer.padding << " groups " << layer.groups << " samples " << samples);
  RunLayer run(layer);
  const Numbers parameters = numbers(static_cast<std::int64_t>(run.parameters()), 1);
  const Numbers input = numbers(samples * layer.in.count(), 2), gradient = numbers(samples * layer.out.count(), 3);
  const ConvolutionPasses expected = convolve(layer, parameters, input, gradient);
  const std::int64_t window = layer.kernel * layer.kernel, channels = layer.in.channels / layer.groups;
  const auto patch = static_cast<double>(window * channels);
  const auto uses = static_cast<double>(samples * layer.out.height * layer.out.width);
  CHECK(worst(run.forward(parameters, input), expected.output, patch) < 10);
  const auto found = run.backward(gradient);
  CHECK(worst(found.parameters, expected.parameter_gradient, uses) < 10);
  const std::int64_t filters = layer.out.channels / layer.groups;
  const auto reached = static_cast<double>(window * filters);
  CHECK(worst(found.input, expected.input_gradient, reached) < 10);
}

TEST_CASE("convolutions of every size of network agree with their definition") {
  check_against_definition(convolution_layer({28, 28, 1}, {.channels = 6, .kernel = 5, .padding = 2}), 3);
  check_against_definition(convolution_layer({28, 28, 1}, {.channels = 32, .kernel = 5, .padding = 2}), 2);
  check_against_definition(convolution_layer({14, 14, 32}, {.channels = 64, .kernel = 5, .padding = 2}), 2);
  check_against_definition(convolution_layer({14, 14, 6}, {.channels = 16, .kernel = 5}), 3);
  check_against_definition(convolution_layer({32, 32, 3}, {.channels = 64, .padding = 1, .bias = false}), 1);
  check_against_definition(convolution_layer({16, 16, 64}, {.channels = 64, .padding = 1, .bias = false}), 2);
  check_against_definition(convolution_layer({16, 16, 64}, {.channels = 128, .stride = 2, .padding = 1}), 1);
  check_against_definition(convolution_layer({28, 28, 16}, {.channels = 24, .stride = 2, .padding = 1}), 2);
  check_against_definition(convolution_layer({56, 56, 3}, {.channels = 16, .stride = 2, .padding = 1}), 1);
}

TEST_CASE("small images share a product, whatever their number") {
  for (const std::int64_t samples : {1, 2, 7, 8, 19}) {
    check_against_definition(convolution_layer({4, 4, 40}, {.channels = 48, .padding = 1, .bias = false}), samples);
    check_against_definition(convolution_layer({7, 5, 3}, {.channels = 9, .kernel = 2, .stride = 3}), samples);
    check_against_definition(convolution_layer({5, 3, 17}, {.channels = 20, .kernel = 1}), samples);
  }
}

TEST_CASE("convolutions in groups see the channels of their group alone") {
  for (const std::int64_t groups : {2, 3, 6}) {
    for (const std::int64_t kernel : {1, 3}) {
      check_against_definition(
          convolution_layer({9, 8, 6}, {.channels = 12, .kernel = kernel, .padding = kernel / 2, .groups = groups}), 5);
      check_against_definition(
          convolution_layer({9, 8, 6}, {.channels = 6, .kernel = kernel, .stride = 2, .groups = groups, .bias = false}),
          3);
    }
  }
}

TEST_CASE("depthwise convolutions agree with their definition for every number of channels and width of a vector") {
  for (const std::int64_t channels : {2, 8, 15, 16, 33, 64}) {
    for (const std::int64_t kernel : {1, 2, 3, 5}) {
      for (const std::int64_t stride : {1, 2}) {
        check_against_definition(convolution_layer({7, 9, channels}, {.channels = channels,
                                                                      .kernel = kernel,
                                                                      .stride = stride,
                                                                      .padding = kernel / 2,
                                                                      .groups = channels,
                                                                      .bias = stride == 1}),
                                 2);
      }
    }
  }
}

// The shapes take the ways of the test above: direct, patches, one window per pixel, groups, depthwise, and back.
std::vector<Layer> one_layer_of_each_kind() {
  return {convolution_layer({14, 14, 8}, {.channels = 16, .padding = 1}),
          convolution_layer({4, 4, 40}, {.channels = 48, .padding = 1}),
          convolution_layer({6, 6, 8}, {.channels = 16, .kernel = 1}),
          convolution_layer({6, 6, 8}, {.channels = 16, .groups = 4}),
          convolution_layer({6, 6, 8}, {.channels = 8, .padding = 1, .groups = 8}),
          convolution_layer({6, 6, 8}, {.channels = 4, .stride = 2}, LayerKind::transposed_convolution)};
}

TEST_CASE("gradients added to the weights themselves are those of the weights before") {
  for (const Layer& layer : one_layer_of_each_kind()) {
    INFO(layer.name << " " << to_text(layer.in) << " groups " << layer.groups);
    RunLayer run(layer);
    const Numbers parameters = numbers(static_cast<std::int64_t>(run.parameters()), 4);
    const Numbers input = numbers(3 * layer.in.count(), 5), gradient = numbers(3 * layer.out.count(), 6);
    const Numbers output = run.forward(parameters, input);
    const auto apart = run.backward(gradient);
    Numbers weights = parameters, input_gradient(input.size());
    Numbers scratch(static_cast<std::size_t>(run.kernel().scratch_count(3)));
    BackwardData data{.samples = 3, .parameters = weights, .input = input, .output = output, .scratch = scratch};
    data.output_gradient = gradient;
    data.parameter_gradient = weights;
    data.input_gradient = input_gradient;
    data.parameter_update = Update::add;
    run.kernel().backward(data);
    CHECK(input_gradient == apart.input);
    Numbers sums = apart.parameters;
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += parameters[i];
    gradient_check::check_added(sums, weights, 0.0F);
  }
}

TEST_CASE("what nobody needs is not computed, and what is needed does not change by that") {
  for (const Layer& layer : one_layer_of_each_kind()) {
    INFO(layer.name << " " << to_text(layer.in) << " groups " << layer.groups);
    RunLayer run(layer);
    const Numbers parameters = numbers(static_cast<std::int64_t>(run.parameters()), 4);
    const Numbers input = numbers(2 * layer.in.count(), 5), gradient = numbers(2 * layer.out.count(), 6);
    const Numbers output = run.forward(parameters, input);
    const auto both = run.backward(gradient);
    Numbers scratch(static_cast<std::size_t>(run.kernel().scratch_count(2)));
    Numbers frozen_input(input.size()), first_parameters(parameters.size());
    BackwardData frozen{.samples = 2, .parameters = parameters, .input = input, .output = output, .scratch = scratch};
    frozen.output_gradient = gradient;
    BackwardData first = frozen;
    frozen.input_gradient = frozen_input;
    first.parameter_gradient = first_parameters;
    run.kernel().backward(frozen);
    run.kernel().backward(first);
    CHECK(frozen_input == both.input);
    CHECK(first_parameters == both.parameters);
  }
}

TEST_CASE("threads that share a convolution compute the same bits as one") {
  for (const Layer& layer : one_layer_of_each_kind()) {
    INFO(layer.name << " " << to_text(layer.in) << " groups " << layer.groups);
    const auto kernel = make_layer_kernel(layer);
    const ParameterCount count = kernel->parameter_count();
    const Numbers parameters = numbers(count.weights + count.biases, 7), input = numbers(4 * layer.in.count(), 8);
    constexpr std::size_t shards = 8;
    const auto run = [&](std::size_t workers) {
      std::vector<Numbers> outputs(shards, Numbers(static_cast<std::size_t>(4 * layer.out.count())));
      for_each_task(shards, workers, [&](std::size_t task, std::size_t /*worker*/) {
        Numbers scratch(static_cast<std::size_t>(kernel->scratch_count(4)));
        ForwardData data{.samples = 4, .parameters = parameters, .input = input, .output = outputs[task]};
        data.scratch = scratch;
        kernel->forward(data);
      });
      return outputs;
    };
    const auto one = run(1), two = run(2);
    for (std::size_t shard = 0; shard < shards; ++shard) {
      CHECK(one[shard] == one[0]);
      CHECK(two[shard] == one[0]);
    }
  }
}

TEST_CASE("a transposed convolution adds every pixel's window to its output") {
  // One channel, W = (1 2; 3 4), b = 10. Stride 2: windows side by side.
  RunLayer apart(convolution_layer({1, 2, 1}, {.kernel = 2, .stride = 2}, LayerKind::transposed_convolution));
  CHECK(apart.forward({1, 2, 3, 4, 10}, {1, 10}) == Numbers{11, 12, 20, 30, 13, 14, 40, 50});
  const auto gradients = apart.backward({1, 0, 1, 0, 0, 0, 0, 1});
  CHECK(gradients.parameters == Numbers{11, 0, 0, 10, 3});  // dW: 1 x (1 0; 0 0) + 10 x (1 0; 0 1)
  CHECK(gradients.input == Numbers{1, 5});
  // Stride 1: the middle column belongs to both windows.
  RunLayer overlapping(convolution_layer({1, 2, 1}, {.kernel = 2, .bias = false}, LayerKind::transposed_convolution));
  CHECK(overlapping.forward({1, 2, 3, 4}, {1, 10}) == Numbers{1, 12, 20, 3, 34, 40});
}

TEST_CASE("the weights of a transposed convolution stand by in channel, then window, then out channel") {
  // 2 in channels, 2 out channels, kernel 1: W = (1 3; 2 4) by in x out channel; y = W^T x.
  RunLayer layer(
      convolution_layer({1, 1, 2}, {.channels = 2, .kernel = 1, .bias = false}, LayerKind::transposed_convolution));
  CHECK(layer.forward({1, 2, 3, 4}, {1, 10}) == Numbers{21, 43});
}

TEST_CASE("the first weights of a transposed convolution spread by the inputs that reach an output") {
  const auto kernel = make_layer_kernel(convolution_layer(
      {4, 4, 16}, {.channels = 8, .kernel = 4, .stride = 2, .padding = 1}, LayerKind::transposed_convolution));
  CHECK(kernel->parameter_count().weights == 16 * 16 * 8);
  CHECK(kernel->parameter_count().biases == 8);
  CHECK(kernel->parameter_count().fan_in == 16 * 4);  // every output pixel lies in 2 x 2 windows
}

TEST_CASE("a convolution whose output does not fit its input is refused") {
  Layer layer = convolution_layer({6, 6, 2}, {.channels = 2});
  layer.out.height = 6;
  CHECK_THROWS_AS(make_layer_kernel(layer), ContractViolation);
}

}  // namespace
}  // namespace orrery
