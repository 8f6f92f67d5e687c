// How long one layer takes on one device. `roofline`: from its FLOPs and bytes. `replay`: from executed steps on the
// host, scaled layer by layer by the ratio of the two devices' rooflines.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/cost/framework.hpp"
#include "models/cost/layer_cost.hpp"
#include "models/cost/measured_times.hpp"
#include "models/cost/pass_bytes.hpp"
#include "models/cost/step_profile.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

enum class OptimizerKind : std::uint8_t { sgd, momentum, nesterov, adam, adamw, lamb, adadelta };
std::string_view name_of(OptimizerKind kind);
/// Numbers kept per parameter: momentum and nesterov one, adam, adamw, lamb and adadelta two.
int optimizer_states(OptimizerKind kind);
/// Bytes one step moves per parameter: the framework's row; nesterov as momentum, adamw and adadelta as adam. lamb:
/// adam, and 12 more, because the norms of a whole layer come before its update: weights, mean and mean square are read
/// again.
double optimizer_bytes(const FrameworkProfile& framework, OptimizerKind kind);
/// The same beside weights in 16 bits: with their copy, loss scaling, norm and clipping, where the framework has a row
/// of that (adam and what is like it).
double mixed_optimizer_bytes(const FrameworkProfile& framework, OptimizerKind kind);
/// An update that is not fused: operations on each weight tensor, kernels that PyTorch's loops start without its
/// multi-tensor ones (torch.optim until 1.13, counted; lamb: as written with such operations), and the bytes that they
/// read and write per parameter in fp32.
struct UnfusedUpdate {
  double operations, bytes;
};
UnfusedUpdate unfused_update(OptimizerKind kind);

class CostModel {
 public:
  /// Roofline only.
  CostModel(FrameworkProfile framework, Precision precision, OptimizerKind optimizer);
  /// Replay: `profile` was recorded on `host`, its batches cut by `cut`; its rows with `threads` threads are used.
  /// Throws InvalidInput when there are none, or when the host's memory bandwidth is unknown.
  CostModel(FrameworkProfile framework, Precision precision, OptimizerKind optimizer, const StepProfile& profile,
            Device host, int threads, const BatchCut& cut = {});

  /// Seconds of one pass of one layer over `samples` samples (a fraction is welcome: batch / devices). Optimizer: one
  /// update of the layer's parameters, `samples` ignored; zero for a layer without trainable parameters.
  /// Replay: measured(layer, pass, samples) x work(device, share) / work(host, whole layer), where work() is the
  /// roofline without kernel overhead, on the host in fp32, as it was executed. On any device but the host the kernel
  /// overhead is added: what was measured holds the host's own. A view (flatten) takes no time but on the host.
  /// Throws InvalidInput naming layer and network when the profile lacks the layer's pass, and Infeasible when the
  /// device has no peak for the precision.
  [[nodiscard]] Seconds time(const Layer& layer, Pass pass, double samples, const Device& device,
                             Share share = {}) const;
  /// max(FLOPs / (peak(precision) x gemm_fraction), bytes / (memory bandwidth x memory_efficiency)) + kernel overhead.
  /// Only matrix products have FLOPs here (see LayerCost), so gemm_fraction never touches a layer that is bound by
  /// memory. A device whose memory bandwidth is unknown (0) is judged by its FLOPs alone. Zero for a view, and for
  /// the optimizer of a layer without trainable parameters.
  [[nodiscard]] Seconds roofline(const Layer& layer, Pass pass, double samples, const Device& device,
                                 Share share = {}) const;

  [[nodiscard]] bool replays() const { return measured_.has_value(); }
  [[nodiscard]] std::string name() const { return replays() ? "replay" : "roofline"; }
  [[nodiscard]] Precision precision() const { return precision_; }
  [[nodiscard]] OptimizerKind optimizer() const { return optimizer_; }
  [[nodiscard]] const FrameworkProfile& framework() const { return framework_; }
  /// What the replayed profile says of itself: how it was recorded, and which of its rows were derived.
  [[nodiscard]] const std::vector<std::string>& profile_notes() const { return profile_notes_; }

 private:
  [[nodiscard]] Seconds work(const Layer& layer, Pass pass, double samples, const Device& device, Share share,
                             Precision precision) const;
  [[nodiscard]] Bytes traffic(const Layer& layer, Pass pass, double samples, Share share, Precision precision) const;

  FrameworkProfile framework_;
  Precision precision_;
  OptimizerKind optimizer_;
  std::optional<MeasuredTimes> measured_;
  std::optional<Device> host_;
  std::vector<std::string> profile_notes_;
};

}  // namespace orrery
