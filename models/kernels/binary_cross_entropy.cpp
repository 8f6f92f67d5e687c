#include "models/kernels/elementary.hpp"
#include "models/kernels/logistic_loss.hpp"
#include "models/kernels/pointwise_loss.hpp"

namespace orrery {
namespace {

struct LogisticCrossEntropy {
  static constexpr float boundary = 0.0F;
  static double value(float score, float target) {
    return logistic_loss(static_cast<double>(score), static_cast<double>(target));
  }
  static float slope(float score, float target) { return logistic(score) - target; }
};

}  // namespace

std::unique_ptr<Loss> make_binary_cross_entropy(const Layer& layer) {
  return std::make_unique<PointwiseLoss<LogisticCrossEntropy>>(layer);
}

}  // namespace orrery
