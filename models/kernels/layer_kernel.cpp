#include "models/kernels/layer_kernel.hpp"

#include <fmt/format.h>

#include <array>

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
    Row{LayerKind::max_pool, make_max_pool},
    Row{LayerKind::average_pool, make_average_pool},
    Row{LayerKind::global_average_pool, make_global_average_pool},
    Row{LayerKind::relu, make_relu},
    Row{LayerKind::tanh, make_tanh},
    Row{LayerKind::sigmoid, make_sigmoid},
    Row{LayerKind::flatten, make_flatten},
};

Maker maker_of(LayerKind kind) {
  for (const Row& row : table) {
    if (row.kind == kind) return row.make;
  }
  return nullptr;
}

}  // namespace

std::string why_not_executable(const Layer& layer) {
  const bool loss = layer.kind == LayerKind::softmax_cross_entropy;
  if (!loss && maker_of(layer.kind) == nullptr) {
    return fmt::format("{} has no executable implementation", name_of(layer.kind));
  }
  if (layer.tied) return "tied weights cannot be executed";
  if (layer.kind == LayerKind::dense && layer.in.height * layer.in.width != 1) {
    return fmt::format("a dense layer over {} positions cannot be executed, only over one vector (flatten first)",
                       layer.in.height * layer.in.width);
  }
  if (layer.kind == LayerKind::convolution && layer.groups != 1) {
    return fmt::format("a convolution in {} groups cannot be executed, only one in 1 group", layer.groups);
  }
  if (layer.kind == LayerKind::average_pool && layer.padding != 0) {
    return fmt::format("average pooling with padding {} cannot be executed, only with padding 0", layer.padding);
  }
  return {};
}

std::unique_ptr<LayerKernel> make_layer_kernel(const Layer& layer) {
  ORRERY_EXPECT(why_not_executable(layer).empty());
  const Maker make = maker_of(layer.kind);
  ORRERY_EXPECT(make != nullptr);
  return make(layer);
}

}  // namespace orrery
