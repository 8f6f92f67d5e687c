// LSTM, GRU and the choice of the last token.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "tests/catch.hpp"
#include "tests/models/kernels/gradient_check.hpp"
#include "tests/models/kernels/run_layer.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

constexpr std::array kinds = {LayerKind::lstm, LayerKind::gru};

struct Sizes {
  std::int64_t tokens = 1, in = 1, hidden = 1;
};

Layer recurrent(LayerKind kind, const Sizes& sizes) {
  return small_layer(kind, {sizes.tokens, 1, sizes.in}, {.channels = sizes.hidden});
}

Numbers random_numbers(std::size_t count, float spread = 1.0F, std::uint64_t seed = 9) {
  Random random(seed);
  return gradient_check::normal_numbers(count, spread, random);
}

/// A column of numbers in double.
using Column = std::vector<double>;

/// The layer's equations as they are printed, one sample at a time.
struct Plain {
  Sizes sizes;
  std::size_t gates = 0;
  const Numbers& parameters;

  /// Row of W x.
  [[nodiscard]] double of_input(std::size_t row, const float* x) const {
    double sum = 0;
    const auto in = static_cast<std::size_t>(sizes.in);
    for (std::size_t k = 0; k < in; ++k) sum += static_cast<double>(parameters[k * rows() + row]) * x[k];
    return sum;
  }
  /// Row of R h.
  [[nodiscard]] double of_hidden(std::size_t row, const Column& h) const {
    double sum = 0;
    const std::size_t first = rows() * static_cast<std::size_t>(sizes.in);
    for (std::size_t k = 0; k < h.size(); ++k) sum += static_cast<double>(parameters[first + k * rows() + row]) * h[k];
    return sum;
  }
  [[nodiscard]] double bias(std::size_t row) const {
    return parameters[rows() * static_cast<std::size_t>(sizes.in + sizes.hidden) + row];
  }
  [[nodiscard]] std::size_t rows() const { return gates * hidden(); }
  [[nodiscard]] std::size_t hidden() const { return static_cast<std::size_t>(sizes.hidden); }
};

double squash(double x) {
  return 1 / (1 + std::exp(-x));
}

void plain_lstm_step(const Plain& plain, const float* x, Column& h, Column& c) {
  const Column before = h;
  for (std::size_t j = 0; j < h.size(); ++j) {
    const auto sum = [&](std::size_t gate) {
      const std::size_t row = gate * h.size() + j;
      return plain.of_input(row, x) + plain.of_hidden(row, before) + plain.bias(row);
    };
    c[j] = squash(sum(1)) * c[j] + squash(sum(0)) * std::tanh(sum(2));
    h[j] = squash(sum(3)) * std::tanh(c[j]);
  }
}

void plain_gru_step(const Plain& plain, const float* x, Column& h, Column& /*c*/) {
  const Column before = h;
  for (std::size_t j = 0; j < h.size(); ++j) {
    const auto p = [&](std::size_t gate) {
      return plain.of_input(gate * h.size() + j, x) + plain.bias(gate * h.size() + j);
    };
    const auto q = [&](std::size_t gate) {
      return plain.of_hidden(gate * h.size() + j, before) + plain.bias(plain.rows() + gate * h.size() + j);
    };
    const double reset = squash(p(0) + q(0)), update = squash(p(1) + q(1));
    h[j] = (1 - update) * std::tanh(p(2) + reset * q(2)) + update * before[j];
  }
}

/// Hidden states of all tokens of all samples.
Column plain_states(LayerKind kind, const Sizes& sizes, const Numbers& parameters, const Numbers& input) {
  const Plain plain{sizes, kind == LayerKind::lstm ? std::size_t{4} : std::size_t{3}, parameters};
  const auto in = static_cast<std::size_t>(sizes.in);
  Column states;
  Column h, c;
  for (std::size_t step = 0; step < input.size() / in; ++step) {
    if (step % static_cast<std::size_t>(sizes.tokens) == 0) h = c = Column(plain.hidden(), 0.0);
    (kind == LayerKind::lstm ? plain_lstm_step : plain_gru_step)(plain, &input[step * in], h, c);
    states.insert(states.end(), h.begin(), h.end());
  }
  return states;
}

TEST_CASE("an LSTM computes its equations, worked out by hand for two tokens and one unit") {
  // Without hidden state: i = 1/2, f = 3/4, g = 1/2, o = 1/4, so c = 1/4. Then R adds (ln 3) / 2 to the sum of g, which
  // becomes tanh(ln 3) = 4/5, so c = 3/4 * 1/4 + 1/2 * 4/5 = 47/80.
  const float ln3 = std::log(3.0F), first = 0.25F * std::tanh(0.25F);
  const Numbers of_input{0, ln3, ln3 / 2, 0}, of_hidden{0, 0, ln3 / 2 / first, 0}, bias{0, 0, 0, -ln3};
  Numbers parameters = of_input;
  parameters.insert(parameters.end(), of_hidden.begin(), of_hidden.end());
  parameters.insert(parameters.end(), bias.begin(), bias.end());
  const Numbers output = RunLayer(recurrent(LayerKind::lstm, {.tokens = 2})).forward(parameters, {1, 1});
  CHECK(output[0] == Approx(first));
  CHECK(output[1] == Approx(0.25 * std::tanh(47.0 / 80)));
}

