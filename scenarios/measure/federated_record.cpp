#include "scenarios/measure/federated_record.hpp"

#include <algorithm>
#include <utility>

#include "models/cost/layer_cost.hpp"
#include "scenarios/federated/client_work.hpp"
#include "scenarios/federated/learner.hpp"
#include "scenarios/measure/measured_steps.hpp"
#include "scenarios/measure/rank_records.hpp"

namespace orrery {

FederatedRecord::FederatedRecord(const Scenario& scenario, const StrategySpec& strategy,
                                 const FederatedTraining& training)
    : scenario_(scenario), strategy_(strategy), training_(training) {}

double FederatedRecord::samples_trained(std::size_t client, std::int64_t round) const {
  const auto own = static_cast<std::int64_t>(training_.parts()[client].size());
  const FederatedOptions& options = strategy_.federated;
  return local_batches(own, options.local_batch, drawn_epochs(options, scenario_.seed, client, round),
                       options.local_steps)
      .samples();
}

// Trips in the order in which they ended, on the run's clock.
void FederatedRecord::add_round(std::int64_t round, const MeasuredRound& measured,
                                const std::vector<std::string>& all) {
  std::vector<Trip> trips;
  for (const std::string& bytes : all) {
    for (const Trip& trip : from_raw<Trip>(bytes)) trips.push_back(trip);
  }
  std::stable_sort(trips.begin(), trips.end(), [](const Trip& a, const Trip& b) { return a.end < b.end; });
  FederatedRun& run = measured_.way.federated;
  ServerStep step;
  for (Trip& trip : trips) {
    trip.begin += clock_;
    trip.end += clock_;
    if (static_cast<std::size_t>(trip.client) == measured.last_client) {
      step.critical_trip = static_cast<std::int32_t>(run.trips.size());
    }
    bytes_ += trip.down + trip.up;
    samples_ += samples_trained(static_cast<std::size_t>(trip.client), round);
    run.trips.push_back(trip);
  }
  step.begin = clock_;
  step.end = clock_ + measured.end;
  step.aggregation = measured.aggregation;
  run.steps.push_back(step);
  clock_ = step.end;
  measured_.steps.push_back({round + 1, measured.end, measured.train_loss});
}

bool FederatedRecord::add_evaluation(std::int64_t rounds, const Evaluation& evaluation, double train_loss) {
  CurvePoint point;
  point.round = rounds;
  point.epoch = samples_ / static_cast<double>(scenario_.workload.dataset_samples);
  point.time = clock_;
  point.bytes = bytes_;
  point.accuracy = evaluation.accuracy;
  point.loss = evaluation.loss;
  point.train_loss = train_loss;
  measured_.way.curve.push_back(point);
  const double target = scenario_.workload.target_accuracy;
  return measured_.way.target_reached = target > 0 && evaluation.accuracy >= target;
}

MeasuredWay FederatedRecord::finish(const DataSet& data) {
  Way& way = measured_.way;
  way.seed = scenario_.seed;
  way.degrees.dp = strategy_.federated.participation.clients_per_round;
  for (const auto& part : training_.parts()) way.samples.push_back(static_cast<std::int64_t>(part.size()));
  way.histograms = label_histograms(data.train, training_.parts(), data.classes);
  // How long the server's line was busy cannot be seen from here.
  FederatedRun::SharedLine line{"server",
                                scenario_.federation.server_link.effective_up(),
                                scenario_.federation.server_link.effective_down(),
                                {},
                                {},
                                {},
                                {}};
  for (const Trip& trip : way.federated.trips) {
    line.up += trip.down;
    line.down += trip.up;
  }
  way.federated.lines = {line};
  way.federated.flops_per_sample = training_flops(scenario_.workload.network);
  const auto rounds = static_cast<double>(measured_.steps.size());
  way.steps = rounds;
  way.samples_per_step = samples_ / rounds;
  way.model_flops = way.federated.flops_per_sample * way.samples_per_step;
  way.curve_source = scenario_.workload.learn ? CurveSource::own : CurveSource::none;
  way.measured = spread(measured_.steps, 0);
  return std::move(measured_);
}

}  // namespace orrery
