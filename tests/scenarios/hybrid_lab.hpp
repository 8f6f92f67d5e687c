// Layouts on systems of the shipped catalogue: their simulation, and the closed form that prices them.
#pragma once

#include <string>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/way.hpp"
#include "tests/catch.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {

/// Reads a scenario given as text against the shipped catalogue; its file is called lab.toml.
Scenario shipped_lab(const std::string& text);

/// The first strategy as it comes out: ok or not.
Way tried(const Scenario& scenario, EngineKind engine = EngineKind::closed_form);
/// The first strategy, checked to be ok.
Way simulated(const Scenario& scenario, EngineKind engine = EngineKind::closed_form);

/// Seconds of a step, with what its stragglers cost.
double step_of(const Way& way);
/// The same on the flow engine, in a process of its own; -1 when the way is not ok.
double flow_step(const Scenario& scenario);
/// The same by the closed form of layouts, without a simulation.
StepParts predicted_parts(const Scenario& scenario);
double predicted(const Scenario& scenario);

}  // namespace orrery
