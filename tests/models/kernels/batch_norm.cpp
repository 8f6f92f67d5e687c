// Batch normalisation by hand, over shards, and its running statistics.
#include <cmath>
#include <limits>
#include <span>

#include "tests/catch.hpp"
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/run_layer.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

Layer two_channels() {
  return small_layer(LayerKind::batch_norm, {1, 2, 2});
}

TEST_CASE("batch normalisation makes mean 0 and variance 1 of every channel, then scales and shifts") {
  RunLayer run(two_channels());
  // Channel 0: 1, 3, 1, 3 (mean 2, variance 1); channel 1: 0, 0, 20, 20 (mean 10, variance 100).
  const Numbers output = run.forward({2, 1, 5, -1}, {1, 0, 3, 0, 1, 20, 3, 20});
  const float one = 1.0F / std::sqrt(1.0F + 1e-5F), hundred = 10.0F / std::sqrt(100.0F + 1e-5F);
  const Numbers expected{5 - 2 * one, -1 - hundred, 5 + 2 * one, -1 - hundred,
                         5 - 2 * one, -1 + hundred, 5 + 2 * one, -1 + hundred};
  for (std::size_t i = 0; i < output.size(); ++i) CHECK(output[i] == Approx(expected[i]).margin(1e-6));
  // The gradient of the scale is the sum of dy x normalised x, that of the shift the sum of dy.
  const auto gradients = run.backward({1, 0, 2, 1, 3, 0, 4, 1});
  CHECK(gradients.parameters[0] == Approx((-1 + 2 - 3 + 4) * one));
  CHECK(std::abs(gradients.parameters[1]) < 1e-6);
  CHECK(gradients.parameters[2] == 10);
  CHECK(gradients.parameters[3] == 2);
}

TEST_CASE("a constant added to the input or the output's gradient changes nothing that comes back") {
  RunLayer run(two_channels());
  const Numbers parameters{1, 2, 0, 0};
  run.forward(parameters, {1, 0, 3, 0, 1, 20, 4, 25});
  const auto gradients = run.backward({1, 1, 1, 1, 1, 1, 1, 1});
  for (const float slope : gradients.input) CHECK(std::abs(slope) < 1e-6);
}

TEST_CASE("a step moves the running mean and the unbiased running variance by a tenth") {
  RunLayer run(two_channels());
  const Numbers parameters{1, 1, 0, 0};
  run.forward(parameters, {1, 0, 3, 0, 1, 20, 3, 20});
  // From means 0 and variances 1; the unbiased variances of 4 numbers are 4/3 and 400/3.
  const Numbers state = run.updated_state();
  REQUIRE(state.size() == 4);
  CHECK(state[0] == Approx(0.2));
  CHECK(state[1] == Approx(1.0));
  CHECK(state[2] == Approx(0.9 + 0.4 / 3));
  CHECK(state[3] == Approx(0.9 + 40.0 / 3));
}

TEST_CASE("evaluation uses the running statistics, whatever the batch") {
  RunLayer run(two_channels());
  const Numbers parameters{2, 1, 5, -1};
  run.context.mode = Mode::evaluation;
  const Numbers before = run.forward(parameters, {1, 2, 3, 4});  // means 0, variances 1
  const float scale = 1.0F / std::sqrt(1.0F + 1e-5F);
  CHECK(before[0] == Approx(5 + 2 * scale));
  CHECK(before[3] == Approx(-1 + 4 * scale));
  run.context.mode = Mode::training;
  run.forward(parameters, {1, 0, 3, 0, 1, 20, 3, 20});
  run.updated_state();
  run.context.mode = Mode::evaluation;
  const Numbers after = run.forward(parameters, {1, 2, 3, 4});
  CHECK(after[0] == Approx(5 + 2 * (1 - 0.2) / std::sqrt(0.9 + 0.4 / 3 + 1e-5)));
  CHECK(after[3] == Approx(-1 + (4 - 1.0) / std::sqrt(0.9 + 40.0 / 3 + 1e-5)));
}

TEST_CASE("first weights are 1 and 0, first statistics mean 0 and variance 1") {
  const auto kernel = make_layer_kernel(two_channels());
  Random random(1);
  Numbers parameters(4, 7.0F), state(4, 7.0F);
  kernel->initialise(parameters, random);
  kernel->initialise_state(state);
  CHECK(parameters == Numbers{1, 1, 0, 0});
  CHECK(state == Numbers{0, 0, 1, 1});
}

// Both passes over shards that wait for each other's sums, as a batch runner makes them.
struct Passes {
  Numbers output, parameter_gradient, input_gradient;
};

