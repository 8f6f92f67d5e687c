#include <algorithm>

#include "models/kernels/elementary.hpp"
#include "models/kernels/makers.hpp"
#include "models/kernels/recurrent.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

// Cho et al. 2014, in the form of cuDNN and PyTorch. At every token, from p = W x + b and q = R h + c: r = s(p_r +
// q_r), u = s(p_u + q_u), n = tanh(p_n + r q_n), h = (1 - u) n + u h.

/// One sample at one token: where the forward pass finds and puts its numbers.
struct Step {
  const float *input_bias = nullptr, *hidden_bias = nullptr;
  const float* of_hidden = nullptr;  // R h, three gates
  const float* before = nullptr;     // h of the token before
  float* gates = nullptr;            // W x; become r, u, n
  float* new_of_hidden = nullptr;    // kept: q_n
  float* output = nullptr;
};

void step_forward(std::int64_t h, const Step& step) {
  const float *b = step.input_bias, *c = step.hidden_bias, *q = step.of_hidden, *before = step.before;
  float *reset = step.gates, *update = reset + h, *fresh = update + h;
  float *new_of_hidden = step.new_of_hidden, *output = step.output;
#pragma omp simd
  for (std::int64_t j = 0; j < h; ++j) {
    reset[j] = logistic((reset[j] + b[j]) + (q[j] + c[j]));
    update[j] = logistic((update[j] + b[h + j]) + (q[h + j] + c[h + j]));
    new_of_hidden[j] = q[2 * h + j] + c[2 * h + j];
    fresh[j] = hyperbolic_tangent((fresh[j] + b[2 * h + j]) + reset[j] * new_of_hidden[j]);
    output[j] = (1.0F - update[j]) * fresh[j] + update[j] * before[j];
  }
}

/// And the backward pass.
struct StepBack {
  const float *before = nullptr, *gates = nullptr, *new_of_hidden = nullptr;
  const float* output_gradient = nullptr;  // of h from the layer above
  float* hidden_gradient = nullptr;        // of h from the next token; becomes the part of the h before by u h
  float *of_inputs = nullptr, *of_hidden = nullptr;  // of p and q
};

void step_backward(std::int64_t h, const StepBack& step) {
  const float *reset = step.gates, *update = reset + h, *fresh = update + h, *new_of_hidden = step.new_of_hidden;
  const float *before = step.before, *above = step.output_gradient;
  float *carried = step.hidden_gradient, *of_inputs = step.of_inputs, *of_hidden = step.of_hidden;
#pragma omp simd
  for (std::int64_t j = 0; j < h; ++j) {
    const float of_state = above[j] + carried[j];
    const float of_new = of_state * (1.0F - update[j]) * (1.0F - fresh[j] * fresh[j]);
    const float of_update = of_state * (before[j] - fresh[j]) * update[j] * (1.0F - update[j]);
    const float of_reset = of_new * new_of_hidden[j] * reset[j] * (1.0F - reset[j]);
    of_inputs[j] = of_hidden[j] = of_reset;
    of_inputs[h + j] = of_hidden[h + j] = of_update;
    of_inputs[2 * h + j] = of_new;
    of_hidden[2 * h + j] = of_new * reset[j];
    carried[j] = of_state * update[j];
  }
}

class Gru final : public LayerKernel {
 public:
  explicit Gru(const Layer& layer)
      : tokens_(layer.in.height), in_(layer.in.channels), h_(layer.out.channels), products_{tokens_, in_, h_, 3 * h_} {
    ORRERY_EXPECT(layer.in.width == 1 && layer.out == (Shape{tokens_, 1, h_}));
  }

  [[nodiscard]] ParameterCount parameter_count() const override { return {products_.weights(), 6 * h_, in_ + h_}; }
  void initialise(std::span<float> parameters, Random& random) const override {
    initialise_recurrent(h_, parameters, random);
  }
  [[nodiscard]] bool backward_reads_output() const override { return true; }
  [[nodiscard]] std::int64_t kept_count() const override { return 4 * h_ * tokens_; }
  [[nodiscard]] std::int64_t scratch_count(std::int64_t samples) const override {
    return samples * h_ * (6 * tokens_ + 1) + products_.transposed_count() + h_ + 3 * h_ * samples;
  }

