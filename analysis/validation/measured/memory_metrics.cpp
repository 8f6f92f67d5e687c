// Memory of the fullest device, as publications count it.
#include "analysis/validation/measured/metrics.hpp"

namespace orrery {
namespace {

using Figure = double (*)(const LayoutMemory&);

double peak(const LayoutMemory& memory) {
  return memory.peak().value();
}

double activations(const LayoutMemory& memory) {
  return memory.states.activations.value();
}

Ranged ranged(const SolvedCase& solved, Figure figure) {
  return predicted_range(solved.row.job, solved.row.layout,
                         [&](const StepPrediction& step) { return figure(step.memory); });
}

Predicted in_unit(const SolvedCase& solved, Figure figure, double unit) {
  return {times(ranged(solved, figure), 1 / unit), solved.row.assumed, {}};
}

Predicted peak_GiB(const MeasuredRow& row, CaseSolver& solver) {
  return in_unit(solver.solve(row), peak, gibi);
}

Predicted peak_GB(const MeasuredRow& row, CaseSolver& solver) {
  return in_unit(solver.solve(row), peak, giga);
}

Predicted activations_GiB(const MeasuredRow& row, CaseSolver& solver) {
  return in_unit(solver.solve(row), activations, gibi);
}

/// Numbers that one rank of the first stage holds.
double held_by_first(const SolvedCase& solved) {
  const LayoutPrices prices = LayoutJudge(solved.row.job).prices(solved.row.layout);
  double held = 0;
  for (const ChunkPrice& chunk : prices.stages.front().chunks) {
    held += chunk.parameters + chunk.expert_parameters;
  }
  return held;
}

/// Weights of the products in the blocks: the head, last of the dense layers, is none of them.
double block_weights(const LayerGraph& graph) {
  double sum = 0, last = 0;
  for (const Layer& layer : graph.layers) {
    if (layer.kind != LayerKind::dense) continue;
    sum += last;
    last = static_cast<double>(weights(layer));
  }
  return sum;
}

/// Korthikanti et al. 2022 count the matrices of the blocks alone: 12 h^2 L / (p t) numbers.
Predicted states_GiB(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  const MemoryEstimate& states = solved.step.memory.states;
  const double bytes_each = (states.weights + states.gradients + states.optimizer).value() / held_by_first(solved);
  const Layout& layout = solved.row.layout;
  const double counted = bytes_each * block_weights(solved.row.job.network) / layout.tp / layout.pp;
  Predicted predicted{times(as_sure_as(counted, solved.seconds), 1 / gibi), solved.row.assumed, {}};
  predicted.assumed.emplace_back("matrices of the blocks alone, as the source counts");
  return predicted;
}

/// Of the same layout without recomputation and sequence parallelism.
Predicted relative_activations(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  Layout plain = solved.row.layout;
  plain.recompute = Recompute::none;
  plain.sequence_parallel = SequenceParallel::off;
  const double whole = activations(LayoutJudge(solved.row.job).memory(plain));
  const double part = activations(solved.step.memory);
  const double ratio = 100 * part / whole;
  const double error = solved.row.job.framework.model_error.value;
  return {{ratio, ratio * (1 - error), ratio * (1 + error)}, solved.row.assumed, {}};
}

}  // namespace

std::vector<Metric> memory_metrics() {
  return {{"peak_memory", "GiB", peak_GiB},
          {"peak_memory", "GB", peak_GB},
          {"memory_activations", "GiB", activations_GiB},
          {"memory_params_optimizer", "GiB", states_GiB},
          {"activation_memory_rel_to_no_recompute", "%", relative_activations}};
}

}  // namespace orrery
