// Times of one block of a transformer.
#include "analysis/validation/measured/metrics.hpp"

namespace orrery {
namespace {

struct BlockTimes {
  double forward = 0, backward = 0;
};

BlockTimes of_stages(const LayoutPrices& prices) {
  BlockTimes sum;
  for (const StagePrice& stage : prices.stages) {
    for (const ChunkPrice& chunk : stage.chunks) {
      sum.forward += (chunk.forward + chunk.tensor_forward + chunk.late).value();
      sum.backward += (chunk.backward_input + chunk.backward_weights + chunk.tensor_backward + chunk.recompute +
                       chunk.tensor_recompute + chunk.late_back)
                          .value();
    }
  }
  return sum;
}

BlockTimes with_layers(const SolvedCase& solved, std::int64_t layers) {
  TrainingJob job = solved.row.job;
  RowNetwork network = solved.row.network;
  network.shape.layers = layers;
  job.network = network.graph(solved.row.layout.tp);
  return of_stages(LayoutJudge(std::move(job)).prices(solved.row.layout));
}

/// What one layer more adds: embedding and head, and the host's share of a micro-batch, fall out. The row's own layers
/// are what it measured, whatever the model has.
BlockTimes of_one_block(const SolvedCase& solved) {
  constexpr std::int64_t some = 4;
  const BlockTimes fewer = with_layers(solved, some), more = with_layers(solved, 2 * some);
  return {(more.forward - fewer.forward) / some, (more.backward - fewer.backward) / some};
}

Predicted sure_as_step(const MeasuredRow& row, const SolvedCase& solved, double seconds) {
  return {as_sure_as(seconds / *seconds_per(row.unit), solved.seconds), solved.row.assumed, {}};
}

Predicted forward(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return sure_as_step(row, solved, of_one_block(solved).forward);
}

Predicted backward(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return sure_as_step(row, solved, of_one_block(solved).backward);
}

Predicted both(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  const BlockTimes times = of_one_block(solved);
  return sure_as_step(row, solved, times.forward + times.backward);
}

}  // namespace

std::vector<Metric> layer_metrics() {
  return {{"layer_forward_time", "time", forward},
          {"layer_backward_time", "time", backward},
          {"layer_fwd_bwd_time", "time", both}};
}

}  // namespace orrery
