// The plan of a network that runs through stages, for any order of work: what `pipeline` and `model split = layers`
// share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/layouts/schedules.hpp"
#include "scenarios/strategies/building.hpp"

namespace orrery {

struct StageOrder {
  int microbatches = 1;
  std::string unit;                                // what the batch is cut into, for messages: "micro-batches"
  std::function<std::vector<Task>(int stage)> of;  // order of work of a stage
};

/// Of a pipeline: its schedule. Of a split by layers: each micro-step forward and backward before the next begins.
StageOrder stage_order(const StrategySpec& strategy);

/// One stage per device of the strategy, cut where the fewest bytes cross while forward + backward times stay balanced
/// within stage_slack (stages.hpp); activations and gradients cross every cut as messages between neighbours (a tensor
/// that skips stages is handed on by each); an all-reduce between the holders of tied weights; the optimizer ends each
/// stage. Memory is that of the fullest stage. Throws Infeasible when there are more stages than layers or the
/// micro-batches do not divide the batch.
Plan plan_stages(const Job& job, const StageOrder& order);

/// The layers of each stage in that plan: what a real execution gives its ranks.
std::vector<Span> stage_spans(const Job& job, const StageOrder& order);

}  // namespace orrery
