#include <Eigen/Core>

#include "models/kernels/makers.hpp"

namespace orrery {
namespace {

using Numbers = Eigen::Map<Eigen::ArrayXf>;
using ConstNumbers = Eigen::Map<const Eigen::ArrayXf>;

Numbers array_of(std::span<float> numbers) {
  return {numbers.data(), static_cast<Eigen::Index>(numbers.size())};
}
ConstNumbers array_of(std::span<const float> numbers) {
  return {numbers.data(), static_cast<Eigen::Index>(numbers.size())};
}

struct Relu {
  // Not max(x, 0): that would turn a NaN into 0 and hide a diverged network.
  static void value(const ConstNumbers& x, Numbers y) { y = (x < 0.0F).select(0.0F, x); }
  static void gradient(const ConstNumbers& y, const ConstNumbers& dy, Numbers dx) {
    dx = (y > 0.0F).select(dy, Eigen::ArrayXf::Zero(dy.size()));
  }
};

struct Tanh {
  static void value(const ConstNumbers& x, Numbers y) { y = x.tanh(); }
  static void gradient(const ConstNumbers& y, const ConstNumbers& dy, Numbers dx) { dx = dy * (1.0F - y * y); }
};

struct Sigmoid {
  static void value(const ConstNumbers& x, Numbers y) { y = x.logistic(); }
  static void gradient(const ConstNumbers& y, const ConstNumbers& dy, Numbers dx) { dx = dy * y * (1.0F - y); }
};

/// Function: its value, and its slope written in terms of that value.
template <class Function>
class Activation final : public LayerKernel {
 public:
  void forward(const ForwardData& data) override { Function::value(array_of(data.input), array_of(data.output)); }
  void backward(const BackwardData& data) override {
    if (data.input_gradient.empty()) return;
    Function::gradient(array_of(data.output), array_of(data.output_gradient), array_of(data.input_gradient));
  }
};

}  // namespace

std::unique_ptr<LayerKernel> make_relu(const Layer& /*layer*/) {
  return std::make_unique<Activation<Relu>>();
}
std::unique_ptr<LayerKernel> make_tanh(const Layer& /*layer*/) {
  return std::make_unique<Activation<Tanh>>();
}
std::unique_ptr<LayerKernel> make_sigmoid(const Layer& /*layer*/) {
  return std::make_unique<Activation<Sigmoid>>();
}

}  // namespace orrery
