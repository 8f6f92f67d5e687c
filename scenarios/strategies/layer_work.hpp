// The compute part of a plan: seconds and FLOPs of layers, asked of the cost model once and then added up over runs of
// layers.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "scenarios/plan.hpp"

namespace orrery {

/// What a device computes in one go, and how long it waits for its host behind that.
struct Work {
  Seconds time;
  Flops flops;
  Seconds late{};  // what the host is behind
  Seconds gaps{};  // of the time: between kernels, being launched or waited for
  [[nodiscard]] Seconds total() const { return time + late; }
  Work& operator+=(const Work& other);
};
Work operator*(const Work& work, double part);

/// A run of layers: first, first + 1, ..., end - 1.
struct Span {
  std::size_t first = 0, end = 0;
  [[nodiscard]] std::size_t size() const { return end - first; }
  bool operator==(const Span&) const = default;
};

class LayerWork {
 public:
  /// Work of every layer and pass on a device, of one process that has them all. No backward work below the lowest
  /// layer that trains. FLOPs are those that the device carries out (fused causal attention skips half of the scores
  /// where kernels are priced). The optimizer's work carries none: it is bound by memory and no model counts it.
  LayerWork(const Job& job, const Device& device, const DeviceWork& part);

  /// The same of a process that has these layers alone: its host is late, or not, with them.
  [[nodiscard]] LayerWork as_process(Span layers) const;

  /// Sum over a run of layers. A host that is late with a forward or backward pass is so evenly over it.
  [[nodiscard]] Work of(Pass pass, Span layers) const;
  /// The optimizer's, of all layers of the process; what its host is late is in the time, for nothing else of the step
  /// waits behind it.
  [[nodiscard]] Work update() const;
  /// Forward and backward of a layer, and forward again where it is recomputed, if a process had it alone.
  [[nodiscard]] Seconds round(std::size_t layer) const;
  /// Their FLOPs.
  [[nodiscard]] Flops round_flops(std::size_t layer) const;

  /// Forward work that recomputation does again, of the layers in the run; nothing where their segment has no backward
  /// pass, and without recomputation.
  [[nodiscard]] Work again(Span layers) const;
  /// Which layers recomputation runs forward as backward goes through `layers`, all behind it being done: whole
  /// segments when their last layer is met, but the last segment, whose activations are still there.
  [[nodiscard]] Span met_first_in(Span layers) const;
  /// First layer of the segment that a layer lies in.
  [[nodiscard]] std::size_t segment_start(std::size_t layer) const;

  [[nodiscard]] Span all() const { return {0, flops_[0].size()}; }

 private:
  void pace(Span process);
  [[nodiscard]] std::vector<bool> run_again_in(Span process) const;
  static std::size_t index(Pass pass) { return static_cast<std::size_t>(pass); }

  LayerTimes times_;
  std::array<std::vector<Flops>, 3> flops_;
  Span process_;
  double late_forward_ = 0, late_backward_ = 0;  // of what the device takes
  Seconds late_update_;
  std::vector<std::size_t> segments_;  // first layers
  std::vector<bool> again_;            // by layer; empty: nothing is recomputed
};

/// The work of ranks that all do the same, rank r on device r: asked of the cost model once for each kind of device.
class RankWork {
 public:
  RankWork(const Job& job, const DeviceWork& part);
  [[nodiscard]] const LayerWork& of(RankId rank) const;

 private:
  const ClusterDescription& cluster_;
  std::vector<LayerWork> by_group_;
};

}  // namespace orrery
