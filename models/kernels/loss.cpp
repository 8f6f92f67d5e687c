#include "models/kernels/loss.hpp"

#include <array>

#include "models/kernels/detection.hpp"
#include "models/kernels/losses.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

struct Row {
  LayerKind kind;
  std::unique_ptr<Loss> (*make)(const Layer&);
};

// A new loss is one file and one line here.
constexpr std::array table = {
    Row{LayerKind::softmax_cross_entropy, make_softmax_cross_entropy},
    Row{LayerKind::mean_squared_error, make_mean_squared_error},
    Row{LayerKind::binary_cross_entropy, make_binary_cross_entropy},
    Row{LayerKind::detection_loss, make_detection_loss},
};

}  // namespace

std::unique_ptr<Loss> make_loss(const Layer& layer) {
  for (const Row& row : table) {
    if (row.kind == layer.kind) return row.make(layer);
  }
  ORRERY_EXPECT(is_loss(layer.kind));
  return nullptr;
}

}  // namespace orrery
