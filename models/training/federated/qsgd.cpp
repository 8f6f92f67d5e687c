// Alistarh, Grubic, Li, Tomioka, Vojnovic 2017 (arXiv 1610.02132): with the norm |v| of the whole update and s levels,
// v_i becomes |v| sign(v_i) l / s, where l is one of the two whole numbers around s |v_i| / |v|, the upper with the
// chance that makes the mean right.
#include <cmath>

#include "models/training/federated/compressors.hpp"
#include "models/training/gradient_norm.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class Qsgd final : public Compressor {
 public:
  Qsgd(const CompressionOptions& options, const SentLayout& layout)
      : layout_(layout), coded_(options.levels == 0), levels_(options.levels) {
    ORRERY_EXPECT(options.levels >= 0);
    if (coded_) levels_ = std::max(1.0, std::floor(std::sqrt(static_cast<double>(layout.numbers))));
  }

  void compress(std::span<float> update, Random& random) const override {
    ORRERY_EXPECT(update.size() == layout_.numbers);
    const double norm = std::sqrt(sum_of_squares(update));
    if (norm == 0) return;
    for (float& number : update) {
      const double scaled = std::abs(static_cast<double>(number)) / norm * levels_;
      const double below = std::floor(scaled);
      const double level = random.uniform() < scaled - below ? below + 1 : below;
      number = static_cast<float>(std::copysign(norm * level / levels_, static_cast<double>(number)));
    }
  }

  /// s = sqrt(n): 2.8 n + 32 bits, the published bound on the mean of the Elias code (theorem 3.4). Any other s: the
  /// norm and a fixed ceil(log2(2 s + 1)) bits per number, exact.
  [[nodiscard]] Bytes bytes() const override {
    const double width = coded_ ? 2.8 : std::ceil(std::log2(2 * levels_ + 1));
    return uncompressed(layout_) + Bytes(std::ceil((width * static_cast<double>(layout_.numbers) + 32) / 8));
  }
  /// Norm 2, scale 1, round 2, and assumed 10 of a draw per number; decoding: 2.
  [[nodiscard]] Flops client_flops() const override { return Flops(15.0 * static_cast<double>(layout_.numbers)); }
  [[nodiscard]] Flops server_flops() const override { return Flops(2.0 * static_cast<double>(layout_.numbers)); }

 private:
  SentLayout layout_;
  bool coded_;  // s = sqrt(n)
  double levels_;
};

}  // namespace

std::unique_ptr<Compressor> make_qsgd(const CompressionOptions& options, const SentLayout& layout) {
  return std::make_unique<Qsgd>(options, layout);
}

}  // namespace orrery
