// Figures that compare two runs: scaling efficiency, speed-up of pipelines.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/validation/measured/metrics.hpp"
#include "analysis/validation/measured/words.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// The same work per device on so many devices, by data alone.
MeasuredRow on_devices(const MeasuredRow& row, std::int64_t devices) {
  MeasuredRow other = row;
  other.devices = other.dp = devices;
  other.tp = other.pp = 1;
  if (row.global_batch) other.global_batch = std::max<std::int64_t>(1, *row.global_batch * devices / *row.devices);
  if (row.devices_per_node) other.devices_per_node = std::min(*row.devices_per_node, devices);
  return other;
}

/// Of data parallelism at a constant batch per device, against one device, or those of "from 8 to 256" in the notes.
Predicted scaling_efficiency(const MeasuredRow& row, CaseSolver& solver) {
  const bool by_data = row.tp.value_or(1) == 1 && row.pp.value_or(1) == 1;
  if (!row.devices || !by_data) throw RowSkipped("scaling of more than data parallelism: the reference run is unknown");
  const double base = number_beside(row.notes, "from", 1).value_or(1);
  if (base < 1 || base >= static_cast<double>(*row.devices)) throw RowSkipped("the reference run is unknown");
  const SolvedCase& solved = solver.solve(on_devices(row, *row.devices));
  MeasuredRow whole = row;  // a batch that was rounded is so for both runs
  if (row.global_batch) whole.global_batch = solved.row.job.batch;
  const SolvedCase& reference = solver.solve(on_devices(whole, static_cast<std::int64_t>(base)));
  const double scale = row.unit == "%" ? 100 : 1;
  // Constants of the device move both runs alike: what is left is the time that the larger one adds.
  const double added = std::max(0.0, 1 - reference.seconds.value / solved.seconds.value);
  const double off = solved.row.job.framework.model_error.value + added / 3;
  const double ratio = 1 - added;
  Predicted predicted{{ratio * scale, std::max(0.0, ratio - off) * scale, std::min(1.0, ratio + off) * scale},
                      solved.row.assumed,
                      {scale, 1, NullModel::Rate::scaling}};
  predicted.assumed.push_back(fmt::format("against {} device(s)", number_text(base)));
  return predicted;
}

/// K M / (K - 1 + M): micro-batches of equal stages that pass through a GPipe pipeline, in steps of one stage, against
/// one device (Huang et al. 2019, section 2.3).
double pipeline_speedup(double stages, double microbatches) {
  return stages * microbatches / (stages - 1 + microbatches);
}

Predicted speedup_over(const MeasuredRow& row, double stages, double microbatches) {
  if (!row.pp) throw RowSkipped("missing: pp");
  if (!has_words(words_of(row.model), "transformer")) {
    throw RowSkipped("stages of unequal work, of a network that the catalogue does not have");
  }
  const auto count = number_beside(row.notes, "micro", -1);
  if (!count) throw RowSkipped("missing: number of micro-batches, in the notes");
  const double ratio = pipeline_speedup(static_cast<double>(*row.pp), *count) / pipeline_speedup(stages, microbatches);
  // assumed: messages and unequal ends of the pipeline, and half of the bubble, as few micro-batches are larger ones
  const double bubble = (static_cast<double>(*row.pp) - 1) / (static_cast<double>(*row.pp) - 1 + *count);
  const double error = 0.15 + bubble / 2;
  return {{ratio, ratio * (1 - error), ratio * (1 + error)},
          {"stages of equal work, transfers and overheads left out"},
          {static_cast<double>(*row.pp), 1, NullModel::Rate::scaling}};
}

Predicted speedup_over_two_and_one(const MeasuredRow& row, CaseSolver&) {
  return speedup_over(row, 2, 1);
}

Predicted speedup_over_two(const MeasuredRow& row, CaseSolver&) {
  return speedup_over(row, 2, number_beside(row.notes, "micro", -1).value_or(1));
}

}  // namespace

std::vector<Metric> ratio_metrics() {
  return {{"scaling_efficiency", "%", scaling_efficiency},
          {"scaling_efficiency", "fraction", scaling_efficiency},
          {"speedup_vs_K2_M1", "x", speedup_over_two_and_one},
          {"speedup_vs_K2", "x", speedup_over_two}};
}

}  // namespace orrery
