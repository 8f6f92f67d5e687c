#include "topologies/device_law.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace orrery {
namespace {

constexpr std::string_view multiprocessors = "multiprocessors";
/// Times the catalogue's gemm_fraction (the largest share of its peak that matrix products were seen to reach) gives
/// gemm_share of a device that has none of its own.
constexpr std::string_view gemm_of_achievable = "gemm_of_achievable";

/// The year of `default:<kind>:<year>`; 0 for `default:<kind>`; nothing for another owner.
std::optional<int> default_year(std::string_view owner, const std::string& kind) {
  const std::string start = "default:" + kind;
  if (owner == start) return 0;
  if (!owner.starts_with(start + ":")) return std::nullopt;
  owner.remove_prefix(start.size() + 1);
  int year = 0;
  const auto read = std::from_chars(owner.data(), owner.data() + owner.size(), year);
  return read.ptr == owner.data() + owner.size() ? std::optional(year) : std::nullopt;
}

/// Lower is nearer to the device: 0 its own rows, then the latest generation not after its year, then its kind's rows,
/// then those of every device; nothing when the row is not meant for it.
std::optional<int> distance(const ConstantRow& row, const Device& device) {
  constexpr int of_kind = 10'000, of_all = 20'000;
  if (row.owner == device.id) return 0;
  if (row.owner == "default") return of_all;
  const std::optional<int> year = default_year(row.owner, device.kind);
  if (!year) return std::nullopt;
  if (*year == 0) return of_kind;
  return device.year >= *year ? std::optional(1 + device.year - *year) : std::nullopt;
}

Ranged smaller(const Ranged& a, const Ranged& b) {
  return {std::min(a.value, b.value), std::min(a.low, b.low), std::min(a.high, b.high)};
}

bool speaks_of(const std::vector<ConstantRow>& rows, std::string_view constant) {
  return std::ranges::any_of(rows, [constant](const ConstantRow& row) { return row.constant == constant; });
}

/// Of the rows of a device, the one that says what products reach: gemm_share, or gemm_of_achievable where that is
/// nearer; null: none.
const ConstantRow* row_of_products(const std::vector<ConstantRow>& rows, const Device& device) {
  const ConstantRow* nearest = nullptr;
  for (const ConstantRow& row : rows) {
    if (row.constant != "gemm_share" && row.constant != gemm_of_achievable) continue;
    if (nearest == nullptr || *distance(row, device) < *distance(*nearest, device)) nearest = &row;
  }
  return nearest;
}

Ranged share_of_products(const ConstantRow& row, const Device& device) {
  if (row.constant != gemm_of_achievable) return row.value;
  return smaller(row.value * device.gemm_fraction, Ranged(1));
}

/// What `default` says of convolutions, where no row tells products in 32 bits apart.
void limit_convolutions(std::vector<ConstantRow>& rows, const Device& device) {
  const ConstantRow* const products = row_of_products(rows, device);
  if (products == nullptr || speaks_of(rows, "gemm_share_tf32")) return;
  const Ranged share = share_of_products(*products, device);
  for (ConstantRow& row : rows) {
    const bool convolves = row.constant == "convolution_share" || row.constant == "convolution_share_fp32";
    if (!convolves || row.owner != "default") continue;
    if (row.value.value > share.value) row.source += "; here no more than products";
    row.value = smaller(row.value, share);
  }
}

}  // namespace

const std::vector<DeviceConstant>& device_constants() {
  static const std::vector<DeviceConstant> constants = {
      {"gemm_share", &DeviceLaw::gemm_share, "plateau of matrix products, share of the peak", divisor_limits},
      {"gemm_k0", &DeviceLaw::gemm_k0, "inner dimension K at which K / (K + k0) is a half"},
      {"gemm_share_fp8", &DeviceLaw::gemm_share_fp8, "plateau of fp8 products, share of the fp8 peak", divisor_limits},
      {"gemm_k0_fp8", &DeviceLaw::gemm_k0_fp8, "inner dimension at half of the fp8 plateau"},
      {"gemm_share_tf32", &DeviceLaw::gemm_share_tf32, "plateau of tf32 and fp32 products, share of their peak",
       divisor_limits},
      {"sustained_share", &DeviceLaw::sustained_share, "of these rates, what products reach within a step",
       divisor_limits},
      {"memory_share", &DeviceLaw::memory_share, "share of the memory bandwidth that streaming kernels reach",
       divisor_limits},
      {"gemm_launch_us", &DeviceLaw::gemm_launch_us, "of one matrix product, us"},
      {"kernel_launch_us", &DeviceLaw::kernel_launch_us, "of one streaming kernel, us"},
      {"attention_forward_share", &DeviceLaw::attention_forward_share, "fused attention forward, share of the peak",
       divisor_limits},
      {"attention_backward_share", &DeviceLaw::attention_backward_share, "fused attention backward, share of the peak",
       divisor_limits},
      {"attention_1_share", &DeviceLaw::attention_1_share, "of these, what FlashAttention 1 reaches", divisor_limits},
      {"attention_2_share", &DeviceLaw::attention_2_share, "of these, what FlashAttention 2 reaches", divisor_limits},
      {"convolution_share", &DeviceLaw::convolution_share, "plateau of convolutions, share of the peak",
       divisor_limits},
      {"convolution_share_fp32", &DeviceLaw::convolution_share_fp32, "the same in fp32 and fp64, without matrix units"},
      {"dense_window_gain", &DeviceLaw::dense_window_gain,
       "times faster of 3x3 windows of stride 1 in fp32 and fp64 (Winograd)"},
  };
  return constants;
}

std::vector<NamedConstant> all_device_constants() {
  std::vector<NamedConstant> constants = named_constants(device_constants());
  constants.push_back({std::string(multiprocessors)});
  constants.push_back({std::string(gemm_of_achievable)});
  return constants;
}

std::vector<ConstantRow> DeviceLaws::rows_of(const Device& device) const {
  std::vector<ConstantRow> chosen;
  for (const NamedConstant& constant : all_device_constants()) {
    const ConstantRow* nearest = nullptr;
    for (const ConstantRow& row : rows()) {
      if (row.constant != constant.name) continue;
      const std::optional<int> far = distance(row, device);
      if (far && (nearest == nullptr || *far < *distance(*nearest, device))) nearest = &row;
    }
    if (nearest != nullptr) chosen.push_back(*nearest);
  }
  limit_convolutions(chosen, device);
  return chosen;
}

DeviceLaw DeviceLaws::of(const Device& device) const {
  DeviceLaw law;
  law.device = device.id;
  const std::vector<ConstantRow> rows = rows_of(device);
  for (const ConstantRow& row : rows) {
    set_constant(law, device_constants(), row);
    if (row.constant == multiprocessors) law.multiprocessors = row.value.value;
  }
  if (const ConstantRow* const products = row_of_products(rows, device)) {
    law.device = products->owner;
    law.gemm_share = share_of_products(*products, device);
    law.measured = products->constant == "gemm_share" && products->owner == device.id && !products->assumed();
  }
  if (!speaks_of(rows, "gemm_share_tf32")) law.gemm_share_tf32 = law.gemm_share;
  return law;
}

double fused_attention_share(const DeviceLaw& law, double generation) {
  if (generation < 1.5) return law.attention_1_share.value;
  return generation < 2.5 ? law.attention_2_share.value : 1.0;
}

}  // namespace orrery
