#include "scenarios/federated/journal.hpp"

#include <fmt/format.h>

#include "models/cost/layer_cost.hpp"

namespace orrery {

Journal::Journal(const FederatedJob& job, Way& way, const Progress& progress)
    : job_(job), way_(way), progress_(progress) {}

bool Journal::finished() const {
  return way_.target_reached || steps() >= job_.options().rounds;
}

bool Journal::evaluation_due() const {
  const std::int64_t next = steps() + 1;
  return job_.learner.learns() && (next % job_.options().evaluate_every == 0 || next == job_.options().rounds);
}

void Journal::end_step(ServerStep step, double train_loss, Seconds now) {
  const bool evaluates = evaluation_due();
  std::vector<ServerStep>& steps = way_.federated.steps;
  step.begin = steps.empty() ? Seconds{} : steps.back().end;
  step.end = now;
  steps.push_back(step);
  if (evaluates) evaluate(train_loss, now);
  report();
}

void Journal::evaluate(double train_loss, Seconds now) {
  const LearnerEvaluation evaluation = job_.learner.evaluate(evaluated_);
  CurvePoint point;
  point.round = steps();
  point.epoch = samples_ / static_cast<double>(job_.scenario.workload.dataset_samples);
  point.time = way_.data_transfer.time + now;
  point.accuracy = evaluation.test.accuracy;
  point.loss = evaluation.test.loss;
  point.train_loss = train_loss;
  point.epsilon = job_.learner.epsilon();
  point.consensus = evaluation.consensus;
  way_.curve.push_back(point);
  const double target = job_.scenario.workload.target_accuracy;
  way_.target_reached = target > 0 && point.accuracy >= target;
}

void Journal::report() const {
  if (!progress_) return;
  const double share =
      way_.target_reached ? 1.0 : static_cast<double>(steps()) / static_cast<double>(job_.options().rounds);
  const std::string stage = (job_.learner.learns() ? "learning " : "simulating ") + job_.strategy.name;
  progress_(stage, share,
            way_.curve.empty() ? fmt::format("round {}", steps())
                               : fmt::format("round {}, accuracy {:.4f}", steps(), way_.curve.back().accuracy));
}

void Journal::finish(const ClientWork& work) {
  FederatedRun& run = way_.federated;
  const LocalTimes& typical = work.typical();
  if (typical.total() > Seconds{}) {
    run.recompute_share = typical.recompute / typical.total();
    run.optimizer_share = typical.optimizer / typical.total();
  }
  run.flops_per_sample = work.flops_per_sample();
  const auto steps = static_cast<double>(run.steps.size());
  way_.steps = steps;
  way_.samples_per_step = samples_ / steps;
  way_.model_flops = training_flops(job_.scenario.workload.network) * way_.samples_per_step;
  way_.curve_source = job_.learner.learns() ? CurveSource::own : CurveSource::none;
}

}  // namespace orrery
