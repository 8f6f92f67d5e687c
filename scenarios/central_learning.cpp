#include "scenarios/central_learning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "models/training/central_trainer.hpp"
#include "models/training/weights_file.hpp"

namespace orrery {
namespace {

const StrategySpec* strategy_of(const Scenario& scenario, const Way& way) {
  const auto& all = scenario.strategies;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const StrategySpec& s) { return s.name == way.strategy; });
  return found == all.end() ? nullptr : &*found;
}

/// What tells one run of learning from another: the mathematics, not how they are split over devices.
struct LearningRun {
  Precision precision;
  std::uint64_t seed;
};

/// The ways that one run of learning serves: synchronous, ok, in its precision and of its seed.
std::vector<Way*> ways_of(const Scenario& scenario, const LearningRun& run, std::vector<Way>& ways) {
  std::vector<Way*> served;
  for (Way& way : ways) {
    const StrategySpec* strategy = strategy_of(scenario, way);
    if (strategy == nullptr || learns_alone(strategy->kind) || way.status != WayStatus::ok) continue;
    if (strategy->precision == run.precision && way.seed == run.seed) served.push_back(&way);
  }
  return served;
}

CentralOptions learning_options(const WorkloadSpec& workload, Precision precision, std::uint64_t seed) {
  CentralOptions options;
  options.batch = workload.batch;
  options.evaluate_every = workload.evaluate_every;
  options.target_accuracy = workload.target_accuracy;
  options.optimizer = workload.optimizer;
  options.optimizer.schedule.total = workload.steps;
  options.seed = seed;
  options.steps = workload.steps;
  options.accumulation = workload.accumulation;
  options.storage = storage_of(precision);
  options.recompute = workload.recompute;
  options.prefetch = workload.prefetch;
  options.augmentation = workload.augmentation;
  options.start = first_weights(workload, seed);
  return options;
}

void put_on_clock(const std::vector<CentralPoint>& points, const WorkloadSpec& workload, CurveSource source, Way& way) {
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
  way.curve_source = source;
  way.steps = static_cast<double>(points.back().step);
  way.target_reached = workload.target_accuracy > 0 && points.back().test.accuracy >= workload.target_accuracy;
}

}  // namespace

Bytes bytes_sent(const Records& records) {
  Bytes sum;
  for (const Activity& activity : records.activities) sum += activity.bytes;
  return sum;
}

Storage storage_of(Precision precision) {
  return precision == Precision::bf16 ? Storage::bf16 : Storage::fp32;
}

std::vector<float> first_weights(const WorkloadSpec& workload, std::uint64_t seed) {
  const ExecutionPlan plan(workload.network);
  std::vector<float> weights = initial_weights(plan, seed);
  if (workload.weights.initial.empty()) return weights;
  Problems problems;
  read_weights(workload.weights.initial, plan, workload.weights.fresh, weights, problems);
  problems.throw_if_any();
  return weights;
}

namespace {

/// Of two runs, the first synchronous strategy's leaves its weights.
Precision saved_precision(const Scenario& scenario, const std::vector<Way>& ways) {
  for (const Way& way : ways) {
    const StrategySpec* strategy = strategy_of(scenario, way);
    if (strategy != nullptr && !learns_alone(strategy->kind)) return strategy->precision;
  }
  return scenario.workload.precision;
}

/// `file`: for the weights; empty: none.
std::vector<CentralPoint> learn(const Scenario& scenario, const LearningRun& run, const std::string& file,
                                const Progress& progress) {
  const CentralOptions options = learning_options(scenario.workload, run.precision, run.seed);
  const auto report = [&](const CentralPoint& point) {
    if (!progress) return;
    progress("learning centrally", static_cast<double>(point.step) / static_cast<double>(options.steps),
             fmt::format("step {}, accuracy {:.4f}", point.step, point.test.accuracy));
  };
  const DataSet data = load_data_set(scenario.workload.dataset, run.seed);
  CentralTrainer trainer(scenario.workload.network, data.train, options);
  std::vector<CentralPoint> points = train(trainer, data.test, options, report);
  if (!file.empty()) write_weights(file, *trainer.plan(), trainer.weights());
  return points;
}

/// Learns and puts the curve on the clock of each of these ways; a run that fails makes them failed.
template <class Learn>
void serve(const Scenario& scenario, const std::vector<Way*>& ways, CurveSource source, const Learn& learn_curve) {
  try {
    const std::vector<CentralPoint> points = learn_curve();
    for (Way* way : ways) put_on_clock(points, scenario.workload, source, *way);
  } catch (const std::runtime_error& error) {
    for (Way* way : ways) {
      way->status = WayStatus::failed;
      way->error = fmt::format("scenario {}, strategy {}: learning: {}", scenario.name, way->strategy, error.what());
    }
  }
}

void learn_shared(const Scenario& scenario, std::vector<Way>& ways, const Progress& progress) {
  std::set<std::uint64_t> seeds;
  for (const Way& way : ways) seeds.insert(way.seed);
  for (const std::uint64_t seed : seeds) {
    for (const Precision precision : {Precision::fp32, Precision::bf16}) {
      const LearningRun run{precision, seed};
      const std::vector<Way*> served = ways_of(scenario, run, ways);
      if (served.empty()) continue;
      const bool is_saved = precision == saved_precision(scenario, ways);
      const std::string file = is_saved ? scenario.workload.weights.save : std::string();
      serve(scenario, served, CurveSource::shared, [&] { return learn(scenario, run, file, progress); });
    }
  }
}

}  // namespace

void learn_centrally(const Scenario& scenario, std::vector<Way>& ways, const Progress& progress) {
  if (!scenario.workload.learn) return;
  learn_shared(scenario, ways, progress);
  for (Way& way : ways) {
    const StrategySpec* strategy = strategy_of(scenario, way);
    if (strategy == nullptr || strategy->kind != StrategyKind::local_sgd || way.status != WayStatus::ok) continue;
    serve(scenario, {&way}, CurveSource::own, [&] { return learn_local_sgd(scenario, *strategy, way.seed, progress); });
  }
}

}  // namespace orrery
