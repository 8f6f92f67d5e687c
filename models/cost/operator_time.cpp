#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "models/cost/operators.hpp"
#include "models/cost/pass_bytes.hpp"

namespace orrery {
namespace {

/// What one multiprocessor works on at once, and the share of the plateau that such a tile reaches. Fit to published
/// rates of matrix products on A100 and H100 (cuBLASLt, stas00/ml-engineering): mean error 3.7 %, 6.1 % without tiles.
struct Tile {
  double rows, columns, share;
};
constexpr std::array<Tile, 5> tiles = {
    {{256, 128, 1.0}, {128, 256, 1.0}, {128, 128, 0.97}, {128, 64, 0.88}, {64, 64, 0.72}}};
constexpr std::array<double, 4> splits = {1, 2, 4, 8};

/// Plateau share, of the format that a device multiplies in, and half-rate inner dimension.
struct Plateau {
  double share, k0;
};

/// k0 stands for the part of a tile's work that does not grow with k, above all writing its outputs: its time goes with
/// their bytes, so in units of k with bytes x rate. tf32 has twice the bytes and half the rate of 16 bits and keeps
/// k0; fp32 without matrix units has an eighth of the rate and less on it.
double half_rate_inner(const Device& device, const DeviceLaw& law, Precision precision) {
  const double rates = device.peak_for(precision) / device.peak_for(Precision::fp16);
  return law.gemm_k0.value * std::min(1.0, rates * bytes_in_memory(precision).value() / 2.0);
}

bool convolves(const Operator& op) {
  return op.kind == Operator::Kind::convolution || op.kind == Operator::Kind::dense_window;
}

Plateau plateau_of(const Operator& op, const Device& device, const DeviceLaw& law, Precision precision) {
  const bool is_convolution = convolves(op);
  const Precision format = device.format_for(precision);
  if (bytes_per_number(format) < bytes_in_memory(format)) {
    return {is_convolution ? law.convolution_share.value : law.gemm_share_fp8.value, law.gemm_k0_fp8.value};
  }
  const double k0 = half_rate_inner(device, law, precision);
  if (bytes_in_memory(format).value() <= 2.0) {
    return {is_convolution ? law.convolution_share.value : law.gemm_share.value, k0};
  }
  if (!is_convolution) return {law.gemm_share_tf32.value, k0};
  if (format == Precision::tf32) return {law.convolution_share.value, k0};
  const double fewer = op.kind == Operator::Kind::dense_window ? law.dense_window_gain.value : 1.0;
  return {law.convolution_share_fp32.value * fewer, k0};
}

/// Seconds at full rate of every multiprocessor, of the fastest tiling.
double tiled_time(const Operator& op, double rate, const Plateau& plateau, double multiprocessors) {
  double best = std::numeric_limits<double>::infinity();
  for (const Tile& tile : tiles) {
    const double whole = std::ceil(op.m / tile.rows) * std::ceil(op.n / tile.columns) * op.count;
    const double each = 2.0 * tile.rows * tile.columns / (plateau.share * tile.share * rate / multiprocessors);
    for (const double split : splits) {
      const double waves = std::max(1.0, whole * split / multiprocessors);
      best = std::min(best, waves * each * (op.k / split + plateau.k0));
      if (whole * split >= multiprocessors) break;  // a finer split only adds k0
    }
  }
  return best;
}

double product_time(const Operator& op, const Device& device, const DeviceLaw& law, Precision precision) {
  const double rate = device.peak_for(precision).value();
  const Plateau plateau = plateau_of(op, device, law, precision);
  const double flops = flops_of(op).value();
  const bool tiled = law.multiprocessors > 0 && op.kind == Operator::Kind::product;
  const double computing = tiled ? tiled_time(op, rate, plateau, law.multiprocessors)
                                 : flops * (op.k + plateau.k0) / (op.k * plateau.share * rate);
  const double bandwidth = device.memory_bandwidth.value() * law.memory_share.value;
  const double moving = bandwidth > 0 ? op.bytes / bandwidth : 0.0;
  return std::max(computing, moving) + law.gemm_launch_us.value * micro;
}

}  // namespace

Flops flops_of(const Operator& op) {
  switch (op.kind) {
    case Operator::Kind::product:
    case Operator::Kind::convolution:
    case Operator::Kind::dense_window:
      return Flops(2.0 * op.m * op.n * op.k * op.count * op.launches);
    case Operator::Kind::streaming:
      return Flops(0);
    default:
      return Flops(op.flops);
  }
}

Seconds launch_time(const Operator& op, const DeviceLaw& law) {
  const bool is_product = op.kind == Operator::Kind::product || convolves(op);
  return Seconds(op.launches * (is_product ? law.gemm_launch_us : law.kernel_launch_us).value * micro);
}

Seconds operator_time(const Operator& op, const Device& device, const DeviceLaw& law, Precision precision) {
  switch (op.kind) {
    case Operator::Kind::product:
    case Operator::Kind::convolution:
    case Operator::Kind::dense_window: {
      Operator once = op;
      once.launches = 1;
      return Seconds(product_time(once, device, law, precision) * op.launches);
    }
    case Operator::Kind::streaming: {
      const double bandwidth = device.memory_bandwidth.value() * law.memory_share.value;
      return Seconds(op.launches * law.kernel_launch_us.value * micro + (bandwidth > 0 ? op.bytes / bandwidth : 0.0));
    }
    default: {
      // Attention stays in 16 bits where products have 8.
      const Precision width = bytes_per_number(precision) < bytes_in_memory(precision) ? Precision::bf16 : precision;
      const Ranged& share =
          op.kind == Operator::Kind::attention_forward ? law.attention_forward_share : law.attention_backward_share;
      const double bandwidth = device.memory_bandwidth.value() * law.memory_share.value;
      const double moving = bandwidth > 0 ? op.bytes / bandwidth : 0.0;
      return Seconds(std::max(op.flops / (share.value * device.peak_for(width).value()), moving) +
                     law.kernel_launch_us.value * micro);
    }
  }
}

}  // namespace orrery
