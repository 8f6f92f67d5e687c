#include "models/kernels/layer_kernel.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

using Maker = std::unique_ptr<LayerKernel> (*)(const Layer&);

struct Row {
  LayerKind kind;
  Maker make;
};

// A new layer is one file and one line here.
constexpr std::array table = {
    Row{LayerKind::dense, make_dense},
    Row{LayerKind::convolution, make_convolution},
    Row{LayerKind::transposed_convolution, make_transposed_convolution},
    Row{LayerKind::max_pool, make_max_pool},
    Row{LayerKind::average_pool, make_average_pool},
    Row{LayerKind::global_average_pool, make_global_average_pool},
    Row{LayerKind::batch_norm, make_batch_norm},
    Row{LayerKind::layer_norm, make_layer_norm},
    Row{LayerKind::rms_norm, make_rms_norm},
    Row{LayerKind::relu, make_relu},
    Row{LayerKind::tanh, make_tanh},
    Row{LayerKind::sigmoid, make_sigmoid},
    Row{LayerKind::gelu, make_gelu},
    Row{LayerKind::silu, make_silu},
    Row{LayerKind::swiglu, make_swiglu},
    Row{LayerKind::geglu, make_geglu},
    Row{LayerKind::multiply, make_multiply},
    Row{LayerKind::upsample, make_upsample},
    Row{LayerKind::group_norm, make_group_norm},
    Row{LayerKind::class_token, make_class_token},
    Row{LayerKind::dropout, make_dropout},
    Row{LayerKind::embedding, make_embedding},
    Row{LayerKind::embedding_tables, make_embedding_tables},
    Row{LayerKind::position_embedding, make_position_embedding},
    Row{LayerKind::attention, make_attention},
    Row{LayerKind::cross_attention, make_attention},
    Row{LayerKind::lstm, make_lstm},
    Row{LayerKind::gru, make_gru},
    Row{LayerKind::last_token, make_last_token},
    Row{LayerKind::flatten, make_view},
    Row{LayerKind::rows_to_tokens, make_view},
    Row{LayerKind::pixels_to_tokens, make_view},
    Row{LayerKind::tokens_to_pixels, make_view},
    Row{LayerKind::reshape, make_view},
    Row{LayerKind::slice, make_slice},
    Row{LayerKind::channel_shuffle, make_channel_shuffle},
    Row{LayerKind::residual_add, make_residual_add},
    Row{LayerKind::add_vector, make_add_vector},
    Row{LayerKind::dot_interaction, make_dot_interaction},
    Row{LayerKind::concatenate, make_concatenate},
};

/// Row numbers are inputs, and float32 counts no further without gaps.
constexpr std::int64_t most_rows = std::int64_t{1} << 24;

}  // namespace

void LayerKernel::initialise(std::span<float> parameters, Random& random) const {
  const ParameterCount count = parameter_count();
  const double deviation = std::sqrt(2.0 / static_cast<double>(count.fan_in));
  const auto weights = parameters.first(static_cast<std::size_t>(count.weights));
  for (float& weight : weights) weight = static_cast<float>(deviation * random.normal());
  std::fill(parameters.begin() + count.weights, parameters.end(), 0.0F);
}

std::string why_not_executed(const Layer& layer) {
  if (is_loss(layer.kind)) return {};
  const bool known = std::any_of(table.begin(), table.end(), [&](const Row& at) { return at.kind == layer.kind; });
  if (!known) return "has no kernel";
  if (layer.kernel_width > 0) return "has windows, steps or padding that differ in height and width";
  if (std::any_of(layer.tables.begin(), layer.tables.end(), [](std::int64_t rows) { return rows > most_rows; })) {
    return "has a table of more than 16777216 rows, whose numbers its kernel's float32 cannot tell apart";
  }
  if (layer.kind != LayerKind::attention && layer.kind != LayerKind::cross_attention) return {};
  if (layer.rate > 0) return "drops scores, which its kernel does not";
  if (layer.positions > 0) return "has a table of relative positions, which its kernel has not";
  if (layer.queries > 0 || layer.distance_size > 0)
    return "asks of a memory or by distances, which its kernel does not";
  if (layer.window > 0 || layer.sinks) return "has a window or sinks, which its kernel has not";
  return layer.shared_size > 0 ? "has keys that heads share in part, which its kernel has not" : std::string();
}

std::unique_ptr<LayerKernel> make_layer_kernel(const Layer& layer) {
  const auto row = std::find_if(table.begin(), table.end(), [&](const Row& at) { return at.kind == layer.kind; });
  ORRERY_EXPECT(row != table.end());  // the losses are no layer kernels
  return row->make(layer);
}

}  // namespace orrery
