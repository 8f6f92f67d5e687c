#include <algorithm>

#include "analysis/reports/reports.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// How a step's samples pass through one device: `passes` times `samples`, one update at the end.
struct Passes {
  double samples = 0, count = 1;
};

/// Centralised: a replica's share of the step in microbatches. Federated: one local step of a client.
Passes passes_of(const Scenario& scenario, const StrategySpec& strategy, const Way& way) {
  if (strategy.kind == StrategyKind::federated) {
    if (strategy.local_batch > 0) return {static_cast<double>(strategy.local_batch), 1};
    return {static_cast<double>(scenario.workload.dataset_samples) / scenario.federation.clients(), 1};
  }
  const double count = std::max(1, way.microbatches);
  return {way.samples_per_step / way.degrees.dp / count, count};
}

const Device& device_of(const Scenario& scenario, const StrategySpec& strategy) {
  if (strategy.kind == StrategyKind::federated) return scenario.federation.groups.front().device;
  return strategy.cluster.description.device;
}

std::string layers_of(const Scenario& scenario, const StrategySpec& strategy, const Way& way, const CostModel& cost) {
  const Passes passes = passes_of(scenario, strategy, way);
  const Device& device = device_of(scenario, strategy);
  const double stored = bytes_per_parameter(strategy.precision, OptimizerKind::sgd).weights;
  const std::vector<bool> has_backward = needs_gradient(scenario.workload.network);
  std::string text;
  for (std::size_t index = 0; index < scenario.workload.network.layers.size(); ++index) {
    const Layer& layer = scenario.workload.network.layers[index];
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
                      seconds(Pass::backward, passes.count), seconds(Pass::optimizer, 1)});
  }
  return text;
}

}  // namespace

std::string layers_csv(const Scenario& scenario, const std::vector<Way>& ways, const Catalogue& catalogue) {
  std::string text = csv_line({"strategy", "layer", "name", "kind", "parameters", "forward_flops_per_sample",
                               "backward_flops_per_sample", "activation_bytes_per_sample", "device", "samples_per_pass",
                               "passes_per_step", "forward_s", "backward_s", "optimizer_s"});
  for (const Way& way : ways) {
    if (way.status != WayStatus::ok) continue;
    for (const StrategySpec& strategy : scenario.strategies) {
      if (strategy.name != way.strategy) continue;
      text += layers_of(scenario, strategy, way, cost_model(scenario, strategy, catalogue));
    }
  }
  return text;
}

}  // namespace orrery
