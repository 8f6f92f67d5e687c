// The sign of every number times its layer's mean magnitude (Bernstein et al. 2018, arXiv 1802.04434; the scale as in
// Karimireddy et al. 2019, arXiv 1901.09847, which also shows that it needs error feedback). 0 counts as positive.
// Bytes: a bit per number, 4 per layer.
#include <cmath>

#include "models/training/federated/compressors.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class Sign final : public Compressor {
 public:
  explicit Sign(const SentLayout& layout) : layout_(layout) {}

  void compress(std::span<float> update, Random& /*random*/) const override {
    ORRERY_EXPECT(update.size() == layout_.numbers);
    for (const SentLayer& layer : layout_.layers) {
      const std::span<float> numbers = layer.numbers.of(update);
      double sum = 0;
      for (const float number : numbers) sum += std::abs(static_cast<double>(number));
      const auto mean = static_cast<float>(sum / static_cast<double>(numbers.size()));
      for (float& number : numbers) number = number < 0 ? -mean : mean;
    }
  }

  [[nodiscard]] Bytes bytes() const override {
    const std::size_t whole_bytes = (layout_.numbers + 7) / 8;
    return uncompressed(layout_) + Bytes(static_cast<double>(whole_bytes + 4 * layout_.layers.size()));
  }
  /// A magnitude, a sum and a comparison per number; decoding: 1.
  [[nodiscard]] Flops client_flops() const override { return Flops(3.0 * static_cast<double>(layout_.numbers)); }
  [[nodiscard]] Flops server_flops() const override { return Flops(static_cast<double>(layout_.numbers)); }

 private:
  SentLayout layout_;
};

}  // namespace

std::unique_ptr<Compressor> make_sign(const CompressionOptions& /*options*/, const SentLayout& layout) {
  return std::make_unique<Sign>(layout);
}

}  // namespace orrery
