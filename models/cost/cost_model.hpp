// How long one layer takes on one device. `roofline`: from its FLOPs and bytes. `replay`: from executed steps on the
// host, scaled layer by layer by the ratio of the two devices' rooflines.
#pragma once

#include <optional>
#include <string>

#include "models/cost/layer_cost.hpp"
#include "models/cost/step_profile.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

/// What belongs to the software, not to the device; rows of models/cost/frameworks.csv with their source.
struct FrameworkProfile {
  std::string id, source;
  Seconds kernel_overhead;               // host or launch cost of one layer's pass
  double memory_efficiency = 1.0;        // share of the nominal memory bandwidth that streaming kernels reach
  double optimizer_bytes_sgd = 12;       // bytes moved per parameter and step, fp32: read w, g; write w
  double optimizer_bytes_momentum = 20;  // + read and write m
  double optimizer_bytes_adam = 28;      // read w, g, m, v; write w, m, v
  double straggler_per_doubling = 0;     // share of step time added per doubling of replicas
};
std::vector<FrameworkProfile> read_frameworks(Problems& problems);

enum class OptimizerKind : std::uint8_t { sgd, momentum, adam };
std::string_view name_of(OptimizerKind kind);

/// A share of a layer: `work` scales FLOPs, weights and outputs (tensor split), `input` scales the input it reads.
struct Share {
  double work = 1.0;
  double input = 1.0;
};

class CostModel {
 public:
  /// Roofline only.
  CostModel(FrameworkProfile framework, Precision precision, OptimizerKind optimizer);
  /// Replay: `profile` was recorded on `host` with `threads` threads.
  CostModel(FrameworkProfile framework, Precision precision, OptimizerKind optimizer, StepProfile profile, Device host,
            int threads);

  /// Seconds of one pass of one layer over `samples` samples. Optimizer: one update of the layer's parameters (samples
  /// ignored).
  [[nodiscard]] Seconds time(const Layer& layer, Pass pass, double samples, const Device& device,
                             Share share = {}) const;
  /// The roofline part alone: max(FLOPs / (peak x gemm_fraction), bytes / (memory bandwidth x memory_efficiency)) +
  /// kernel overhead.
  [[nodiscard]] Seconds roofline(const Layer& layer, Pass pass, double samples, const Device& device,
                                 Share share = {}) const;

  [[nodiscard]] bool replays() const { return profile_.has_value(); }
  [[nodiscard]] std::string name() const { return replays() ? "replay" : "roofline"; }
  [[nodiscard]] Precision precision() const { return precision_; }
  [[nodiscard]] OptimizerKind optimizer() const { return optimizer_; }
  [[nodiscard]] const FrameworkProfile& framework() const { return framework_; }

 private:
  [[nodiscard]] double measured_seconds(const Layer& layer, Pass pass,
                                        double samples) const;  // between measured batches: interpolated

  FrameworkProfile framework_;
  Precision precision_;
  OptimizerKind optimizer_;
  std::optional<StepProfile> profile_;
  std::optional<Device> host_;
  int threads_ = 1;
};

}  // namespace orrery
