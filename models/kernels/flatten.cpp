#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class Flatten final : public LayerKernel {
 public:
  explicit Flatten(const Layer& layer) { ORRERY_EXPECT(layer.in.count() == layer.out.count()); }
  [[nodiscard]] OutputStorage output_storage() const override { return OutputStorage::same_as_input; }
  void forward(const ForwardData& /*data*/) override {}
  void backward(const BackwardData& /*data*/) override {}
};

}  // namespace

std::unique_ptr<LayerKernel> make_flatten(const Layer& layer) {
  return std::make_unique<Flatten>(layer);
}

}  // namespace orrery
