#include <algorithm>
#include <cmath>

#include "models/kernels/columns.hpp"
#include "models/kernels/makers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class EmbeddingTables final : public LayerKernel {
 public:
  explicit EmbeddingTables(const Layer& layer) : units_(layer.out.channels), rows_(layer.tables) {
    ORRERY_EXPECT(layer.in.count() == static_cast<std::int64_t>(rows_.size()) && layer.out.height == layer.in.count());
    for (const std::int64_t rows : rows_) {
      first_row_.push_back(all_rows_);
      all_rows_ += rows;
    }
  }

  [[nodiscard]] ParameterCount parameter_count() const override { return {.weights = units_ * all_rows_}; }

  /// Uniform between -1/sqrt(rows) and 1/sqrt(rows), as DLRM's published code.
  void initialise(std::span<float> parameters, Random& random) const override {
    float* at = parameters.data();
    for (const std::int64_t rows : rows_) {
      const double bound = 1.0 / std::sqrt(static_cast<double>(rows));
      for (const float* end = at + units_ * rows; at != end; ++at) {
        *at = static_cast<float>(bound * (2.0 * random.uniform() - 1.0));
      }
    }
  }

  void forward(const ForwardData& data) const override {
    float* to = data.output.data();
    for_each_row(data.samples, data.input,
                 [&](std::int64_t row) { to = std::copy_n(data.parameters.data() + units_ * row, units_, to); });
  }

  /// Numbers of rows have no gradient: that of the input is 0.
  void backward(const BackwardData& data) const override {
    if (data.input_update == Update::overwrite) std::fill(data.input_gradient.begin(), data.input_gradient.end(), 0.0F);
    if (data.parameter_gradient.empty()) return;
    if (data.parameter_update == Update::overwrite) {
      std::fill(data.parameter_gradient.begin(), data.parameter_gradient.end(), 0.0F);
    }
    const float* from = data.output_gradient.data();
    for_each_row(data.samples, data.input, [&](std::int64_t row) {
      add_columns(from, units_, 1, data.parameter_gradient.data() + units_ * row);
      from += units_;
    });
  }

 private:
  /// The rows of all samples among those of all tables, in order. A NaN is no row.
  template <class Use>
  void for_each_row(std::int64_t samples, std::span<const float> numbers, const Use& use) const {
    const float* number = numbers.data();
    for (std::int64_t sample = 0; sample < samples; ++sample) {
      for (std::size_t table = 0; table < rows_.size(); ++table, ++number) {
        ORRERY_EXPECT(*number >= 0.0F && *number < static_cast<float>(rows_[table]));
        use(first_row_[table] + static_cast<std::int64_t>(*number));
      }
    }
  }

  std::int64_t units_, all_rows_ = 0;
  std::vector<std::int64_t> rows_, first_row_;
};

}  // namespace

std::unique_ptr<LayerKernel> make_embedding_tables(const Layer& layer) {
  return std::make_unique<EmbeddingTables>(layer);
}

}  // namespace orrery