TEST_CASE("a GRU computes its equations, worked out by hand for two tokens and one unit") {
  // Without hidden state: r = 1/2, u = 3/4, n = tanh(r ln 3) = 1/2, so h = 1/8. Then q_n = 8 ln 3 / 8 + ln 3, so n =
  // tanh(ln 3) = 4/5 and h = 1/4 * 4/5 + 3/4 * 1/8 = 47/160.
  const float ln3 = std::log(3.0F);
  const Numbers parameters{0, ln3, 0, 0, 0, 8 * ln3, 0, 0, 0, 0, 0, ln3};  // W, R, biases of W, biases of R
  const Numbers output = RunLayer(recurrent(LayerKind::gru, {.tokens = 2})).forward(parameters, {1, 1});
  CHECK(output[0] == Approx(1.0 / 8));
  CHECK(output[1] == Approx(47.0 / 160));
}

TEST_CASE("recurrent layers of all sizes agree with their equations, one product at a time, in double") {
  for (const LayerKind kind : kinds) {
    for (const Sizes& sizes : {Sizes{1, 1, 1}, Sizes{1, 3, 5}, Sizes{4, 2, 3}, Sizes{7, 5, 16}, Sizes{28, 28, 33}}) {
      for (const std::size_t samples : {std::size_t{1}, std::size_t{2}, std::size_t{9}}) {
        RunLayer run(recurrent(kind, sizes));
        INFO(name_of(kind) << " " << sizes.tokens << " " << sizes.in << " " << sizes.hidden << " " << samples);
        const Numbers parameters = random_numbers(run.parameters(), 0.3F);
        const Numbers input = random_numbers(samples * static_cast<std::size_t>(sizes.tokens * sizes.in), 1.0F, 4);
        const Numbers output = run.forward(parameters, input);
        const Column expected = plain_states(kind, sizes, parameters, input);
        REQUIRE(output.size() == expected.size());
        double worst = 0;
        for (std::size_t i = 0; i < output.size(); ++i) worst = std::max(worst, std::abs(output[i] - expected[i]));
        CHECK(worst < 3e-6);
      }
    }
  }
}

TEST_CASE("the parameters of recurrent layers are those that the graph counts, and PyTorch's bound holds for all") {
  for (const LayerKind kind : kinds) {
    const Layer layer = recurrent(kind, {.tokens = 3, .in = 7, .hidden = 16});
    const auto kernel = make_layer_kernel(layer);
    const ParameterCount count = kernel->parameter_count();
    CHECK(count.weights == weights(layer));
    CHECK(count.weights + count.biases == parameters(layer));
    Numbers first(static_cast<std::size_t>(count.weights + count.biases), 9.0F);
    Random random(1);
    kernel->initialise(first, random);
    CHECK(*std::max_element(first.begin(), first.end()) <= 0.25F);  // 1 / sqrt(16)
    CHECK(*std::min_element(first.begin(), first.end()) >= -0.25F);
    CHECK(*std::max_element(first.begin(), first.end()) > 0.24F);
    CHECK(*std::min_element(first.begin(), first.end()) < -0.24F);
  }
}

TEST_CASE("the gradients of recurrent layers agree with finite differences") {
  for (const LayerKind kind : kinds) {
    for (const std::size_t samples : {std::size_t{1}, std::size_t{3}}) {
      const GradientOptions options{.samples = samples, .spread = 0.7F};
      check_gradients(recurrent(kind, {1, 1, 1}), options);
      check_gradients(recurrent(kind, {1, 4, 3}), options);
      check_gradients(recurrent(kind, {2, 1, 2}), options);
      check_gradients(recurrent(kind, {5, 3, 4}), options);
      check_gradients(recurrent(kind, {3, 2, 17}), options);
    }
  }
}

TEST_CASE("later tokens and other samples change nothing of what was said before") {
  for (const LayerKind kind : kinds) {
    RunLayer run(recurrent(kind, {.tokens = 3, .in = 2, .hidden = 4}));
    const Numbers parameters = random_numbers(run.parameters());
    Numbers input = random_numbers(3 * 3 * 2);
    const Numbers before = run.forward(parameters, input);
    input[10] += 1.0F;  // the last token of the second sample
    const Numbers after = run.forward(parameters, input);
    for (std::size_t i = 0; i < before.size(); ++i) {
      CHECK((before[i] != after[i]) == (i >= 20 && i < 24));
    }
  }
}

