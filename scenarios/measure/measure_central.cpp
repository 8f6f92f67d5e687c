// The loop of a centralised way: warm-up and measured steps, each begun by all ranks at once, and what rank 0 makes of
// the ranks' records.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "models/kernels/parallel.hpp"
#include "models/training/training.hpp"
#include "scenarios/central_learning.hpp"
#include "scenarios/measure/energy_count.hpp"
#include "scenarios/measure/measure.hpp"
#include "scenarios/measure/measured_steps.hpp"
#include "scenarios/measure/rank_records.hpp"
#include "scenarios/measure/real_step.hpp"
#include "scenarios/measure/step_batches.hpp"
#include "scenarios/planned_way.hpp"

namespace orrery {
namespace {

constexpr std::int64_t default_steps = 30;

ByRank gather(Communicator& communicator, const std::vector<double>& own) {
  ByRank all;
  for (const std::string& bytes : communicator.gather(to_raw(own))) all.push_back(from_raw<double>(bytes));
  return all;
}

Way planned_way(const Scenario& scenario, const StrategySpec& strategy, const Cluster& cluster, const Plan& plan) {
  Way way;
  way.strategy = strategy.name;
  fill_from_plan(scenario, cluster, plan, way);
  return way;
}

class CentralMeasurement {
 public:
  CentralMeasurement(const Scenario& scenario, const StrategySpec& strategy, const Catalogue& catalogue,
                     Communicator& communicator, const MeasureOptions& options)
      : scenario_(scenario),
        workload_(scenario.workload),
        strategy_(strategy),
        communicator_(communicator),
        options_(options),
        learns_(workload_.learn),
        total_(options.warm_up + counted_steps()),
        cost_(cost_model(scenario, strategy, catalogue)),
        cluster_(build_cluster(strategy.cluster.description)),
        job_{scenario, strategy, cost_, cluster_},
        plan_(std::make_shared<ExecutionPlan>(workload_.network, workload_.recompute)),
        way_(planned_way(scenario, strategy, cluster_, make_plan(job_))),
        batches_(scenario, *plan_),
        start_(first_weights(workload_, scenario.seed)),
        optimizer_(workload_.optimizer),
        recorder_(communicator.rank()),
        energy_(communicator) {
    require_ranks();
    optimizer_.schedule.total = std::max(workload_.steps, total_);
    const auto workers = static_cast<std::size_t>(std::max(1, workload_.profile_threads));
    if (takes_part()) {
      step_ = make_real_step({job_, plan_, optimizer_, start_, communicator, recorder_, workers});
    }
  }
  CentralMeasurement(const CentralMeasurement&) = delete;
  CentralMeasurement& operator=(const CentralMeasurement&) = delete;

  MeasuredWay measure() {
    for (std::int64_t step = 1; step <= total_ && !reached_; ++step) {
      if (step == options_.warm_up + 1) {
        sent_before_ = communicator_.sent_to();
        energy_.start();
      }
      run(batches_.next());
      energy_.follow();
      const bool last = step == total_;
      if (learns_ && (last || step % workload_.evaluate_every == 0)) evaluate(step);
      if (communicator_.rank() == 0 && options_.progress) report(step);
    }
    return collect();
  }

 private:
  [[nodiscard]] std::int64_t counted_steps() const {
    if (options_.steps > 0) return options_.steps;
    if (learns_ && workload_.steps > options_.warm_up) return workload_.steps - options_.warm_up;
    return default_steps;
  }

  [[nodiscard]] bool takes_part() const { return communicator_.rank() < ranks_of(strategy_); }

  void require_ranks() const {
    const int needed = ranks_of(strategy_);
    if (needed <= communicator_.size()) return;
    throw Infeasible(fmt::format("needs {} processes, this run has {} - start it with: mpirun -n {} orrery measure ...",
                                 needed, communicator_.size(), needed));
  }

  void run(const Batch& batch) {
    communicator_.barrier();
    recorder_.start();
    const BatchResult result = takes_part() ? step_->run(batch) : BatchResult{};
    seconds_.push_back(takes_part() ? recorder_.now().value() : 0.0);
    losses_.push_back(result.loss_sum);
    predictions_.push_back(static_cast<double>(result.samples));
    activities_.push_back(takes_part() ? recorder_.activities() : std::vector<Activity>{});
  }

  /// Outside of every step's time.
  void evaluate(std::int64_t step) {
    std::string reached;
    if (takes_part()) {
      const std::vector<float> weights = step_->weights();
      if (communicator_.rank() == 0) {
        const Evaluation evaluation = orrery::evaluate(plan_, weights, batches_.data().test);
        CurvePoint point;
        point.round = step;
        point.epoch = batches_.epochs(step);
        point.accuracy = evaluation.accuracy;
        point.loss = evaluation.loss;
        way_.curve.push_back(point);
        if (workload_.target_accuracy > 0 && evaluation.accuracy >= workload_.target_accuracy) reached = "reached";
      }
    }
    reached_ = !communicator_.broadcast(reached).empty();
  }

