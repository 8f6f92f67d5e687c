// Rates of single matrix products.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/validation/measured/metrics.hpp"
#include "analysis/validation/measured/stated_settings.hpp"
#include "analysis/validation/measured/words.hpp"
#include "models/cost/operators.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// cuBLASLt's best kernels against a law fitted to them: mean miss 3.7 % (tile law on 16 published rates).
constexpr double law_error = 0.06;
/// Side of the largest product that searches for the best rate reach.
constexpr double large_side = 16384;

struct Product {
  double m = 0, n = 0, k = 0;
};

/// "GEMM m2048 n2048 k2048"; "largest achievable matmul".
Product product_of(const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.model);
  if (has_words(words, "largest")) return {large_side, large_side, large_side};
  Product product;
  for (const std::string& word : words) {
    const auto number = parse_number(std::string_view(word).substr(1));
    if (!number || *number < 1) continue;
    if (word[0] == 'm') product.m = *number;
    if (word[0] == 'n') product.n = *number;
    if (word[0] == 'k') product.k = *number;
  }
  if (product.m * product.n * product.k == 0) throw RowSkipped(fmt::format("missing: m, n and k of \"{}\"", row.model));
  return product;
}

Operator operator_of(const Product& product, Precision precision) {
  Operator op;
  op.kind = Operator::Kind::product;
  op.m = product.m;
  op.n = product.n;
  op.k = product.k;
  // fp8: operands of one byte, a sum of two
  const double operand = precision == Precision::fp8 ? 1 : bytes_per_number(precision).value();
  const double sum = precision == Precision::fp8 ? 2 : operand;
  op.bytes = operand * (product.m * product.k + product.k * product.n) + sum * product.m * product.n;
  return op;
}

Ranged seconds_of(const Operator& op, const Device& device, const DeviceLaw& law, Precision precision) {
  const double middle = operator_time(op, device, law, precision).value();
  double below = law_error * law_error * middle * middle, above = below;
  for (const DeviceConstant& constant : device_constants()) {
    const Ranged& range = law.*constant.member;
    for (const double end : {range.low, range.high}) {
      DeviceLaw moved = law;
      (moved.*constant.member).value = end;
      const double deviation = operator_time(op, device, moved, precision).value() - middle;
      (deviation < 0 ? below : above) += deviation * deviation;
    }
  }
  return {middle, std::max(middle / 10, middle - std::sqrt(below)), middle + std::sqrt(above)};
}

Predicted product_teraflops(const MeasuredRow& row, CaseSolver& solver) {
  RowCase target;
  set_cluster(target, row, 1, solver.tables());
  auto precision = precision_named(row.precision.empty() ? row.device : row.precision);
  if (!precision) {
    precision = Precision::bf16;
    target.assumed.emplace_back("precision bf16");
  }
  const Operator op = operator_of(product_of(row), *precision);
  const Ranged seconds = seconds_of(op, target.job.cluster.device, target.job.device_law, *precision);
  return {inverse_of(seconds, flops_of(op).value() / tera), target.assumed, {1 / tera, 1}};
}

}  // namespace

std::vector<Metric> kernel_metrics() {
  return {{"gemm_tflops", "TFLOP/s", product_teraflops}};
}

}  // namespace orrery