TEST_CASE("no number goes on through the tokens of its own sample, and to no other") {
  for (const LayerKind kind : kinds) {
    RunLayer run(recurrent(kind, {.tokens = 3, .in = 2, .hidden = 2}));
    const Numbers parameters = random_numbers(run.parameters());
    Numbers input = random_numbers(std::size_t{2} * 3 * 2);
    input[2] = std::numeric_limits<float>::quiet_NaN();  // the second token of the first sample
    const Numbers output = run.forward(parameters, input);
    for (std::size_t i = 0; i < output.size(); ++i) CHECK(std::isnan(output[i]) == (i >= 2 && i < 6));
    const Numbers gradient = run.backward(Numbers(output.size(), 1.0F)).parameters;
    CHECK(std::any_of(gradient.begin(), gradient.end(), [](float g) { return std::isnan(g); }));
  }
}

TEST_CASE("huge sums saturate the gates without overflow") {
  for (const LayerKind kind : kinds) {
    RunLayer run(recurrent(kind, {.tokens = 2, .in = 1, .hidden = 2}));
    const Numbers output = run.forward(Numbers(run.parameters(), 1e4F), {1e4F, -1e4F});
    const Numbers gradient = run.backward(Numbers(output.size(), 1.0F)).parameters;
    for (const float number : output) CHECK(std::abs(number) <= 1.0F);
    for (const float number : gradient) CHECK(std::isfinite(number));
  }
}

/// Everything that a backward pass reads, and where it writes.
struct Pass {
  explicit Pass(const Layer& layer)
      : kernel(make_layer_kernel(layer)),
        parameters(random_numbers(static_cast<std::size_t>(orrery::parameters(layer)), 0.5F)),
        input(random_numbers(samples * static_cast<std::size_t>(layer.in.count()))),
        output(samples * static_cast<std::size_t>(layer.out.count())),
        kept(samples * static_cast<std::size_t>(kernel->kept_count())),
        scratch(static_cast<std::size_t>(kernel->scratch_count(samples))),
        output_gradient(random_numbers(output.size(), 1.0F, 2)) {
    kernel->forward({samples, parameters, {}, input, output, {}, kept, scratch});
  }
  BackwardData data() { return {samples, parameters, {}, input, output, {}, kept, scratch, output_gradient}; }

  static constexpr std::int64_t samples = 2;
  std::unique_ptr<LayerKernel> kernel;
  Numbers parameters, input, output, kept, scratch, output_gradient;
};

TEST_CASE("a frozen recurrent layer hands its gradient on, and a first layer keeps its own") {
  for (const LayerKind kind : kinds) {
    Pass pass(recurrent(kind, {.tokens = 3, .in = 2, .hidden = 4}));
    Numbers of_parameters(pass.parameters.size()), of_input(pass.input.size());
    BackwardData both = pass.data();
    both.parameter_gradient = of_parameters;
    both.input_gradient = of_input;
    pass.kernel->backward(both);
    Numbers alone(pass.input.size());
    BackwardData frozen = pass.data();
    frozen.input_gradient = alone;
    pass.kernel->backward(frozen);
    CHECK(alone == of_input);
    alone.resize(pass.parameters.size());
    BackwardData first = pass.data();
    first.parameter_gradient = alone;
    pass.kernel->backward(first);
    CHECK(alone == of_parameters);
  }
}

TEST_CASE("a recurrent layer whose gradient is added to its own parameters uses them before") {
  for (const LayerKind kind : kinds) {
    Pass pass(recurrent(kind, {.tokens = 3, .in = 2, .hidden = 4}));
    Numbers of_parameters(pass.parameters.size()), of_input(pass.input.size()), in_place_input(pass.input.size());
    BackwardData apart = pass.data();
    apart.parameter_gradient = of_parameters;
    apart.input_gradient = of_input;
    pass.kernel->backward(apart);
    const Numbers before = pass.parameters;
    BackwardData in_place = pass.data();
    in_place.parameter_gradient = pass.parameters;
    in_place.parameter_update = Update::add;
    in_place.input_gradient = in_place_input;
    pass.kernel->backward(in_place);
    CHECK(in_place_input == of_input);
    for (std::size_t i = 0; i < before.size(); ++i) {
      CHECK(pass.parameters[i] == Approx(before[i] + of_parameters[i]).margin(1e-5));
    }
  }
}

TEST_CASE("the last token is the last of each sample, and its gradient reaches no other") {
  Layer layer = small_layer(LayerKind::last_token, {3, 1, 2});
  layer.out = {1, 1, 2};
  RunLayer run(layer);
  CHECK(run.forward({}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}) == Numbers{5, 6, 11, 12});
  CHECK(run.backward({1, 2, 3, 4}).input == Numbers{0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 4});
  CHECK(run.backward({1, 2, 3, 4}, Update::add, 1.0F).input == Numbers{1, 1, 1, 1, 2, 3, 1, 1, 1, 1, 4, 5});
  check_gradients(layer);
}

}  // namespace
}  // namespace orrery
