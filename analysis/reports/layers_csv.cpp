#include <algorithm>
#include <cstddef>

#include "analysis/reports/csv_helpers.hpp"
#include "analysis/reports/reports.hpp"
#include "models/layouts/step_prediction.hpp"
#include "scenarios/strategies/building.hpp"
#include "scenarios/training_job.hpp"
#include "sim/base/csv.hpp"

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

/// Of a layer as a step works on it: seconds of one pass, kept activations of one sample.
struct LayerFigures {
  Seconds forward, backward, optimizer;
  double kept_bytes = 0;
};

/// A hybrid layout: as its rank works on it.
std::vector<LayerFigures> figures_in_layout(const ResultRow& row) {
  const Layout& layout = row.strategy->hybrid.layout;
  const auto samples = static_cast<double>(layout.microbatch);
  std::vector<LayerFigures> figures;
  for (const LayerPrice& price : LayoutJudge(training_job(*row.scenario, *row.strategy)).layer_prices(layout)) {
    figures.push_back({price.forward, price.backward, price.optimizer, price.kept.value() / samples});
  }
  return figures;
}

/// Another strategy: whole.
std::vector<LayerFigures> figures_of_whole(const ResultRow& row, const CostModel& cost) {
  const LayerGraph& network = row.scenario->workload.network;
  const Passes passes = passes_of(row);
  const int before_update = static_cast<int>(passes.count / passes.updates);
  const LayerTimes times = cost.times(network, device_of(row), {passes.samples, before_update});
  const std::vector<Bytes> kept =
      kept_by_layers(network, in_flight(*row.scenario, *row.strategy, cost, 1), row.strategy->precision);
  std::vector<LayerFigures> figures;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    figures.push_back(
        {times.of(Pass::forward)[i], times.of(Pass::backward)[i], times.of(Pass::optimizer)[i], kept[i].value()});
  }
  return figures;
}

/// A layer of a row's network.
struct LayerLine {
  std::size_t index = 0;
  const Layer& layer;
  LayerCost cost;
  Flops backward;  // 0 where nothing needs its gradient
  LayerFigures figures;
  Passes passes;
};

/// Seconds of a step.
template <auto Member>
std::string of_passes(const ResultRow& /*row*/, const LayerLine& line) {
  return number_text(line.figures.*Member * line.passes.count);
}
std::string of_updates(const ResultRow& /*row*/, const LayerLine& line) {
  return number_text(line.figures.optimizer * line.passes.updates);
}

const std::vector<CsvColumn<ResultRow, LayerLine>>& layer_columns() {
  static const std::vector<CsvColumn<ResultRow, LayerLine>> columns = {
      {"strategy", [](const ResultRow& row, const LayerLine&) { return row.strategy->name; }},
      {"layer", [](const ResultRow&, const LayerLine& line) { return std::to_string(line.index); }},
      {"name", [](const ResultRow&, const LayerLine& line) { return line.layer.name; }},
      {"kind", [](const ResultRow&, const LayerLine& line) { return std::string(name_of(line.layer.kind)); }},
      {"parameters", [](const ResultRow&, const LayerLine& line) { return number_text(line.cost.parameters); }},
      {"forward_flops_per_sample",
       [](const ResultRow&, const LayerLine& line) { return number_text(line.cost.forward); }},
      {"backward_flops_per_sample", [](const ResultRow&, const LayerLine& line) { return number_text(line.backward); }},
      {"activation_bytes_per_sample",
       [](const ResultRow&, const LayerLine& line) { return number_text(line.figures.kept_bytes); }},
      {"device", [](const ResultRow& row, const LayerLine&) { return device_of(row).id; }},
      {"samples_per_pass", [](const ResultRow&, const LayerLine& line) { return number_text(line.passes.samples); }},
      {"passes_per_step", [](const ResultRow&, const LayerLine& line) { return number_text(line.passes.count); }},
      {"forward_s", of_passes<&LayerFigures::forward>},
      {"backward_s", of_passes<&LayerFigures::backward>},
      {"optimizer_s", of_updates},
  };
  return columns;
}

std::string layers_of(const ResultRow& row, const std::vector<LayerFigures>& figures) {
  const LayerGraph& network = row.scenario->workload.network;
  const Passes passes = passes_of(row);
  const std::vector<bool> has_backward = needs_gradient(network);
  std::string text;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const LayerCost cost = layer_cost(layer);
    const Flops backward = has_backward[i] ? cost.backward : Flops();
    text += csv_line(cells_of(layer_columns(), row, LayerLine{i, layer, cost, backward, figures[i], passes}));
  }
  return text;
}

}  // namespace

std::string layers_csv(const std::vector<ResultRow>& rows, const Catalogue& catalogue) {
  std::string text = csv_line(names_of(layer_columns()));
  for (const ResultRow& row : rows) {
    if (!row.simulated()) continue;
    const bool is_hybrid = row.strategy->kind == StrategyKind::hybrid;
    text += layers_of(row, is_hybrid ? figures_in_layout(row)
                                     : figures_of_whole(row, cost_model(*row.scenario, *row.strategy, catalogue)));
  }
  return text;
}

}  // namespace orrery
