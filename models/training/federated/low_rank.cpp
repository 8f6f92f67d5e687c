// Vogels, Karimireddy, Jaggi 2019, PowerSGD (arXiv 1905.13727), algorithm 1, client by client: every layer's matrix M
// (m x n) becomes P Q^T with P = orthonormal(M Q0), Q = M^T P and Q0 (n x r) drawn from the client's generator: one
// step of subspace iteration. Drawn anew each time instead of kept from round to round, so that a client that takes
// part rarely needs no more state than its residual. Bytes: 4 r (m + n) per matrix where that is less than 4 m n, and 4
// per number of all others (biases, normalisation).
#include <algorithm>
#include <cmath>

#include "models/training/federated/compressors.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

using Vectors = std::vector<std::vector<double>>;  // the columns of a thin matrix

double product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Modified Gram-Schmidt; a vector that depends on the others becomes 0.
void orthonormalise(Vectors& vectors) {
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const double before = std::sqrt(product(vectors[i], vectors[i]));
    for (std::size_t j = 0; j < i; ++j) {
      const double along = product(vectors[i], vectors[j]);
      for (std::size_t k = 0; k < vectors[i].size(); ++k) vectors[i][k] -= along * vectors[j][k];
    }
    constexpr double nothing_left = 1e-6;  // of single precision numbers
    const double norm = std::sqrt(product(vectors[i], vectors[i]));
    const double scale = norm > nothing_left * before ? 1 / norm : 0.0;
    for (double& number : vectors[i]) number *= scale;
  }
}

struct Matrix {
  std::span<float> numbers;  // row after row
  std::size_t rows, columns;

  [[nodiscard]] Vectors times(const Vectors& right) const {  // M Q
    Vectors result(right.size(), std::vector<double>(rows));
    for (std::size_t row = 0; row < rows; ++row) {
      const float* __restrict at = numbers.data() + row * columns;
      for (std::size_t r = 0; r < right.size(); ++r) {
        double sum = 0;
        for (std::size_t column = 0; column < columns; ++column)
          sum += static_cast<double>(at[column]) * right[r][column];
        result[r][row] = sum;
      }
    }
    return result;
  }
  [[nodiscard]] Vectors transposed_times(const Vectors& right) const {  // M^T P
    Vectors result(right.size(), std::vector<double>(columns));
    for (std::size_t row = 0; row < rows; ++row) {
      const float* __restrict at = numbers.data() + row * columns;
      for (std::size_t r = 0; r < right.size(); ++r) {
        const double factor = right[r][row];
        double* __restrict to = result[r].data();
        for (std::size_t column = 0; column < columns; ++column) to[column] += factor * static_cast<double>(at[column]);
      }
    }
    return result;
  }
  /// P Q^T; the factors are sent as single precision numbers.
  void assign(const Vectors& left, const Vectors& right) const {
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t column = 0; column < columns; ++column) {
        float sum = 0;
        for (std::size_t r = 0; r < left.size(); ++r) {
          sum += static_cast<float>(left[r][row]) * static_cast<float>(right[r][column]);
        }
        numbers[row * columns + column] = sum;
      }
    }
  }
};

class LowRank final : public Compressor {
 public:
  LowRank(const CompressionOptions& options, const SentLayout& layout)
      : layout_(layout), rank_(static_cast<std::size_t>(options.rank)) {
    ORRERY_EXPECT(options.rank > 0);
  }

  void compress(std::span<float> update, Random& random) const override {
    ORRERY_EXPECT(update.size() == layout_.numbers);
    for (const SentLayer& layer : layout_.layers) {
      if (!pays(layer)) continue;
      const Matrix matrix{update.subspan(layer.numbers.first, layer.rows * layer.columns), layer.rows, layer.columns};
      Vectors start(rank_, std::vector<double>(layer.columns));
      for (std::vector<double>& vector : start) {
        for (double& number : vector) number = random.normal();
      }
      Vectors left = matrix.times(start);
      orthonormalise(left);
      matrix.assign(left, matrix.transposed_times(left));
    }
  }

  [[nodiscard]] Bytes bytes() const override {
    double numbers = 0;
    for (const SentLayer& layer : layout_.layers) {
      numbers += static_cast<double>(layer.numbers.count);
      if (pays(layer)) numbers -= size(layer) - thin(layer);
    }
    return uncompressed(layout_) + Bytes(4.0 * numbers);
  }
  /// Two products of 2 m n r each, and 2 m r^2 of making P orthonormal.
  [[nodiscard]] Flops client_flops() const override {
    const auto r = static_cast<double>(rank_);
    return sum_of(
        [&](const SentLayer& layer) { return 4 * size(layer) * r + 2 * static_cast<double>(layer.rows) * r * r; });
  }
  /// The product of P and Q.
  [[nodiscard]] Flops server_flops() const override {
    return sum_of([&](const SentLayer& layer) { return 2 * size(layer) * static_cast<double>(rank_); });
  }

 private:
  static double size(const SentLayer& layer) { return static_cast<double>(layer.rows * layer.columns); }
  [[nodiscard]] double thin(const SentLayer& layer) const {
    return static_cast<double>(rank_ * (layer.rows + layer.columns));
  }
  [[nodiscard]] bool pays(const SentLayer& layer) const { return thin(layer) < size(layer); }
  template <class Cost>
  [[nodiscard]] Flops sum_of(Cost cost) const {
    double sum = 0;
    for (const SentLayer& layer : layout_.layers) sum += pays(layer) ? cost(layer) : 0.0;
    return Flops(sum);
  }

  SentLayout layout_;
  std::size_t rank_;
};

}  // namespace

std::unique_ptr<Compressor> make_low_rank(const CompressionOptions& options, const SentLayout& layout) {
  return std::make_unique<LowRank>(options, layout);
}

}  // namespace orrery
