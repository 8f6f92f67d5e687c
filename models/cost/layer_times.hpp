// Seconds of the layers of a network on one device.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "models/cost/framework.hpp"
#include "models/cost/layer_cost.hpp"
#include "models/cost/optimizer_cost.hpp"
#include "models/cost/pass_bytes.hpp"
#include "topologies/catalogue.hpp"
#include "topologies/device_law.hpp"

namespace orrery {

/// One entry per layer and pass; optimizer: one update of its parameters.
struct LayerTimes {
  std::array<std::vector<Seconds>, 3> passes;
  [[nodiscard]] std::vector<Seconds>& of(Pass pass) { return passes[static_cast<std::size_t>(pass)]; }
  [[nodiscard]] const std::vector<Seconds>& of(Pass pass) const { return passes[static_cast<std::size_t>(pass)]; }
};

/// What of a network one device works on: samples of a pass (a fraction is welcome: batch / devices), so many passes
/// before an update, and of every layer a share (empty: all of it). `hosts`: processes that have the layers between
/// them (stages of a pipeline), each with what a host takes once per pass and step.
struct DeviceWork {
  double samples = 1;
  int passes = 1;
  int hosts = 1;
  std::vector<Share> shares{};
};

/// Software that works in one precision on one device. All of it must outlive its use.
struct SoftwareOnDevice {
  const FrameworkProfile& framework;
  Precision precision;
  OptimizerKind optimizer;
  const Device& device;
  const DeviceLaw& law;
};

/// By the two laws of the device (operators.hpp), layer by layer as kind = "hybrid" prices a micro-batch without
/// splitting it. Backward: zero below the lowest layer that trains; with bf16 and fp8 the sums of gradients, too. The
/// optimizer: parameters x bytes per parameter (update_bytes) at the device's streaming rate, and where updates are not
/// fused the launches of each tensor's operations. The host runs beside its device: a pass takes the longer of the two,
/// and what the host is behind is shared out over the layers by their times. A host that is ahead after both passes
/// starts the update early; what it takes between steps (host_iteration_ms) comes on top.
LayerTimes operator_times(const LayerGraph& graph, const SoftwareOnDevice& software, const DeviceWork& work);

}  // namespace orrery