  void report(std::int64_t step) const {
    const std::string accuracy =
        way_.curve.empty() ? std::string{} : fmt::format(", accuracy {:.4f}", way_.curve.back().accuracy);
    options_.progress("measuring " + strategy_.name, static_cast<double>(step) / static_cast<double>(total_),
                      fmt::format("step {}{}", step, accuracy));
  }

  /// Everything that rank 0 must know, and on rank 0 the way.
  MeasuredWay collect() {
    const ByRank seconds = gather(communicator_, seconds_), losses = gather(communicator_, losses_),
                 predictions = gather(communicator_, predictions_);
    std::vector<double> sent;
    for (std::size_t to = 0; to < sent_before_.size(); ++to) {
      sent.push_back((communicator_.sent_to()[to] - sent_before_[to]).value() / counted());
    }
    const ByRank bytes = gather(communicator_, sent);
    const std::optional<Joules> energy = energy_.total();
    MeasuredWay measured;
    std::vector<std::size_t> median(1);
    if (communicator_.rank() == 0) {
      measured.steps = steps_of_all(seconds, losses, predictions);
      median[0] = median_step(measured.steps, options_.warm_up);
    }
    median = from_raw<std::size_t>(communicator_.broadcast(to_raw(median)));
    const std::vector<std::string> activities = communicator_.gather(to_raw(activities_[median[0]]));
    if (communicator_.rank() != 0) return {};
    fill_way(measured, activities, bytes);
    if (energy) way_.measured->energy = *energy * (1.0 / counted());
    measured.way = std::move(way_);
    return measured;
  }

  [[nodiscard]] double counted() const {
    return std::max(1.0, static_cast<double>(seconds_.size()) - static_cast<double>(options_.warm_up));
  }

  void fill_way(const MeasuredWay& measured, const std::vector<std::string>& activities, const ByRank& bytes) {
    std::vector<std::vector<Activity>> by_rank;
    std::vector<std::vector<Bytes>> matrix;
    for (std::size_t rank = 0; rank < way_.placement.size(); ++rank) {
      by_rank.push_back(from_raw<Activity>(activities[rank]));
      matrix.emplace_back(bytes[rank].begin(), bytes[rank].end());
    }
    way_.records = join_ranks(std::move(by_rank));
    way_.records.links = links_used(way_.platform, way_.placement, matrix);
    way_.measured = spread(measured.steps, options_.warm_up);
    way_.curve_source = learns_ ? CurveSource::own : CurveSource::none;
    way_.target_reached = reached_;
    if (reached_) way_.steps = static_cast<double>(measured.steps.size());
    put_on_clock(measured.steps);
  }

  void put_on_clock(const std::vector<MeasuredStep>& steps) {
    const Bytes each = bytes_sent(way_.records);
    Seconds time;
    double loss = 0;
    std::int64_t since = 0;
    auto point = way_.curve.begin();
    for (const MeasuredStep& step : steps) {
      time += step.time;
      loss += step.train_loss;
      ++since;
      if (point == way_.curve.end() || point->round != step.step) continue;
      point->time = time;
      point->bytes = each * static_cast<double>(step.step);
      point->train_loss = loss / static_cast<double>(since);
      loss = 0;
      since = 0;
      ++point;
    }
  }

  const Scenario& scenario_;
  const WorkloadSpec& workload_;
  const StrategySpec& strategy_;
  Communicator& communicator_;
  const MeasureOptions& options_;
  bool learns_, reached_ = false;
  std::int64_t total_;  // steps, the warm-up included
  CostModel cost_;
  Cluster cluster_;
  Job job_;
  std::shared_ptr<const ExecutionPlan> plan_;
  Way way_;
  StepBatches batches_;
  std::vector<float> start_;
  OptimizerOptions optimizer_;
  StepRecorder recorder_;
  EnergyCount energy_;
  std::unique_ptr<RealStep> step_;                      // none on a rank that the way does not need
  std::vector<double> seconds_, losses_, predictions_;  // of every step, on this rank
  std::vector<std::vector<Activity>> activities_;
  std::vector<Bytes> sent_before_;
};

}  // namespace

MeasuredWay measure_central(const Scenario& scenario, const StrategySpec& strategy, const Catalogue& catalogue,
                            Communicator& communicator, const MeasureOptions& options) {
  std::unique_ptr<CentralMeasurement> measurement;
  on_all_ranks(communicator, [&] {
    measurement = std::make_unique<CentralMeasurement>(scenario, strategy, catalogue, communicator, options);
  });
  return measurement->measure();
}

}  // namespace orrery