Passes in_shards(const Layer& layer, const Numbers& parameters, const Numbers& input, const Numbers& gradient,
                 const std::vector<std::int64_t>& shards) {
  const auto kernel = make_layer_kernel(layer);
  const auto count = static_cast<std::size_t>(layer.in.count());
  const auto sums = static_cast<std::size_t>(kernel->batch_sum_count());
  const auto samples = static_cast<std::int64_t>(input.size() / count);
  Passes passes{Numbers(input.size()), Numbers(parameters.size()), Numbers(input.size())};
  std::vector<double> totals(2 * sums), part(sums);
  Numbers scratch(static_cast<std::size_t>(kernel->scratch_count(samples)));
  const auto for_each_shard = [&](auto work) {
    std::int64_t first = 0;
    for (const std::int64_t size : shards) {
      work(first, size, static_cast<std::size_t>(first) * count, static_cast<std::size_t>(size) * count);
      first += size;
    }
  };
  const auto forward_data = [&](std::int64_t first, std::int64_t size, std::size_t at, std::size_t numbers) {
    ForwardData data{.samples = size, .parameters = parameters};
    data.input = std::span(input).subspan(at, numbers);
    data.output = std::span(passes.output).subspan(at, numbers);
    data.scratch = scratch;
    data.context = {.first_sample = first, .batch_samples = samples, .batch_sums = std::span(totals).first(sums)};
    return data;
  };
  const auto backward_data = [&](std::int64_t first, std::int64_t size, std::size_t at, std::size_t numbers) {
    BackwardData data{.samples = size, .parameters = parameters};
    data.input = std::span(input).subspan(at, numbers);
    data.output_gradient = std::span(gradient).subspan(at, numbers);
    data.input_gradient = std::span(passes.input_gradient).subspan(at, numbers);
    data.parameter_gradient = passes.parameter_gradient;
    data.parameter_update = Update::add;
    data.scratch = scratch;
    data.context = {.first_sample = first, .batch_samples = samples, .batch_sums = totals};
    return data;
  };
  for_each_shard([&](auto... shard) {
    kernel->forward_sums(forward_data(shard...), part);
    for (std::size_t i = 0; i < sums; ++i) totals[i] += part[i];
  });
  for_each_shard([&](auto... shard) { kernel->forward(forward_data(shard...)); });
  for_each_shard([&](auto... shard) {
    BackwardData data = backward_data(shard...);
    data.context.batch_sums = std::span(totals).first(sums);
    kernel->backward_sums(data, part);
    for (std::size_t i = 0; i < sums; ++i) totals[sums + i] += part[i];
  });
  for_each_shard([&](auto... shard) { kernel->backward(backward_data(shard...)); });
  return passes;
}

TEST_CASE("a batch in shards is normalised as one, forward and backward") {
  Random random(9);
  const auto normal = [&](std::size_t count) { return gradient_check::normal_numbers(count, 1.0F, random); };
  const Layer layer = small_layer(LayerKind::batch_norm, {3, 5, 12});
  const Numbers parameters = normal(24), input = normal(6 * 180), gradient = normal(6 * 180);
  const Passes whole = in_shards(layer, parameters, input, gradient, {6});
  const Passes parts = in_shards(layer, parameters, input, gradient, {4, 2});
  const auto same = [](const Numbers& a, const Numbers& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
    return worst < 5e-6;
  };
  CHECK(same(whole.output, parts.output));
  CHECK(same(whole.input_gradient, parts.input_gradient));
  CHECK(same(whole.parameter_gradient, parts.parameter_gradient));
  RunLayer run(layer);
  CHECK(run.forward(parameters, input) == whole.output);
  const auto gradients = run.backward(gradient);
  CHECK(gradients.input == whole.input_gradient);
  CHECK(gradients.parameters == whole.parameter_gradient);
}

TEST_CASE("a channel far from zero loses nothing: sums are in double") {
  RunLayer run(small_layer(LayerKind::batch_norm, {1, 1, 1}));
  // Around 4096 with deviation 1: squares around 2^24, where float32 counts in steps of 2.
  Numbers input;
  for (int i = 0; i < 1000; ++i) input.push_back(4096.0F + (i % 2 == 0 ? 1.0F : -1.0F));
  const Numbers output = run.forward({1, 0}, input);
  CHECK(output[0] == Approx(1.0).margin(1e-3));
  CHECK(output[1] == Approx(-1.0).margin(1e-3));
}

TEST_CASE("batch normalisation passes a NaN on to its channel alone") {
  RunLayer run(two_channels());
  const Numbers output = run.forward({1, 1, 0, 0}, {1, std::numeric_limits<float>::quiet_NaN(), 3, 0});
  CHECK(std::isnan(output[1]));
  CHECK(std::isnan(output[3]));
  CHECK(std::isfinite(output[0]));
}

}  // namespace
}  // namespace orrery