  void forward(const ForwardData& data) const override {
    const std::int64_t samples = data.samples;
    const auto [gates, new_of_hidden] = kept_of(data.kept.data(), samples);
    const float* bias = data.parameters.data() + products_.weights();
    float* zeros = data.scratch.data();  // the state before the first token
    float* of_hidden = zeros + h_;
    std::fill_n(zeros, h_ + 3 * h_ * samples, 0.0F);
    products_.multiply_inputs(data, gates);
    for (std::int64_t token = 0; token < tokens_; ++token) {
      if (token > 0) {
        const float* earlier = data.output.data() + (token - 1) * h_;
        products_.multiply_hidden(data, earlier, Update::overwrite, 3 * h_, of_hidden);
      }
      for (std::int64_t sample = 0; sample < samples; ++sample) {
        const std::int64_t at = (sample * tokens_ + token) * h_;
        float* output = data.output.data() + at;
        step_forward(h_, {bias, bias + 3 * h_, of_hidden + 3 * h_ * sample, token > 0 ? output - h_ : zeros,
                          gates + 3 * at, new_of_hidden + at, output});
      }
    }
  }

  void backward(const BackwardData& data) const override {
    const std::int64_t state = h_ * data.samples;
    float* of_inputs = data.scratch.data();
    float* of_hidden = of_inputs + 3 * state * tokens_;
    float* carried = of_hidden + 3 * state * tokens_;
    float* zeros = carried + state;
    walk_back(data, {of_inputs, of_hidden, carried, zeros, zeros + h_});
    if (!data.input_gradient.empty()) products_.add_input_gradient(data, of_inputs);
    if (data.parameter_gradient.empty()) return;
    float* of_bias = data.parameter_gradient.data() + products_.weights();
    products_.add_input_weights(data, of_inputs);
    sum_columns(of_inputs, 3 * h_, data.samples * tokens_, data.parameter_update, of_bias);
    sum_columns(of_hidden, 3 * h_, data.samples * tokens_, data.parameter_update, of_bias + 3 * h_);
    products_.add_hidden_weights(data, of_hidden);
  }

 private:
  struct Scratch {
    float *of_inputs, *of_hidden;  // gradients of p and q: 3 h x samples tokens
    float* carried;                // of h from the next token: h x samples
    float* zeros;                  // h: the state before the first token
    float* transposed;             // R^T
  };
  void walk_back(const BackwardData& data, const Scratch& scratch) const {
    const auto [gates, new_of_hidden] = kept_of(data.kept.data(), data.samples);
    std::fill_n(scratch.carried, h_ * data.samples + h_, 0.0F);
    products_.transpose_hidden_weights(data, scratch.transposed);
    for (std::int64_t token = tokens_ - 1; token >= 0; --token) {
      for (std::int64_t sample = 0; sample < data.samples; ++sample) {
        const std::int64_t at = (sample * tokens_ + token) * h_;
        step_backward(h_, {token > 0 ? data.output.data() + at - h_ : scratch.zeros, gates + 3 * at, new_of_hidden + at,
                           data.output_gradient.data() + at, scratch.carried + h_ * sample, scratch.of_inputs + 3 * at,
                           scratch.of_hidden + 3 * at});
      }
      if (token == 0) break;
      products_.multiply_hidden_back(data.samples, scratch.transposed, scratch.of_hidden + 3 * h_ * token, Update::add,
                                     scratch.carried);
    }
  }

  template <class Number>
  struct Kept {
    Number* gates;          // r, u, n: 3 h x samples tokens
    Number* new_of_hidden;  // q_n: h x samples tokens
  };
  template <class Number>
  [[nodiscard]] Kept<Number> kept_of(Number* kept, std::int64_t samples) const {
    return {kept, kept + 3 * h_ * samples * tokens_};
  }

  std::int64_t tokens_, in_, h_;
  RecurrentProducts products_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_gru(const Layer& layer) {
  return std::make_unique<Gru>(layer);
}

}  // namespace orrery
