#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class Concatenate final : public LayerKernel {
 public:
  explicit Concatenate(const Layer& layer)
      : first_(layer.in.channels),
        second_(layer.out.channels - layer.in.channels),
        positions_(layer.in.height * layer.in.width) {
    ORRERY_EXPECT(second_ > 0);
    ORRERY_EXPECT(layer.out.height == layer.in.height && layer.out.width == layer.in.width);
  }

  void forward(const ForwardData& data) const override {
    const float *first = data.input.data(), *second = data.second.data();
    float* to = data.output.data();
    for (std::int64_t column = data.samples * positions_; column > 0; --column) {
      to = std::copy_n(first, first_, to);
      to = std::copy_n(second, second_, to);
      first += first_;
      second += second_;
    }
  }

  void backward(const BackwardData& data) const override {
    split(data, first_, second_, data.second_update, data.second_gradient);
    split(data, 0, first_, data.input_update, data.input_gradient);
  }

 private:
  // The channels [first, first + count) of every position of the gradient become, or are added to, `to`.
  void split(const BackwardData& data, std::int64_t first, std::int64_t count, Update update,
             std::span<float> to) const {
    if (to.empty()) return;
    const float* from = data.output_gradient.data() + first;
    for (std::int64_t column = 0; column < data.samples * positions_; ++column, from += first_ + second_) {
      pass_on({from, static_cast<std::size_t>(count)}, update,
              to.subspan(static_cast<std::size_t>(column * count), static_cast<std::size_t>(count)));
    }
  }

  std::int64_t first_, second_, positions_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_concatenate(const Layer& layer) {
  return std::make_unique<Concatenate>(layer);
}

}  // namespace orrery
