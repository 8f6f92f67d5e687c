// What layers that walk over the tokens share. A batch comes sample after sample; a walk needs, token after token, the
// columns of all samples side by side ("token order"), so that one step is one matrix product.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "models/kernels/columns.hpp"
#include "models/kernels/layer_kernel.hpp"
#include "sim/base/random.hpp"

namespace orrery {

/// to[token][sample] = from[sample][token], each a run of `features` numbers.
inline void into_token_order(const float* from, std::int64_t samples, std::int64_t tokens, std::int64_t features,
                             float* to) {
  for (std::int64_t token = 0; token < tokens; ++token) {
    for (std::int64_t sample = 0; sample < samples; ++sample, to += features) {
      std::copy_n(from + (sample * tokens + token) * features, features, to);
    }
  }
}

/// to[sample][token] = from[token][sample], or += that.
inline void out_of_token_order(const float* from, std::int64_t samples, std::int64_t tokens, std::int64_t features,
                               Update update, float* to) {
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    for (std::int64_t token = 0; token < tokens; ++token, to += features) {
      const float* column = from + (token * samples + sample) * features;
      if (update == Update::overwrite) {
        std::copy_n(column, features, to);
      } else {
        add_columns(column, features, 1, to);
      }
    }
  }
}

/// The products of a recurrent layer: with W (gates x in) for the inputs of all tokens at once, with R (gates x hidden)
/// for the hidden states one step before. Everything is in token order but the layer's own input and output.
struct RecurrentProducts {
  std::int64_t tokens = 0, in = 0, hidden = 0, gates = 0;

  [[nodiscard]] std::int64_t input_weights() const { return gates * in; }
  [[nodiscard]] std::int64_t weights() const { return gates * (in + hidden); }

  /// result (gates x samples tokens) = W input; work: in x samples tokens numbers.
  void multiply_inputs(const ForwardData& data, float* work, float* result) const {
    into_token_order(data.input.data(), data.samples, tokens, in, work);
    gemm({.rows = gates, .columns = data.samples * tokens, .inner = in}, data.parameters.data(), work, result);
  }
  /// result (gates x samples) = R before, or += that.
  void multiply_hidden(const ForwardData& data, const float* before, Update update, float* result) const {
    gemm({.rows = gates, .columns = data.samples, .inner = hidden, .update = update},
         data.parameters.data() + input_weights(), before, result);
  }
  /// result (hidden x samples) = R^T gradient, of the product with R at one token; or += that.
  void multiply_hidden_back(const BackwardData& data, const float* gradient, Update update, float* result) const {
    gemm({.rows = hidden, .columns = data.samples, .inner = gates, .left = Operand::transposed, .update = update},
         data.parameters.data() + input_weights(), gradient, result);
  }

  /// Gradients of the products at all tokens (gates x samples tokens each).
  struct Gradients {
    const float* of_inputs = nullptr;  // of W input
    const float* of_hidden = nullptr;  // of R hidden
  };
  /// The input's gradient, then those of W and R, where they are wanted. hidden_states: of all tokens; work: in x
  /// samples tokens numbers.
  void finish(const BackwardData& data, const Gradients& gradients, const float* hidden_states, float* work) const {
    const std::int64_t columns = data.samples * tokens;
    if (!data.input_gradient.empty()) {
      gemm({.rows = in, .columns = columns, .inner = gates, .left = Operand::transposed}, data.parameters.data(),
           gradients.of_inputs, work);
      out_of_token_order(work, data.samples, tokens, in, data.input_update, data.input_gradient.data());
    }
    if (data.parameter_gradient.empty()) return;
    float* to = data.parameter_gradient.data();
    into_token_order(data.input.data(), data.samples, tokens, in, work);
    gemm(
        {.rows = gates, .columns = in, .inner = columns, .right = Operand::transposed, .update = data.parameter_update},
        gradients.of_inputs, work, to);
    add_hidden_weights(data, gradients.of_hidden, hidden_states, to + input_weights());
  }

 private:
  /// The first token has no state before it.
  void add_hidden_weights(const BackwardData& data, const float* gradient, const float* hidden_states,
                          float* to) const {
    if (tokens > 1) {
      gemm({.rows = gates,
            .columns = hidden,
            .inner = data.samples * (tokens - 1),
            .right = Operand::transposed,
            .update = data.parameter_update},
           gradient + gates * data.samples, hidden_states, to);
    } else if (data.parameter_update == Update::overwrite) {
      std::fill_n(to, gates * hidden, 0.0F);
    }
  }
};

/// to = sum of the columns (rows x columns), or += that.
inline void sum_columns(const float* matrix, std::int64_t rows, std::int64_t columns, Update update, float* to) {
  if (update == Update::overwrite) std::fill_n(to, rows, 0.0F);
  add_columns(matrix, rows, columns, to);
}

/// As PyTorch: weights and biases uniform in +-1 / sqrt(hidden).
inline void initialise_recurrent(std::int64_t hidden, std::span<float> parameters, Random& random) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(hidden));
  for (float& parameter : parameters) parameter = static_cast<float>(random.uniform(-bound, bound));
}

}  // namespace orrery
