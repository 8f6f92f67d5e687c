#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class View final : public LayerKernel {
 public:
  explicit View(const Layer& layer) { ORRERY_EXPECT(layer.in.count() == layer.out.count()); }
  [[nodiscard]] OutputStorage output_storage() const override { return OutputStorage::same_as_input; }
  void forward(const ForwardData& /*data*/) const override {}
  void backward(const BackwardData& /*data*/) const override {}
};

}  // namespace

std::unique_ptr<LayerKernel> make_view(const Layer& layer) {
  return std::make_unique<View>(layer);
}

}  // namespace orrery
