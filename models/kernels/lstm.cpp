#include <algorithm>

#include "models/kernels/elementary.hpp"
#include "models/kernels/makers.hpp"
#include "models/kernels/recurrent.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000. At every token, from the sums z = W x + R
// h
// + b: i = s(z_i), f = s(z_f), g = tanh(z_g), o = s(z_o), c = f c + i g, h = o tanh(c).

/// One sample at one token: where the forward pass finds and puts its numbers.
struct Step {
  const float* bias = nullptr;
  const float* cell_before = nullptr;
  float* gates = nullptr;  // sums without bias; become i, f, g, o
  float *cell = nullptr, *hidden = nullptr, *output = nullptr;
};

void step_forward(std::int64_t h, const Step& step) {
  const float* __restrict bias = step.bias, * __restrict before = step.cell_before;
  float* __restrict input = step.gates, * __restrict forget = input + h, * __restrict candidate = forget + h, * __restrict exit = candidate + h;
  float* __restrict cell = step.cell, * __restrict hidden = step.hidden, * __restrict output = step.output;
#pragma omp simd
  for (std::int64_t j = 0; j < h; ++j) {
    input[j] = logistic(input[j] + bias[j]);
    forget[j] = logistic(forget[j] + bias[h + j]);
    candidate[j] = hyperbolic_tangent(candidate[j] + bias[2 * h + j]);
    exit[j] = logistic(exit[j] + bias[3 * h + j]);
    cell[j] = forget[j] * before[j] + input[j] * candidate[j];
    hidden[j] = output[j] = exit[j] * hyperbolic_tangent(cell[j]);
  }
}

/// And the backward pass.
struct StepBack {
  const float *cell_before = nullptr, *cell = nullptr, *gates = nullptr;
  const float* output_gradient = nullptr;  // of h from the layer above
  const float* from_later = nullptr;       // of h from the next token
  float* cell_gradient = nullptr;          // of c from the next token; becomes that of the c before
  float* gate_gradients = nullptr;         // of the four sums
};

void step_backward(std::int64_t h, const StepBack& step) {
  const float* __restrict input = step.gates, * __restrict forget = input + h, * __restrict candidate = forget + h, * __restrict exit = candidate + h;
  const float* __restrict before = step.cell_before, * __restrict cell = step.cell, * __restrict above = step.output_gradient, * __restrict later = step.from_later;
  float* __restrict of_cell = step.cell_gradient, * __restrict of_input = step.gate_gradients, * __restrict of_forget = of_input + h, * __restrict of_candidate = of_forget + h, * __restrict of_exit = of_candidate + h;
#pragma omp simd
  for (std::int64_t j = 0; j < h; ++j) {
    const float squashed = hyperbolic_tangent(cell[j]), of_hidden = above[j] + later[j];
    const float of_new_cell = of_cell[j] + of_hidden * exit[j] * (1.0F - squashed * squashed);
    of_exit[j] = of_hidden * squashed * exit[j] * (1.0F - exit[j]);
    of_input[j] = of_new_cell * candidate[j] * input[j] * (1.0F - input[j]);
    of_forget[j] = of_new_cell * before[j] * forget[j] * (1.0F - forget[j]);
    of_candidate[j] = of_new_cell * input[j] * (1.0F - candidate[j] * candidate[j]);
    of_cell[j] = of_new_cell * forget[j];
  }
}

class Lstm final : public LayerKernel {
 public:
  explicit Lstm(const Layer& layer)
      : tokens_(layer.in.height), in_(layer.in.channels), h_(layer.out.channels), products_{tokens_, in_, h_, 4 * h_} {
    ORRERY_EXPECT(layer.in.width == 1 && layer.out == (Shape{tokens_, 1, h_}));
  }

  [[nodiscard]] ParameterCount parameter_count() const override { return {products_.weights(), 4 * h_, in_ + h_}; }
  void initialise(std::span<float> parameters, Random& random) const override {
    initialise_recurrent(h_, parameters, random);
  }
  [[nodiscard]] std::int64_t kept_count() const override {
    return 4 * h_ * tokens_ + h_ * (tokens_ + 1) + h_ * tokens_;
  }
  [[nodiscard]] std::int64_t scratch_count(std::int64_t samples) const override {
    return samples * (tokens_ * (4 * h_ + in_) + 2 * h_);
  }

  void forward(const ForwardData& data) const override {
    const std::int64_t samples = data.samples, state = h_ * samples;
    const auto [gates, cells, hidden] = kept_of(data.kept.data(), samples);
    const float* bias = data.parameters.data() + products_.weights();
    products_.multiply_inputs(data, data.scratch.data(), gates);
    std::fill_n(cells, state, 0.0F);
    for (std::int64_t token = 0; token < tokens_; ++token) {
      float* sums = gates + 4 * state * token;
      if (token > 0) products_.multiply_hidden(data, hidden + state * (token - 1), Update::add, sums);
      for (std::int64_t sample = 0; sample < samples; ++sample) {
        const std::int64_t at = state * token + h_ * sample;
        step_forward(h_, {bias, cells + at, sums + 4 * h_ * sample, cells + state + at, hidden + at,
                          data.output.data() + (sample * tokens_ + token) * h_});
      }
    }
  }

  void backward(const BackwardData& data) const override {
    const std::int64_t samples = data.samples, state = h_ * samples;
    const auto [gates, cells, hidden] = kept_of(data.kept.data(), samples);
    float* gradients = data.scratch.data();
    float* from_later = gradients + 4 * state * tokens_;
    float* of_cells = from_later + state;
    std::fill_n(from_later, 2 * state, 0.0F);
    for (std::int64_t token = tokens_ - 1; token >= 0; --token) {
      for (std::int64_t sample = 0; sample < samples; ++sample) {
        const std::int64_t at = state * token + h_ * sample;
        step_backward(h_, {cells + at, cells + state + at, gates + 4 * at,
                           data.output_gradient.data() + (sample * tokens_ + token) * h_, from_later + h_ * sample,
                           of_cells + h_ * sample, gradients + 4 * at});
      }
      if (token > 0) products_.multiply_hidden_back(data, gradients + 4 * state * token, Update::overwrite, from_later);
    }
    products_.finish(data, {gradients, gradients}, hidden, of_cells + state);
    if (data.parameter_gradient.empty()) return;
    sum_columns(gradients, 4 * h_, samples * tokens_, data.parameter_update,
                data.parameter_gradient.data() + products_.weights());
  }

 private:
  /// All in token order.
  template <class Number>
  struct Kept {
    Number* gates;   // 4 h x samples tokens
    Number* cells;   // h x samples (tokens + 1): the zeros before the first token come first
    Number* hidden;  // h x samples tokens
  };
  template <class Number>
  [[nodiscard]] Kept<Number> kept_of(Number* kept, std::int64_t samples) const {
    const std::int64_t state = h_ * samples;
    return {kept, kept + 4 * state * tokens_, kept + 4 * state * tokens_ + state * (tokens_ + 1)};
  }

  std::int64_t tokens_, in_, h_;
  RecurrentProducts products_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_lstm(const Layer& layer) {
  return std::make_unique<Lstm>(layer);
}

}  // namespace orrery
