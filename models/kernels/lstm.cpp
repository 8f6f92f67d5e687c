#include <algorithm>

#include "models/kernels/elementary.hpp"
#include "models/kernels/makers.hpp"
#include "models/kernels/recurrent.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000. At every token, from the sums z of W x,
// R h and b: i = s(z_i), f = s(z_f), g = tanh(z_g), o = s(z_o), c = f c + i g, h = o tanh(c).

/// One sample at one token: where the forward pass finds and puts its numbers.
struct Step {
  const float* bias = nullptr;
  const float* cell_before = nullptr;
  float* gates = nullptr;  // sums without bias; become i, f, g, o
  float *cell = nullptr, *output = nullptr;
};

void step_forward(std::int64_t h, const Step& step) {
  const float *bias = step.bias, *before = step.cell_before;
  float *input = step.gates, *forget = input + h, *candidate = forget + h, *exit = candidate + h;
  float *cell = step.cell, *output = step.output;
#pragma omp simd
  for (std::int64_t j = 0; j < h; ++j) {
    input[j] = logistic(input[j] + bias[j]);
    forget[j] = logistic(forget[j] + bias[h + j]);
    candidate[j] = hyperbolic_tangent(candidate[j] + bias[2 * h + j]);
    exit[j] = logistic(exit[j] + bias[3 * h + j]);
    cell[j] = forget[j] * before[j] + input[j] * candidate[j];
    output[j] = exit[j] * hyperbolic_tangent(cell[j]);
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
  const float *input = step.gates, *forget = input + h, *candidate = forget + h, *exit = candidate + h;
  const float *before = step.cell_before, *cell = step.cell;
  const float *above = step.output_gradient, *later = step.from_later;
  float *of_input = step.gate_gradients, *of_forget = of_input + h, *of_candidate = of_forget + h;
  float *of_exit = of_candidate + h, *of_cell = step.cell_gradient;
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
  [[nodiscard]] bool backward_reads_output() const override { return true; }
  [[nodiscard]] std::int64_t kept_count() const override { return 5 * h_ * tokens_; }
  [[nodiscard]] std::int64_t scratch_count(std::int64_t samples) const override {
    return samples * h_ * (4 * tokens_ + 2) + products_.transposed_count() + h_;
  }

  void forward(const ForwardData& data) const override {
    const auto [gates, cells] = kept_of(data.kept.data(), data.samples);
    const float* bias = data.parameters.data() + products_.weights();
    float* zeros = data.scratch.data();  // the cells before the first token
    std::fill_n(zeros, h_, 0.0F);
    products_.multiply_inputs(data, gates);
    for (std::int64_t token = 0; token < tokens_; ++token) {
      if (token > 0) {
        const float* earlier = data.output.data() + (token - 1) * h_;
        products_.multiply_hidden(data, earlier, Update::add, 4 * h_ * tokens_, gates + 4 * h_ * token);
      }
      for (std::int64_t sample = 0; sample < data.samples; ++sample) {
        const std::int64_t at = (sample * tokens_ + token) * h_;
        step_forward(h_,
                     {bias, token > 0 ? cells + at - h_ : zeros, gates + 4 * at, cells + at, data.output.data() + at});
      }
    }
  }

  void backward(const BackwardData& data) const override {
    const std::int64_t state = h_ * data.samples;
    float* gradients = data.scratch.data();
    float* from_later = gradients + 4 * state * tokens_;
    float* zeros = from_later + 2 * state;
    walk_back(data, {gradients, from_later, from_later + state, zeros, zeros + h_});
    if (!data.input_gradient.empty()) products_.add_input_gradient(data, gradients);
    if (data.parameter_gradient.empty()) return;
    products_.add_input_weights(data, gradients);
    sum_columns(gradients, 4 * h_, data.samples * tokens_, data.parameter_update,
                data.parameter_gradient.data() + products_.weights());
    products_.add_hidden_weights(data, gradients);
  }

 private:
  struct Scratch {
    float* gradients;              // of the sums: 4 h x samples tokens
    float *from_later, *of_cells;  // of h and c from the next token: h x samples each
    float* zeros;                  // h: the cells before the first token
    float* transposed;             // R^T
  };
  void walk_back(const BackwardData& data, const Scratch& scratch) const {
    const auto [gates, cells] = kept_of(data.kept.data(), data.samples);
    std::fill_n(scratch.from_later, 2 * h_ * data.samples + h_, 0.0F);  // of_cells and zeros follow
    products_.transpose_hidden_weights(data, scratch.transposed);
    for (std::int64_t token = tokens_ - 1; token >= 0; --token) {
      for (std::int64_t sample = 0; sample < data.samples; ++sample) {
        const std::int64_t at = (sample * tokens_ + token) * h_;
        step_backward(h_, {token > 0 ? cells + at - h_ : scratch.zeros, cells + at, gates + 4 * at,
                           data.output_gradient.data() + at, scratch.from_later + h_ * sample,
                           scratch.of_cells + h_ * sample, scratch.gradients + 4 * at});
      }
      if (token == 0) break;
      products_.multiply_hidden_back(data.samples, scratch.transposed, scratch.gradients + 4 * h_ * token,
                                     Update::overwrite, scratch.from_later);
    }
  }

  template <class Number>
  struct Kept {
    Number* gates;  // 4 h x samples tokens
    Number* cells;  // h x samples tokens
  };
  template <class Number>
  [[nodiscard]] Kept<Number> kept_of(Number* kept, std::int64_t samples) const {
    return {kept, kept + 4 * h_ * samples * tokens_};
  }

  std::int64_t tokens_, in_, h_;
  RecurrentProducts products_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_lstm(const Layer& layer) {
  return std::make_unique<Lstm>(layer);
}

}  // namespace orrery
