#include "models/cost/kineto_roles.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>

#include "models/cost/kineto_steps.hpp"

namespace orrery {
namespace {

using enum LayerKind;
using Roles = std::map<std::string, OpRole, std::less<>>;
constexpr OpRole::Weight strong = OpRole::Weight::strong, weak = OpRole::Weight::weak;

/// Names as PyTorch 1.8 to 2.x give them, without "aten::" and the "_" of operators in place.
const Roles& forward_roles() {
  static const Roles roles = {
      {"linear", {strong, {dense}}},
      {"addmm", {strong, {dense}}},
      {"mm", {strong, {dense}}},
      {"matmul", {strong, {dense, attention}}},
      {"conv2d", {strong, {convolution}}},
      {"convolution", {strong, {convolution, transposed_convolution}}},
      {"conv_transpose2d", {strong, {transposed_convolution}}},
      {"max_pool2d", {strong, {max_pool}}},
      {"avg_pool2d", {strong, {average_pool}}},
      {"adaptive_avg_pool2d", {strong, {global_average_pool}}},
      {"mean", {weak, {global_average_pool, rms_norm}}},
      {"batch_norm", {strong, {batch_norm}}},
      {"layer_norm", {strong, {layer_norm}}},
      {"rms_norm", {strong, {rms_norm}}},
      {"rsqrt", {weak, {rms_norm}}},
      {"square", {weak, {rms_norm}}},
      {"pow", {weak, {rms_norm}}},
      {"relu", {strong, {relu}}},
      {"clamp_min", {weak, {relu}}},
      {"tanh", {strong, {tanh}}},
      {"sigmoid", {strong, {sigmoid, detection_loss, binary_cross_entropy}}},
      {"gelu", {strong, {gelu}}},
      {"silu", {strong, {silu}}},
      {"dropout", {weak, {dropout}}},
      {"native_dropout", {weak, {dropout}}},
      {"embedding", {strong, {embedding, position_embedding}}},
      {"lstm", {strong, {lstm}}},
      {"gru", {strong, {gru}}},
      {"bmm", {strong, {attention}}},
      {"baddbmm", {strong, {attention}}},
      {"softmax", {weak, {attention}}},
      {"scaled_dot_product_attention", {strong, {attention}}},
      {"add", {weak, {residual_add, position_embedding}}},
      {"cat", {weak, {concatenate}}},
      {"concat", {weak, {concatenate}}},
      {"cross_entropy_loss", {strong, {softmax_cross_entropy}}},
      {"log_softmax", {strong, {softmax_cross_entropy, detection_loss}}},
      {"nll_loss", {strong, {softmax_cross_entropy}}},
      {"nll_loss_nd", {strong, {softmax_cross_entropy}}},
      {"mse_loss", {strong, {mean_squared_error}}},
      {"binary_cross_entropy", {strong, {binary_cross_entropy}}},
      {"binary_cross_entropy_with_logits", {strong, {binary_cross_entropy}}},
      {"softplus", {weak, {detection_loss}}},
  };
  return roles;
}

/// Gradient functions without "Backward0". Where PyTorch has no recurrent kernel (its CPU builds until 2.0), an LSTM's
/// backward pass is the single operators of every token.
const Roles& backward_roles() {
  static const Roles roles = {
      {"Addmm", {strong, {dense, lstm, gru}}},
      {"Mm", {strong, {dense, lstm, gru}}},
      {"Linear", {strong, {dense, lstm, gru}}},
      {"Convolution", {strong, {convolution, transposed_convolution}}},
      {"MaxPool2DWithIndices", {strong, {max_pool}}},
      {"MkldnnMaxPool2D", {strong, {max_pool}}},
      {"AvgPool2D", {strong, {average_pool}}},
      {"AdaptiveAvgPool2D", {strong, {global_average_pool}}},
      {"Mean", {weak, {global_average_pool, rms_norm}}},
      {"NativeBatchNorm", {strong, {batch_norm}}},
      {"CudnnBatchNorm", {strong, {batch_norm}}},
      {"MiopenBatchNorm", {strong, {batch_norm}}},
      {"NativeLayerNorm", {strong, {layer_norm}}},
      {"FusedRmsNorm", {strong, {rms_norm}}},
      {"Rsqrt", {weak, {rms_norm}}},
      {"Pow", {weak, {rms_norm}}},
      {"Relu", {strong, {relu}}},
      {"Threshold", {strong, {relu}}},
      {"ClampMin", {weak, {relu}}},
      {"Tanh", {strong, {tanh, lstm, gru}}},
      {"Sigmoid", {strong, {sigmoid, lstm, gru, detection_loss, binary_cross_entropy}}},
      {"Gelu", {strong, {gelu}}},
      {"Silu", {strong, {silu}}},
      {"NativeDropout", {weak, {dropout}}},
      {"FusedDropout", {weak, {dropout}}},
      {"Mul", {weak, {dropout, rms_norm, lstm, gru}}},
      {"Embedding", {strong, {embedding, position_embedding}}},
      {"UnsafeSplit", {weak, {lstm, gru}}},
      {"UnsafeChunk", {weak, {lstm, gru}}},
      {"MkldnnRnnLayer", {strong, {lstm, gru}}},
      {"CudnnRnn", {strong, {lstm, gru}}},
      {"MiopenRnn", {strong, {lstm, gru}}},
      {"ThnnFusedLstmCell", {strong, {lstm}}},
      {"ThnnFusedGruCell", {strong, {gru}}},
      {"Bmm", {strong, {attention}}},
      {"Baddbmm", {strong, {attention}}},
      {"Softmax", {weak, {attention}}},
      {"ScaledDotProductFlashAttention", {strong, {attention}}},
      {"ScaledDotProductFlashAttentionForCpu", {strong, {attention}}},
      {"ScaledDotProductEfficientAttention", {strong, {attention}}},
      {"ScaledDotProductCudnnAttention", {strong, {attention}}},
      {"Add", {weak, {residual_add, position_embedding, lstm, gru}}},
      {"Cat", {weak, {concatenate}}},
      {"NllLoss", {strong, {softmax_cross_entropy}}},
      {"NllLoss2D", {strong, {softmax_cross_entropy}}},
      {"LogSoftmax", {strong, {softmax_cross_entropy, detection_loss}}},
      {"MseLoss", {strong, {mean_squared_error}}},
      {"BinaryCrossEntropy", {strong, {binary_cross_entropy}}},
      {"BinaryCrossEntropyWithLogits", {strong, {binary_cross_entropy}}},
      {"Softplus", {weak, {detection_loss}}},
      // An operator in place on a view of its input.
      {"torch::autograd::CopySlices", {weak, {relu, tanh, sigmoid, gelu, silu, dropout, residual_add}}},
      // The gradient of a weight, and of its transposition, once the layer's own is there.
      {"torch::autograd::AccumulateGrad", {OpRole::Weight::follows_up, {}}},
      {"T", {OpRole::Weight::follows_up, {}}},
  };
  return roles;
}

OpRole role_in(const Roles& roles, std::string_view name) {
  const auto found = roles.find(name);
  return found == roles.end() ? OpRole{} : found->second;
}

}  // namespace

bool OpRole::can_be(LayerKind kind) const {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

OpRole forward_role(std::string_view op) {
  if (op.starts_with("aten::")) op.remove_prefix(6);
  if (op.ends_with('_')) op.remove_suffix(1);
  return role_in(forward_roles(), op);
}

OpRole backward_role(std::string_view op) {
  if (!op.starts_with(backward_prefix)) return {};
  op.remove_prefix(backward_prefix.size());
  while (!op.empty() && std::isdigit(static_cast<unsigned char>(op.back())) != 0) op.remove_suffix(1);
  if (op.ends_with("Backward")) op.remove_suffix(8);
  return role_in(backward_roles(), op);
}

bool is_composite(LayerKind kind) {
  return kind == attention || kind == rms_norm || kind == lstm || kind == gru || kind == detection_loss;
}

bool may_be_silent(LayerKind kind) {
  return is_view(kind) || kind == last_token || kind == dropout;
}

}  // namespace orrery
