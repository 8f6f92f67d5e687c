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

/// By layer.
using TimesByPass = std::array<std::vector<Seconds>, 3>;
inline std::vector<Seconds>& of(TimesByPass& times, Pass pass) {
  return times[static_cast<std::size_t>(pass)];
}
inline const std::vector<Seconds>& of(const TimesByPass& times, Pass pass) {
  return times[static_cast<std::size_t>(pass)];
}

/// What the host of a process takes beside its layers: for every pass of a micro-batch, for the samples of a step, and
/// between steps, when the device has nothing to do.
struct HostBeside {
  Seconds pass, samples, between_steps;
};

/// Of each layer, one entry per pass (optimizer: one update of its parameters): what the device takes, what of that is
/// the launches of its kernels, and what the host takes to start them. Where no kernels are told apart (roofline,
/// replay) launches and host are empty: they are in the device's times.
struct LayerTimes {
  TimesByPass device, launches, host;
  HostBeside beside;
  [[nodiscard]] const std::vector<Seconds>& of(Pass pass) const { return orrery::of(device, pass); }
};

/// What of a network one device works on: samples of a pass (a fraction is welcome: batch / devices), so many passes
/// before an update, and of every layer a share (empty: all of it).
struct DeviceWork {
  double samples = 1;
  int passes = 1;
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
/// fused the launches of each tensor's operations.
LayerTimes operator_times(const LayerGraph& graph, const SoftwareOnDevice& software, const DeviceWork& work);

/// A run of layers that one process has, its host beside its device: what the device takes for a forward pass, a
/// backward pass, the forward passes that recomputation adds to it, and an update; and by how much the host is behind
/// the device with each. A pass takes the longer of the two. A host that is ahead after both passes starts the update
/// early; what it takes between steps comes on top.
struct ProcessTimes {
  Seconds forward, backward, again, update;
  Seconds late_forward, late_backward, late_update;
};
/// Of layers first to end - 1; `again`: those that are computed again (empty: none).
ProcessTimes process_times(const LayerTimes& times, std::size_t first, std::size_t end, const std::vector<bool>& again);

}  // namespace orrery
