#include "scenarios/central_learning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "models/training/training.hpp"

namespace orrery {
namespace {

bool is_central(const Scenario& scenario, const Way& way) {
  const auto& all = scenario.strategies;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const StrategySpec& s) { return s.name == way.strategy; });
  return found != all.end() && found->kind != StrategyKind::federated && way.status == WayStatus::ok;
}

CentralOptions learning_options(const WorkloadSpec& workload, std::uint64_t seed) {
  CentralOptions options;
  options.batch = workload.batch;
  options.evaluate_every = workload.evaluate_every;
  options.target_accuracy = workload.target_accuracy;
  options.optimizer = workload.optimizer;
  options.seed = seed;
  options.steps = workload.steps;
  return options;
}

void put_on_clock(const std::vector<CentralPoint>& points, const WorkloadSpec& workload, Way& way) {
  const Seconds step = way.records.makespan * (1.0 + way.straggler_share);
  const Bytes bytes = bytes_sent(way.records);
  for (const CentralPoint& point : points) {
    const auto steps = static_cast<double>(point.step);
    CurvePoint at;
    at.round = point.step;
    at.epoch = point.epoch;
    at.time = way.data_transfer.time + step * steps;
    at.bytes = way.data_transfer.bytes + bytes * steps;
    at.accuracy = point.test.accuracy;
    at.loss = point.test.loss;
    at.train_loss = point.train_loss;
    way.curve.push_back(at);
  }
  way.curve_source = CurveSource::shared;
  way.steps = static_cast<double>(points.back().step);
  way.target_reached = workload.target_accuracy > 0 && points.back().test.accuracy >= workload.target_accuracy;
}

}  // namespace

Bytes bytes_sent(const Records& records) {
  Bytes sum;
  for (const Activity& activity : records.activities) sum += activity.bytes;
  return sum;
}

void learn_centrally(const Scenario& scenario, std::vector<Way>& ways, const Progress& progress) {
  const auto central = [&](const Way& way) { return is_central(scenario, way); };
  if (!scenario.workload.learn || std::none_of(ways.begin(), ways.end(), central)) return;
  const CentralOptions options = learning_options(scenario.workload, scenario.seed);
  const auto report = [&](const CentralPoint& point) {
    if (!progress) return;
    progress("learning centrally", static_cast<double>(point.step) / static_cast<double>(options.steps),
             fmt::format("step {}, accuracy {:.4f}", point.step, point.test.accuracy));
  };
  try {
    const DataSet data = load_data_set(scenario.workload.dataset, scenario.seed);
    const auto points = train_central(scenario.workload.network, data, options, report);
    if (points.empty()) return;
    for (Way& way : ways) {
      if (central(way)) put_on_clock(points, scenario.workload, way);
    }
  } catch (const std::runtime_error& error) {
    for (Way& way : ways) {
      if (!central(way)) continue;
      way.status = WayStatus::failed;
      way.error = fmt::format("scenario {}, strategy {}: learning: {}", scenario.name, way.strategy, error.what());
    }
  }
}

}  // namespace orrery
