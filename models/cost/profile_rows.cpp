#include "models/cost/profile_rows.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"
#include "sim/base/quantile.hpp"

namespace orrery {
namespace {

constexpr double shortest = 1e-9;  // seconds

double flops_of(const Layer& layer, Pass pass, const RecordedAs& as) {
  const LayerCost cost = layer_cost(layer);
  if (pass == Pass::optimizer) return cost.parameters * as.update_flops;
  return (pass == Pass::forward ? cost.forward : cost.backward).value() * as.batch;
}

ProfileRow row_of(const Layer& layer, Pass pass, const std::vector<double>& seconds, const RecordedAs& as) {
  const auto at = [&](double fraction) { return std::max(shortest, quantile(seconds, fraction)); };
  ProfileRow row{.layer = layer.name, .pass = pass, .batch = as.batch, .threads = as.threads};
  row.seconds = at(0.5);
  row.seconds_low = at(0.1);
  row.seconds_high = at(0.9);
  row.flops = flops_of(layer, pass, as);
  row.achieved_GFLOPS = row.flops / row.seconds / giga;
  return row;
}

}  // namespace

std::vector<ProfileRow> profile_rows(const LayerGraph& graph, const StepSeconds& seconds, const RecordedAs& as) {
  ORRERY_EXPECT(seconds.size() == graph.layers.size());
  std::vector<ProfileRow> rows;
  const std::vector<bool> has_backward = needs_gradient(graph);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    for (const Pass pass : {Pass::forward, Pass::backward, Pass::optimizer}) {
      if (pass == Pass::backward && !has_backward[i]) continue;
      if (pass == Pass::optimizer && trainable_parameters(layer) == 0) continue;
      rows.push_back(row_of(layer, pass, seconds[i][static_cast<std::size_t>(pass)], as));
    }
  }
  return rows;
}

}  // namespace orrery
