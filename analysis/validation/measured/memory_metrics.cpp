// Memory of the fullest device, as publications count it.
#include <algorithm>

#include "analysis/validation/measured/metrics.hpp"
#include "analysis/validation/measured/words.hpp"

namespace orrery {
namespace {

using Figure = double (*)(const LayoutMemory&);

double peak(const LayoutMemory& memory) {
  return memory.peak().value();
}

/// What tensors take, without context and what the allocator keeps beside them.
double allocated(const LayoutMemory& memory) {
  return (memory.peak() - memory.reserve).value();
}

double activations(const LayoutMemory& memory) {
  return memory.states.activations.value();
}

Ranged ranged(const SolvedCase& solved, Figure figure) {
  const auto held = [&](const StepPrediction& step) { return figure(step.memory); };
  return predicted_range(solved.row.job, solved.row.layout, held, solved.row.job.framework.model_error.value);
}

TrainingJob with_blocks(const SolvedCase& solved, std::int64_t layers) {
  TrainingJob job = solved.row.job;
  RowNetwork network = solved.row.network;
  network.shape.layers = layers;
  job.network = network.graph(solved.row.layout.tp);
  return job;
}

Predicted peak_in(const MeasuredRow& row, CaseSolver& solver, double unit) {
  const SolvedCase& solved = solver.solve(row);
  const bool is_allocated = has_words(words_of(row.notes), "allocated !reserved");
  Predicted predicted{ranged(solved, is_allocated ? allocated : peak) * (1 / unit), solved.row.assumed, {}};
  if (is_allocated) predicted.assumed.emplace_back("allocated alone, as the source counts");
  return predicted;
}

/// Korthikanti et al. 2022 count what the blocks keep, without embedding and head: what as many blocks again would add.
double of_blocks(const SolvedCase& solved, const Layout& layout) {
  const TransformerShape& shape = solved.row.network.shape;
  const auto kept = [&](std::int64_t layers) {
    return activations(LayoutJudge(with_blocks(solved, layers)).memory(layout));
  };
  return kept(2 * shape.layers) - kept(shape.layers);
}

void need_transformer(const SolvedCase& solved) {
  if (!solved.row.network.is_transformer()) throw RowSkipped("activations are counted by blocks of a transformer");
}

Ranged within_error(double value, const SolvedCase& solved) {
  const double error = solved.row.job.framework.model_error.value;
  return {value, value * (1 - error), value * (1 + error)};
}

Predicted activations_GiB(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  need_transformer(solved);
  Predicted predicted{within_error(of_blocks(solved, solved.row.layout) / gibi, solved), solved.row.assumed, {}};
  predicted.assumed.emplace_back("of the blocks alone, as the source counts");
  return predicted;
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
  Predicted predicted{as_sure_as(counted, solved.seconds) * (1 / gibi), solved.row.assumed, {}};
  predicted.assumed.emplace_back("matrices of the blocks alone, as the source counts");
  return predicted;
}

/// Of the same layout without recomputation and sequence parallelism.
Predicted relative_activations(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  Layout plain = solved.row.layout;
  plain.recompute = Recompute::none;
  plain.sequence_parallel = SequenceParallel::off;
  need_transformer(solved);
  const double ratio = 100 * of_blocks(solved, solved.row.layout) / of_blocks(solved, plain);
  return {within_error(ratio, solved), solved.row.assumed, {}};
}

Predicted peak_GiB(const MeasuredRow& row, CaseSolver& solver) {
  return peak_in(row, solver, gibi);
}

Predicted peak_GB(const MeasuredRow& row, CaseSolver& solver) {
  return peak_in(row, solver, giga);
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
