// Aji and Heafield 2017 (arXiv 1704.05021): the k numbers of the largest magnitude, of equal ones the first. Biased:
// use error feedback. Bytes: a place and a value of 4 bytes each, so it saves only where k < n / 2.
#include <algorithm>
#include <cmath>

#include "models/training/federated/compressors.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class TopK final : public Compressor {
 public:
  TopK(const CompressionOptions& options, const SentLayout& layout)
      : layout_(layout), kept_(kept_numbers(options, layout)) {}

  void compress(std::span<float> update, Random& /*random*/) const override {
    ORRERY_EXPECT(update.size() == layout_.numbers);
    std::vector<float> sizes(update.size());
    std::transform(update.begin(), update.end(), sizes.begin(), [](float number) { return std::abs(number); });
    const auto place = sizes.begin() + static_cast<std::ptrdiff_t>(kept_ - 1);
    std::nth_element(sizes.begin(), place, sizes.end(), std::greater<>());
    const float least = *place;
    const auto larger = std::count_if(sizes.begin(), place, [&](float size) { return size > least; });
    std::size_t equal = kept_ - static_cast<std::size_t>(larger);  // of the numbers as large as the least that are kept
    for (float& number : update) {
      const float size = std::abs(number);
      if (size > least) continue;
      if (size == least && equal > 0) {
        --equal;
      } else {
        number = 0;
      }
    }
  }

  [[nodiscard]] Bytes bytes() const override { return uncompressed(layout_) + Bytes(8.0 * static_cast<double>(kept_)); }
  /// A magnitude, and the expected 3.4 comparisons per number of finding the k-th by quickselect (Knuth 1972, at worst
  /// k = n / 2).
  [[nodiscard]] Flops client_flops() const override { return Flops(4.4 * static_cast<double>(layout_.numbers)); }
  [[nodiscard]] Flops server_flops() const override { return Flops(static_cast<double>(kept_)); }

 private:
  SentLayout layout_;
  std::size_t kept_;
};

}  // namespace

std::unique_ptr<Compressor> make_top_k(const CompressionOptions& options, const SentLayout& layout) {
  return std::make_unique<TopK>(options, layout);
}

}  // namespace orrery
