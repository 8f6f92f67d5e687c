// k of n numbers drawn at random without repetition, times n / k: the mean over the draws is the update (Konecny et al.
// 2016, arXiv 1610.05492; Wangni et al. 2018, arXiv 1710.09854). Bytes: a seed of 8, from which the server draws the
// same places, and 4 per value.
#include <vector>

#include "models/training/federated/compressors.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class RandomK final : public Compressor {
 public:
  RandomK(const CompressionOptions& options, const SentLayout& layout)
      : layout_(layout), kept_(kept_numbers(options, layout)) {}

  void compress(std::span<float> update, Random& random) const override {
    ORRERY_EXPECT(update.size() == layout_.numbers);
    const float scale = static_cast<float>(update.size()) / static_cast<float>(kept_);
    // One pass (Fan, Muller, Rezucha 1962): a number is taken with chance (still to take) / (still to come).
    std::size_t wanted = kept_;
    for (std::size_t i = 0; i < update.size(); ++i) {
      if (random.below(update.size() - i) < wanted) {
        update[i] *= scale;
        --wanted;
      } else {
        update[i] = 0;
      }
    }
  }

  [[nodiscard]] Bytes bytes() const override {
    return uncompressed(layout_) + Bytes(8.0 + 4.0 * static_cast<double>(kept_));
  }
  /// assumed: some 10 operations per draw of a generator; the server draws again.
  [[nodiscard]] Flops client_flops() const override { return draws() + Flops(static_cast<double>(kept_)); }
  [[nodiscard]] Flops server_flops() const override { return draws() + Flops(static_cast<double>(kept_)); }

 private:
  [[nodiscard]] Flops draws() const { return Flops(10.0 * static_cast<double>(layout_.numbers)); }

  SentLayout layout_;
  std::size_t kept_;
};

}  // namespace

std::unique_ptr<Compressor> make_random_k(const CompressionOptions& options, const SentLayout& layout) {
  return std::make_unique<RandomK>(options, layout);
}

}  // namespace orrery
