#include <algorithm>

#include "analysis/reports/reports.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// How a step's samples pass through one device.
struct Passes {
  double samples = 0, count = 1;
  double updates = 1;
};

/// Centralised: a replica's share of the step in microbatches. Federated: one local step of a client. Asynchronous: a
/// worker's gradient. Local SGD: every step up to an average.
Passes passes_of(const ResultRow& row) {
  const FederatedOptions& federated = row.strategy->federated;
  switch (row.strategy->kind) {
    case StrategyKind::federated: {
      const double clients = row.scenario->federation.clients();
      if (federated.local_batch > 0) return {static_cast<double>(federated.local_batch), 1};
      return {static_cast<double>(row.scenario->workload.dataset_samples) / clients, 1};
    }
    case StrategyKind::async:
      return {row.way->samples_per_step, 1};
    case StrategyKind::local_sgd: {
      const auto steps = static_cast<double>(federated.local_steps);
      return {row.way->samples_per_step / row.way->degrees.dp / steps, steps, steps};
    }
    default: {
      const double count = std::max(1, row.way->microbatches);
      return {row.way->samples_per_step / row.way->degrees.dp / count, count};
    }
  }
}

const Device& device_of(const ResultRow& row) {
  if (row.strategy->kind == StrategyKind::federated) return row.scenario->federation.groups.front().device;
  return row.strategy->cluster.description.device;
}

std::string layers_of(const ResultRow& row, const CostModel& cost) {
  const StrategySpec& strategy = *row.strategy;
  const LayerGraph& network = row.scenario->workload.network;
  const Passes passes = passes_of(row);
  const Device& device = device_of(row);
  const double stored = bytes_per_parameter(strategy.precision, OptimizerKind::sgd).weights;
  const std::vector<bool> has_backward = needs_gradient(network);
  std::string text;
  for (std::size_t index = 0; index < network.layers.size(); ++index) {
    const Layer& layer = network.layers[index];
    LayerCost figures = layer_cost(layer);
    if (!has_backward[index]) {
      figures.backward = Flops();
      figures.stored_numbers = 0;
    }
    const auto seconds = [&](Pass pass, double count) {
      if (pass == Pass::backward && !has_backward[index]) return number_text(0.0);
      return number_text(cost.time(layer, pass, passes.samples, device).value() * count);
    };
    text += csv_line({strategy.name, std::to_string(index), layer.name, std::string(name_of(layer.kind)),
                      number_text(figures.parameters), number_text(figures.forward.value()),
                      number_text(figures.backward.value()), number_text(figures.stored_numbers * stored), device.id,
                      number_text(passes.samples), number_text(passes.count), seconds(Pass::forward, passes.count),
                      seconds(Pass::backward, passes.count), seconds(Pass::optimizer, passes.updates)});
  }
  return text;
}

}  // namespace

std::string layers_csv(const std::vector<ResultRow>& rows, const Catalogue& catalogue) {
  std::string text = csv_line({"strategy", "layer", "name", "kind", "parameters", "forward_flops_per_sample",
                               "backward_flops_per_sample", "activation_bytes_per_sample", "device", "samples_per_pass",
                               "passes_per_step", "forward_s", "backward_s", "optimizer_s"});
  for (const ResultRow& row : rows) {
    if (row.simulated()) text += layers_of(row, cost_model(*row.scenario, *row.strategy, catalogue));
  }
  return text;
}

}  // namespace orrery
