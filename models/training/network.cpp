#include "models/training/network.hpp"

#include <utility>

#include "models/training/layer_stack.hpp"

namespace orrery {

struct Network::Impl {
  explicit Impl(const LayerGraph& graph)
      : stack(graph), parameters(stack.parameter_count()), gradients(stack.parameter_count()) {}
  LayerStack stack;
  AlignedVector parameters, gradients;
};

Network::Network(const LayerGraph& graph, Random& random) : impl_(std::make_unique<Impl>(graph)) {
  impl_->stack.initialise(impl_->parameters, random);
}
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

std::span<float> Network::parameters() {
  return impl_->parameters;
}
std::span<const float> Network::parameters() const {
  return impl_->parameters;
}
std::span<float> Network::gradients() {
  return impl_->gradients;
}
const LayerGraph& Network::graph() const {
  return impl_->stack.graph();
}

BatchResult Network::evaluate(std::span<const float> inputs, std::span<const std::int32_t> labels) {
  return impl_->stack.forward(impl_->parameters, {inputs, labels});
}

BatchResult Network::forward_backward(std::span<const float> inputs, std::span<const std::int32_t> labels) {
  return impl_->stack.forward_backward(impl_->parameters, {inputs, labels}, static_cast<double>(labels.size()),
                                       impl_->gradients);
}

void Network::set_timer(LayerTimer timer) {
  impl_->stack.set_timer(std::move(timer));
}

}  // namespace orrery
