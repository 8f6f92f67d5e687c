#include "models/kernels/pointwise_loss.hpp"

namespace orrery {
namespace {

struct SquaredError {
  static constexpr float boundary = 0.5F;
  static double value(float score, float target) {
    const double error = static_cast<double>(score) - static_cast<double>(target);
    return error * error;
  }
  static float slope(float score, float target) { return 2.0F * (score - target); }
};

}  // namespace

std::unique_ptr<Loss> make_mean_squared_error(const Layer& layer) {
  return std::make_unique<PointwiseLoss<SquaredError>>(layer);
}

}  // namespace orrery
