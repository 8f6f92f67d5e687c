// What a whole training takes, or a pass over its data: time, hours of all devices.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/validation/measured/metrics.hpp"
#include "analysis/validation/measured/training_length.hpp"
#include "analysis/validation/measured/words.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// Residual networks are trained on ImageNet where the row names no set.
double samples_of_training(const MeasuredRow& row, const TrainingAmount& amount, const SolvedCase& solved) {
  switch (amount.unit) {
    case TrainingAmount::Unit::samples:
      return amount.count;
    case TrainingAmount::Unit::tokens:
      if (solved.row.network.shape.tokens > 0)
        return amount.count / static_cast<double>(solved.row.network.shape.tokens);
      throw RowSkipped("tokens of a network that reads none");
    case TrainingAmount::Unit::epochs:
      break;
  }
  const auto named = samples_of_epoch(row);
  if (!named && !has_words(words_of(row.model), "resnet*")) throw RowSkipped("missing: samples of an epoch");
  return amount.count * named.value_or(imagenet_images);
}

struct LengthOfTraining {
  Ranged seconds;
  std::vector<std::string> assumed;
  double work = 0;     // FLOPs of one device
  double devices = 0;  // of the last phase
};

void add_phase(LengthOfTraining& length, const TrainingPhase& phase, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(phase.row);
  const double samples = samples_of_training(phase.row, phase.amount, solved);
  const double steps = samples / static_cast<double>(solved.row.job.batch);
  const Ranged seconds = solved.seconds * steps;
  length.seconds.value += seconds.value;
  length.seconds.low += seconds.low;  // the constants are those of the other phases
  length.seconds.high += seconds.high;
  for (const std::string& told : solved.row.assumed) {
    if (std::ranges::find(length.assumed, told) == length.assumed.end()) length.assumed.push_back(told);
  }
  length.assumed.push_back(fmt::format("{} samples", number_text(std::round(samples))));
  length.work += work_per_device(solved) * steps;
  length.devices = static_cast<double>(solved.row.layout.devices());
}

LengthOfTraining length_of(const MeasuredRow& row, CaseSolver& solver) {
  LengthOfTraining length;
  for (const TrainingPhase& phase : training_phases(row)) add_phase(length, phase, solver);
  return length;
}

/// In a unit of so many seconds, or device-seconds.
Predicted told(LengthOfTraining length, double unit) {
  return {length.seconds * (1 / unit), std::move(length.assumed), {length.work / unit, -1}};
}

Predicted time_to_train(const MeasuredRow& row, CaseSolver& solver) {
  return told(length_of(row, solver), *seconds_per(row.unit));
}

Predicted device_hours(const MeasuredRow& row, CaseSolver& solver) {
  LengthOfTraining length = length_of(row, solver);
  const double unit = *seconds_per("h") / length.devices;
  return told(std::move(length), unit);
}

Predicted time_per_epoch(const MeasuredRow& row, CaseSolver& solver) {
  const auto samples = samples_of_epoch(row);
  if (!samples) throw RowSkipped("missing: samples of an epoch");
  LengthOfTraining length;
  add_phase(length, {row, {TrainingAmount::Unit::samples, *samples}}, solver);
  return told(std::move(length), *seconds_per(row.unit));
}

}  // namespace

std::vector<Metric> length_metrics() {
  return {{"time_to_train", "time", time_to_train},
          {"ideal_training_time", "time", time_to_train},
          {"time_per_epoch", "time", time_per_epoch},
          {"gpu_hours", "GPU-h", device_hours},
          {"gpu_hours", "GPU-hours", device_hours},
          {"gpu_hours", "hours", device_hours},
          {"gpu_hours", "h", device_hours}};
}

}  // namespace orrery
