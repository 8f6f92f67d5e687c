// The part of a way that its plan already says, whether it is then simulated or executed.
#pragma once

#include "scenarios/plan.hpp"
#include "scenarios/way.hpp"

namespace orrery {

/// Fills everything that stands before anything has happened: degrees, micro-batches, samples and FLOPs of a step,
/// notes, where the ranks are placed, on what platform, and how many steps the scenario asks for. Not the estimates of
/// memory and stragglers.
void fill_from_plan(const Scenario& scenario, const Cluster& cluster, const Plan& plan, Way& way);

/// After a simulation: the links of a folded platform get the rates and bytes of those that they stand for.
void widen_links(const Plan& plan, Way& way);

}  // namespace orrery
