#include <set>

#include "analysis/reports/column_helpers.hpp"
#include "analysis/reports/shared_figures.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string names_of_devices(const ResultRow& row) {
  if (row.strategy->kind != StrategyKind::federated) return device_names(row);
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const ClientGroup& group : row.scenario->federation.groups) {
    if (seen.insert(group.device.id).second) names.push_back(group.device.id);
  }
  return join(names, "+");
}

/// Degrees are known once the plan was made, which sets the samples of a step.
std::function<Cell(const ResultRow&)> degree(int Degrees::*which) {
  return [which](const ResultRow& row) -> Cell {
    if (row.way->samples_per_step <= 0) return {};
    return std::int64_t{row.way->degrees.*which};
  };
}

Cell global_batch(const ResultRow& row) {
  if (row.way->samples_per_step > 0) return row.way->samples_per_step;
  if (row.cosimulated()) return {};
  return static_cast<double>(row.scenario->workload.batch);
}

Cell collective(const ResultRow& row) {
  const StrategySpec& strategy = *row.strategy;
  if (strategy.kind == StrategyKind::hybrid) return row.way->layout ? to_cell(row.way->layout->collective) : Cell{};
  const bool splits = strategy.kind == StrategyKind::data || strategy.kind == StrategyKind::local_sgd ||
                      (strategy.kind == StrategyKind::model && strategy.split == Split::tensor);
  return splits ? to_cell(name_of(strategy.collective)) : Cell{};
}

Cell microbatches_of(const ResultRow& row) {
  if (row.cosimulated() || row.way->samples_per_step <= 0) return {};
  return std::int64_t{row.way->microbatches};
}

Cell zero_stage(const ResultRow& row) {
  return std::int64_t{row.strategy->kind == StrategyKind::hybrid ? row.strategy->hybrid.layout.zero_stage : 0};
}

Cell schedule(const ResultRow& row) {
  const StrategySpec& strategy = *row.strategy;
  if (strategy.kind == StrategyKind::pipeline) return to_cell(name_of(strategy.schedule));
  const Layout& layout = strategy.hybrid.layout;
  const bool pipelines = strategy.kind == StrategyKind::hybrid && layout.pp > 1;
  return pipelines ? to_cell(name_of(layout.schedule)) : Cell{};
}

Cell central_only(const ResultRow& row, Cell cell) {
  return row.cosimulated() ? Cell{} : std::move(cell);
}

}  // namespace

std::vector<Column> identity_columns() {
  const std::string group = "identity";
  return {
      {"scenario", "", group, "name of the scenario", [](const ResultRow& row) { return Cell{row.scenario->name}; }},
      {"strategy", "", group, "name of the way in the scenario",
       [](const ResultRow& row) { return Cell{row.strategy->name}; }},
      {"device", "", group,
       "catalogue id of the device; of several kinds in use, and of a federation's clients, joined by +",
       [](const ResultRow& row) { return to_cell(names_of_devices(row)); }},
      {"devices", "count", group,
       "devices that take part, a parameter server included; federated: clients that hold data",
       [](const ResultRow& row) { return Cell{participating_devices(row)}; }},
      {"dp", "count", group, "data-parallel degree: replicas; federated: clients per round", degree(&Degrees::dp)},
      {"tp", "count", group, "tensor-parallel degree: devices that share every layer", degree(&Degrees::tp)},
      {"pp", "count", group, "pipeline-parallel degree: stages, also of a split by layers", degree(&Degrees::pp)},
      {"cp", "count", group, "context-parallel degree: devices that share a sequence", degree(&Degrees::cp)},
      {"ep", "count", group, "expert-parallel degree: devices that share the experts", degree(&Degrees::ep)},
      {"zero_stage", "count", group,
       "ZeRO stage: 0, optimizer state, gradients and weights are all replicated; 1, optimizer state is shared out; 2, "
       "gradients too; 3, weights too",
       [](const ResultRow& row) { return central_only(row, zero_stage(row)); }},
      {"schedule", "", group, "order of work of a pipeline's stages: gpipe, 1f1b, zb-h1", schedule},
      {"microbatches", "count", group, "pieces that a step's batch is cut into", microbatches_of},
      {"global_batch_samples", "count", group, "samples of one optimizer step; federated: of one round, mean",
       global_batch},
      {"precision", "", group, "number format of weights, activations and messages",
       [](const ResultRow& row) { return to_cell(name_of(row.strategy->precision)); }},
      {"recompute", "", group,
       "activations computed again in backward: none, selective (attention's scores), alternate (every "
       "second segment), operators (all but fused attention and every second product), full (all but segments' inputs)",
       [](const ResultRow& row) { return to_cell(name_of(row.strategy->recompute)); }},
      {"collective", "", group, "algorithm of the collectives; hybrid: what the library takes for the gradients",
       collective},
      {"engine", "", group,
       "flow: contended network; closed-form: every message alone; measured: really executed, `orrery measure`",
       [](const ResultRow& row) {
         return row.way->measured ? to_cell("measured") : to_cell(name_of(row.scenario->engine));
       }},
      {"fidelity", "", group,
       "how collectives ran: exact, segments, collapsed, library, or mixed; blank for co-simulated ways",
       simulated([](const ResultRow& row) {
         return row.cosimulated() ? std::string_view{} : name_of(row.way->records.fidelity);
       })},
      {"compute_model", "", group,
       "replay: scaled from executed steps; roofline: from FLOPs and bytes; operators: kernel by kernel, by the laws "
       "of "
       "the device; executed: measured",
       [](const ResultRow& row) { return to_cell(compute_model(row)); }},
      {"status", "", group, "ok; infeasible: cannot be or does not fit; failed: the simulation ended with an error",
       [](const ResultRow& row) { return to_cell(name_of(row.way->status)); }},
      {"error", "", group, "why the way is not ok", [](const ResultRow& row) { return to_cell(row.way->error); }},
  };
}

}  // namespace orrery
