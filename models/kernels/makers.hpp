// The constructors behind the table in layer_kernel.cpp, one per layer.
#pragma once

#include <memory>

#include "models/kernels/layer_kernel.hpp"

namespace orrery {

/// output = W input + b at every position; W: out x in, column-major. Tied: W is the transpose of the embedding's
/// table.
std::unique_ptr<LayerKernel> make_dense(const Layer& layer);
/// Cross-correlation with zero padding; W: out channels x (kernel row, kernel column, in channel of the group),
/// column-major; groups work on runs of channels, one group per channel is depthwise.
std::unique_ptr<LayerKernel> make_convolution(const Layer& layer);
/// The transpose of a convolution: every input pixel adds W^T x to a window of the output; W: in channels x (kernel
/// row, kernel column, out channel), column-major.
std::unique_ptr<LayerKernel> make_transposed_convolution(const Layer& layer);
/// Largest value of each window, channel by channel; windows are cut at the border. Ties go to the first.
std::unique_ptr<LayerKernel> make_max_pool(const Layer& layer);
/// Mean of each window, channel by channel; padding counts as zeros (PyTorch's count_include_pad).
std::unique_ptr<LayerKernel> make_average_pool(const Layer& layer);
/// Mean over all positions, channel by channel.
std::unique_ptr<LayerKernel> make_global_average_pool(const Layer& layer);
/// Scale and shift per channel of (x - mean) / sqrt(variance + 1e-5), over all samples and positions of the batch;
/// evaluation uses running averages (momentum 0.1, unbiased variance), kept as state: means, then variances.
std::unique_ptr<LayerKernel> make_batch_norm(const Layer& layer);
std::unique_ptr<LayerKernel> make_layer_norm(const Layer& layer);  // per position: scale (x - mean) / deviation + shift
std::unique_ptr<LayerKernel> make_rms_norm(const Layer& layer);    // per position: scale x / sqrt(mean(x^2) + 1e-6)
std::unique_ptr<LayerKernel> make_relu(const Layer& layer);        // max(x, 0); slope 0 at 0
std::unique_ptr<LayerKernel> make_tanh(const Layer& layer);        // tanh(x)
std::unique_ptr<LayerKernel> make_sigmoid(const Layer& layer);     // 1 / (1 + exp(-x))
std::unique_ptr<LayerKernel> make_gelu(const Layer& layer);        // x Phi(x), Phi the normal distribution function
std::unique_ptr<LayerKernel> make_silu(const Layer& layer);        // x / (1 + exp(-x))
std::unique_ptr<LayerKernel> make_swiglu(const Layer& layer);      // silu(a) b of channels a, b side by side
std::unique_ptr<LayerKernel> make_geglu(const Layer& layer);       // gelu(a) b
std::unique_ptr<LayerKernel> make_multiply(const Layer& layer);    // input x second
std::unique_ptr<LayerKernel> make_upsample(const Layer& layer);    // every pixel stride x stride times
/// Scale and shift per channel of (x - mean) / deviation, over all positions and the channels of a group of one sample.
std::unique_ptr<LayerKernel> make_group_norm(const Layer& layer);
std::unique_ptr<LayerKernel> make_class_token(const Layer& layer);  // a trained token after those of the input
/// Training: each number is 0 with probability `rate`, else divided by 1 - rate; a draw depends on seed, layer, sample
/// and place alone. Evaluation: the same numbers.
std::unique_ptr<LayerKernel> make_dropout(const Layer& layer);
/// Sum of the rows of the tables that each token (its number as a float), its position and segment 0 choose. Tables:
/// hidden x vocabulary, hidden x positions, hidden x segments, column-major.
std::unique_ptr<LayerKernel> make_embedding(const Layer& layer);
/// Row n of table n, for the n-th number of the input: tables one after the other, each units x rows, column-major.
std::unique_ptr<LayerKernel> make_embedding_tables(const Layer& layer);
std::unique_ptr<LayerKernel> make_position_embedding(const Layer& layer);  // adds a trained vector per position
/// Multi-head attention on queries, keys and values side by side, or, across, on queries and on keys and values side by
/// side (`second`): heads x head size, kv_heads x head size, kv_heads x value size channels. Online softmax over blocks
/// of keys: memory linear in the tokens. Query heads share key heads in runs (grouped queries).
std::unique_ptr<LayerKernel> make_attention(const Layer& layer);
/// Long short-term memory over the tokens, from zero states; output: the hidden state of every token. Gates in the
/// order input, forget, cell, output; W: 4h x in, then R: 4h x h, column-major; one bias 4h.
std::unique_ptr<LayerKernel> make_lstm(const Layer& layer);
/// Gated recurrent unit, reset gate after the product (cuDNN's and PyTorch's form). Gates in the order reset, update,
/// new; W: 3h x in, then R: 3h x h; biases 3h of W, then 3h of R.
std::unique_ptr<LayerKernel> make_gru(const Layer& layer);
std::unique_ptr<LayerKernel> make_last_token(const Layer& layer);  // the last position of a sequence
/// The same numbers under another shape (flatten, rows_to_tokens, pixels_to_tokens, tokens_to_pixels, reshape).
std::unique_ptr<LayerKernel> make_view(const Layer& layer);
std::unique_ptr<LayerKernel> make_slice(const Layer& layer);            // a run of the channels of every position
std::unique_ptr<LayerKernel> make_channel_shuffle(const Layer& layer);  // channels of `groups` runs in turn
std::unique_ptr<LayerKernel> make_residual_add(const Layer& layer);     // input + second
std::unique_ptr<LayerKernel> make_add_vector(const Layer& layer);       // the vector `second` added at every position
/// input, then x_i . x_j for i = 1, ..., N and j < i: x_0 is the input, x_1, ..., x_N are the vectors of `second`.
std::unique_ptr<LayerKernel> make_dot_interaction(const Layer& layer);
std::unique_ptr<LayerKernel> make_concatenate(const Layer& layer);  // channels of input, then of second, per position

}  // namespace orrery
