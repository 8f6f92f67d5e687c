// One step in figures: its time, its devices, what they computed and what they sent. Co-simulated ways: the mean server
// step.
#pragma once

#include <optional>

#include "analysis/metrics/ledger.hpp"
#include "analysis/metrics/step_time.hpp"
#include "analysis/metrics/traffic.hpp"
#include "scenarios/way.hpp"

namespace orrery {

struct StepFigures {
  StepTime time;
  double devices = 0;                  // kept busy at the same time, mean
  std::optional<FlopsPerSecond> peak;  // of these; nothing: a device has none at this precision
  std::optional<Flops> executed;       // recomputation included; nothing: unknown
  Traffic traffic;
  double bytes_per_device = 0;
  Bottleneck bottleneck;
};

StepFigures central_step(const Way& way, Precision precision);

/// `totals`: of the whole run. Devices: client-seconds online on a trip / seconds of the run.
StepFigures cosimulated_step(const Way& way, Precision precision, const Population& population,
                             const FederationSite& site, const FederatedTotals& totals);

}  // namespace orrery
