// What layers that walk over the tokens share. A step of the walk is one matrix product: the columns of all samples at
// one token, which lie `tokens` columns apart.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "models/kernels/columns.hpp"
#include "models/kernels/layer_kernel.hpp"
#include "sim/base/random.hpp"

namespace orrery {

/// The products of a recurrent layer: with W (gates x in) for the inputs of all tokens at once, with R (gates x hidden)
/// for the hidden states one token before. Matrices have one column per sample and token, sample after sample; those of
/// one token are said by the matrix's first column of that token.
struct RecurrentProducts {
  std::int64_t tokens = 0, in = 0, hidden = 0, gates = 0;

  [[nodiscard]] std::int64_t input_weights() const { return gates * in; }
  [[nodiscard]] std::int64_t weights() const { return gates * (in + hidden); }
  [[nodiscard]] std::int64_t transposed_count() const { return gates * hidden; }

  /// result (gates x samples tokens) = W input
  void multiply_inputs(const ForwardData& data, float* result) const {
    gemm({.rows = gates, .columns = data.samples * tokens, .inner = in}, data.parameters.data(), data.input.data(),
         result);
  }

  /// At one token: result (gates, its columns `stride` numbers apart) = R before (hidden, one token earlier), or +=
  /// that.
  void multiply_hidden(const ForwardData& data, const float* before, Update update, std::int64_t stride,
                       float* result) const {
    gemm({.rows = gates,
          .columns = data.samples,
          .inner = hidden,
          .update = update,
          .right_stride = hidden * tokens,
          .result_stride = stride},
         data.parameters.data() + input_weights(), before, result);
  }

  /// transposed (transposed_count() numbers) = R^T: gemm() would do it anew at every token.
  void transpose_hidden_weights(const BackwardData& data, float* __restrict transposed) const {
    const float* __restrict from = data.parameters.data() + input_weights();
    for (std::int64_t gate = 0; gate < gates; ++gate) {
      for (std::int64_t i = 0; i < hidden; ++i) transposed[gate * hidden + i] = from[i * gates + gate];
    }
  }
  /// At one token: result (hidden x samples, without gaps) = R^T gradient (gates), or += that.
  void multiply_hidden_back(std::int64_t samples, const float* transposed, const float* gradient, Update update,
                            float* result) const {
    gemm({.rows = hidden, .columns = samples, .inner = gates, .update = update, .right_stride = gates * tokens},
         transposed, gradient, result);
  }

  void add_input_gradient(const BackwardData& data, const float* gradient) const {
    gemm({.rows = in,
          .columns = data.samples * tokens,
          .inner = gates,
          .left = Operand::transposed,
          .update = data.input_update},
         data.parameters.data(), gradient, data.input_gradient.data());
  }

  /// The gradient of W, from that of W input (gates x samples tokens).
  void add_input_weights(const BackwardData& data, const float* gradient) const {
    gemm({.rows = gates,
          .columns = in,
          .inner = data.samples * tokens,
          .right = Operand::transposed,
          .update = data.parameter_update},
         gradient, data.input.data(), data.parameter_gradient.data());
  }

  /// The gradient of R, from that of R hidden (gates x samples tokens), whose columns of the first tokens become 0: one
  /// product then pairs every column with the hidden state of the column before, and no sample with another.
  void add_hidden_weights(const BackwardData& data, float* gradient) const {
    for (std::int64_t sample = 0; sample < data.samples; ++sample) {
      std::fill_n(gradient + sample * tokens * gates, gates, 0.0F);
    }
    gemm({.rows = gates,
          .columns = hidden,
          .inner = data.samples * tokens - 1,
          .right = Operand::transposed,
          .update = data.parameter_update},
         gradient + gates, data.output.data(), data.parameter_gradient.data() + input_weights());
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
