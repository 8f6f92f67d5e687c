// How a device turns FLOPs and bytes into time: constants of two laws, as rows of topologies/catalogue/device_laws.csv
// (device, constant, value, low, high, source). The laws themselves stand in models/cost/operators.hpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/base/constants_csv.hpp"
#include "sim/base/ranged.hpp"
#include "topologies/catalogue.hpp"
#include "topologies/law_rows.hpp"

namespace orrery {

struct DeviceLaw {
  std::string device;     // id of the device, or of the default row it was taken from
  bool measured = false;  // gemm_share is the device's own and not assumed; false: a prior
  Ranged gemm_share;      // eta: plateau share of the peak that matrix products reach
  Ranged gemm_k0;         // inner dimension at which half of the plateau is reached: K / (K + k0)
  Ranged gemm_share_fp8, gemm_k0_fp8;
  Ranged gemm_share_tf32;  // products in 32 and 64 bits
  /// Of these rates, what products reach within a step: alone a few of them stay below the power limit, one after the
  /// other they run into it.
  Ranged sustained_share = Ranged(1);
  Ranged memory_share;             // share of the memory bandwidth that streaming kernels reach
  Ranged gemm_launch_us;           // per matrix product
  Ranged kernel_launch_us;         // per streaming kernel
  Ranged attention_forward_share;  // fused attention written for this generation of devices: share of the peak
  Ranged attention_backward_share;
  Ranged attention_1_share;       // of these, what FlashAttention 1 reaches
  Ranged attention_2_share;       // and FlashAttention 2
  Ranged convolution_share;       // plateau share of convolutions (implicit products)
  Ranged convolution_share_fp32;  // the same in fp32 and fp64
  Ranged dense_window_gain{1.0};  // times faster, in fp32 and fp64, windows of 3 x 3 that move by one place (Winograd)
  double multiprocessors = 0;     // tiles worked on at once; 0: unknown, products follow K / (K + k0) alone
};

/// The constants by name, as in the file, and the member they are: what reading, `explain`, ranges and `fit` walk.
struct DeviceConstant {
  std::string_view name;
  Ranged DeviceLaw::*member;
  std::string_view meaning;
  ConstantLimits limits = {};
};
const std::vector<DeviceConstant>& device_constants();
/// These, and the others that a row may give.
std::vector<NamedConstant> all_device_constants();

/// Of the device's rates of fused attention, what the kernels of a generation (FrameworkProfile::flash_attention)
/// reach.
double fused_attention_share(const DeviceLaw& law, double generation);

/// Rows for the devices that were measured, and defaults named `default:<kind>` (gpu, cpu, tpu, ...) or
/// `default:<kind>:<first year of the generation>`, and `default` for every device. Beside device_constants() a row may
/// give `multiprocessors`, and `gemm_of_achievable`: gemm_share = that x the catalogue's gemm_fraction, for devices
/// without a gemm_share that is nearer to them. A device that no row gives a gemm_share_tf32 (processors, boards,
/// phones) has one plateau in all formats, gemm_share, above which convolutions are not either where no row but
/// `default` speaks of them.
class DeviceLaws : public LawRows<DeviceLaws> {
 public:
  static constexpr auto kind = "device", shipped = "device_laws.csv";
  static std::vector<NamedConstant> constants() { return all_device_constants(); }
  /// The device's own constants over the defaults of its generation (the latest that is not after its year), those
  /// over the defaults of its kind, those over the defaults of all.
  [[nodiscard]] DeviceLaw of(const Device& device) const;
  /// The rows that `of` reads, at most one per constant, convolutions limited: what `orrery show law` prints.
  [[nodiscard]] std::vector<ConstantRow> rows_of(const Device& device) const;
};

}  // namespace orrery
