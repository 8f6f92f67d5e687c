// Whole numbers from -127 to 127 times a scale per layer, its largest magnitude / 127, rounded up or down with the
// chances that make the mean right (stochastic rounding, Gupta et al. 2015, arXiv 1502.02551). Bytes: 1 per number, 4
// per layer.
#include <algorithm>
#include <cmath>

#include "models/training/federated/compressors.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class Int8 final : public Compressor {
 public:
  explicit Int8(const SentLayout& layout) : layout_(layout) {}

  void compress(std::span<float> update, Random& random) const override {
    ORRERY_EXPECT(update.size() == layout_.numbers);
    for (const SentLayer& layer : layout_.layers) round(layer.numbers.of(update), random);
  }

  [[nodiscard]] Bytes bytes() const override {
    return uncompressed(layout_) + Bytes(static_cast<double>(layout_.numbers + 4 * layout_.layers.size()));
  }
  /// Magnitude, comparison, scale, 2 of rounding, and assumed 10 of a draw per number; decoding: 1.
  [[nodiscard]] Flops client_flops() const override { return Flops(15.0 * static_cast<double>(layout_.numbers)); }
  [[nodiscard]] Flops server_flops() const override { return Flops(static_cast<double>(layout_.numbers)); }

 private:
  static void round(std::span<float> numbers, Random& random) {
    constexpr double largest_code = 127;
    double largest = 0;
    for (const float number : numbers) largest = std::max(largest, std::abs(static_cast<double>(number)));
    if (largest == 0) return;
    const double scale = largest / largest_code;
    for (float& number : numbers) {
      const double code = std::floor(static_cast<double>(number) / scale + random.uniform());
      number = static_cast<float>(std::clamp(code, -largest_code, largest_code) * scale);
    }
  }

  SentLayout layout_;
};

}  // namespace

std::unique_ptr<Compressor> make_int8(const CompressionOptions& /*options*/, const SentLayout& layout) {
  return std::make_unique<Int8>(layout);
}

}  // namespace orrery
