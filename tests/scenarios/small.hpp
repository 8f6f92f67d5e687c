// A hand-made catalogue and the pieces that tests of scenarios and strategies share.
#pragma once

#include <string>

#include "scenarios/plan.hpp"

namespace orrery {

/// Devices `gpu` (1 GFLOP/s in every format, 1 GB, memory as fast as wanted: layers without FLOPs take no time) and
/// `phone`; links `bus` (10 GB/s, 1 us), `net` (1 GB/s, 10 us) and `wan` (10 MB/s down, 1 MB/s up, 50 ms); system `box`
/// (4 gpu on a bus, 2 NICs on the net, at most 2 nodes); grid `windy` (50 g/kWh).
const Catalogue& small_catalogue();

/// Reads a scenario given as text; its file is called lab.toml.
Scenario scenario_of(const std::string& text);

/// [workload] of the 2NN (784-200-200-10) on the ideal framework, and a [cluster] of 8 gpu, each its own node on `net`.
std::string two_layer_lab(const std::string& workload_keys = "");

/// A scenario with its cluster and cost models, which a Job only refers to.
class Lab {
 public:
  explicit Lab(const std::string& text);
  /// Plan of a strategy, checked to be one that can run.
  [[nodiscard]] Plan plan(std::size_t strategy = 0) const;
  /// That plan, run on the given engine.
  [[nodiscard]] Records run(const Plan& plan, EngineKind engine = EngineKind::closed_form,
                            std::size_t strategy = 0) const;
  [[nodiscard]] const Scenario& scenario() const { return scenario_; }

 private:
  Scenario scenario_;
};

}  // namespace orrery
