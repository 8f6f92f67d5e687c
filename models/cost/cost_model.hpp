// How long the layers of a network take on one device. `operators`: from the kernels that a framework launches for
// them, by the two laws of the device. `roofline`: from their FLOPs and bytes. `replay`: from executed steps on the
// host, scaled layer by layer by the ratio of the two devices' rooflines.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/cost/framework.hpp"
#include "models/cost/layer_cost.hpp"
#include "models/cost/layer_times.hpp"
#include "models/cost/measured_times.hpp"
#include "models/cost/optimizer_cost.hpp"
#include "models/cost/pass_bytes.hpp"
#include "models/cost/step_profile.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

class CostModel {
 public:
  /// Operators.
  CostModel(FrameworkProfile framework, Precision precision, OptimizerKind optimizer, DeviceLaws laws);
  /// Roofline only.
  CostModel(FrameworkProfile framework, Precision precision, OptimizerKind optimizer);
  /// Replay: `profile` was recorded on `host`, its batches cut by `cut`; its rows with `threads` threads are used.
  /// Throws InvalidInput when there are none, or when the host's memory bandwidth is unknown.
  CostModel(FrameworkProfile framework, Precision precision, OptimizerKind optimizer, const StepProfile& profile,
            Device host, int threads, const BatchCut& cut = {});

  /// Seconds of every layer of a network: operator_times(), or time() of each; backward zero below the lowest layer
  /// that trains. Throws Infeasible when the device has no peak for the precision.
  [[nodiscard]] LayerTimes times(const LayerGraph& graph, const Device& device, const DeviceWork& work) const;
  /// Roofline and replay: seconds of one pass of one layer over `samples` samples. Optimizer: one update of the layer's
  /// parameters, `samples` ignored; zero for a layer without trainable parameters.
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
  std::optional<DeviceLaws> laws_;
  std::optional<MeasuredTimes> measured_;
  std::optional<Device> host_;
  std::vector<std::string> profile_notes_;
};

}  // namespace orrery
