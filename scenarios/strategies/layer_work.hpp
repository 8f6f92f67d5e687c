// The compute part of a plan: seconds and FLOPs of layers, asked of the cost model once and then added up over runs of
// layers.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "scenarios/plan.hpp"

namespace orrery {

struct Work {
  Seconds time;
  Flops flops;
  Work& operator+=(const Work& other);
};

/// A run of layers: first, first + 1, ..., end - 1.
struct Span {
  std::size_t first = 0, end = 0;
  [[nodiscard]] std::size_t size() const { return end - first; }
  bool operator==(const Span&) const = default;
};

class LayerWork {
 public:
  /// Work of every layer and pass on a device. No backward work below the lowest layer that trains. The optimizer's
  /// work carries no FLOPs: it is bound by memory and no model counts it.
  LayerWork(const Job& job, const Device& device, const DeviceWork& part);

  [[nodiscard]] const Work& of(Pass pass, std::size_t layer) const { return work_[index(pass)][layer]; }
  /// Sum over a run of layers.
  [[nodiscard]] Work of(Pass pass, Span layers) const;

  /// Forward work that recomputation does again, of the layers in the run; nothing where their segment has no backward
  /// pass, and without recomputation.
  [[nodiscard]] Work again(Span layers) const;
  /// Which layers recomputation runs forward as backward goes through `layers`, all behind it being done: whole
  /// segments when their last layer is met, but the last segment, whose activations are still there.
  [[nodiscard]] Span met_first_in(Span layers) const;
  /// First layer of the segment that a layer lies in.
  [[nodiscard]] std::size_t segment_start(std::size_t layer) const;

  [[nodiscard]] Span all() const { return {0, work_[0].size()}; }

 private:
  static std::size_t index(Pass pass) { return static_cast<std::size_t>(pass); }
  std::array<std::vector<Work>, 3> work_;
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
