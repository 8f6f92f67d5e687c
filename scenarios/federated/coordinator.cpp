#include "scenarios/federated/coordinator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "scenarios/federated/client_work.hpp"
#include "scenarios/federated/selection.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

class FedAvgCoordinator {
 public:
  FedAvgCoordinator(const FederatedJob& job, Way& way, const Progress& progress)
      : job_(job),
        way_(way),
        progress_(progress),
        model_(model_bytes(job.scenario, job.strategy)),
        server_(RankId(job.learner.samples().size())),
        random_(Random::derived(job.scenario.seed, "selection")) {
    describe_clients();
    for (const SelectionEntry& entry : selections()) {
      if (entry.kind == job.strategy.selection) select_ = entry.select;
    }
    ORRERY_EXPECT(select_ != nullptr);
  }

  void run() {
    start_round();
    job_.kernel.run();
    finish();
  }

 private:
  void describe_clients() {
    const Platform& platform = job_.kernel.platform();
    std::size_t client = 0;
    for (const ClientGroup& group : job_.scenario.federation.groups) {
      for (int i = 0; i < group.count; ++i, ++client) {
        const auto samples = static_cast<double>(job_.learner.samples()[client]);
        work_.push_back(local_work(job_.scenario, job_.strategy, job_.cost, samples, group.device, group.slowdown));
        const Route down = route(platform, job_.server, DeviceId(client));
        const Route up = route(platform, DeviceId(client), job_.server);
        expected_.push_back(
            (down.latency + model_ / down.bandwidth + work_.back().total() + up.latency + model_ / up.bandwidth)
                .value());
      }
    }
  }

  void start_round() {
    way_.federated.round_starts.push_back(job_.kernel.now());
    selected_ = select_({round_, static_cast<std::size_t>(job_.strategy.clients_per_round), expected_}, random_);
    reports_ = 0;
    for (const std::size_t client : selected_) {
      const Seconds begin = job_.kernel.now();
      job_.kernel.flow(job_.server, DeviceId(client), model_, [this, client, begin](Outcome outcome) {
        require(outcome, "the download");
        record_message(server_, RankId(client), begin);
        way_.federated.down += model_;
        train(client);
      });
    }
  }

  void train(std::size_t client) {
    const Seconds begin = job_.kernel.now();
    job_.kernel.compute(DeviceId(client), work_[client].total(), [this, client, begin](Outcome outcome) {
      require(outcome, "local training");
      record_training(client, begin);
      upload(client);
    });
  }

  void upload(std::size_t client) {
    const Seconds begin = job_.kernel.now();
    job_.kernel.flow(DeviceId(client), job_.server, model_, [this, client, begin](Outcome outcome) {
      require(outcome, "the upload");
      record_message(RankId(client), server_, begin);
      way_.federated.up += model_;
      if (++reports_ == selected_.size()) {
        way_.federated.critical_client.push_back(static_cast<std::int32_t>(client));
        aggregate();
      }
    });
  }

  void aggregate() {
    const Seconds begin = job_.kernel.now();
    const Seconds work = aggregation_time(job_.scenario, job_.cost, selected_.size(), job_.scenario.federation.server);
    job_.kernel.compute(job_.server, work, [this, begin](Outcome outcome) {
      require(outcome, "aggregation");
      Activity average;
      average.rank = server_;
      average.phase = Phase::aggregate;
      average.ready = average.start = begin;
      average.end = job_.kernel.now();
      add(average);
      end_round();
    });
  }

  void end_round() {
    for (const std::size_t client : selected_) {
      samples_ += static_cast<double>(job_.learner.samples()[client] * job_.strategy.local_epochs);
    }
    train_loss_ = job_.learner.train_round(round_, selected_);
    ++round_;
    const bool last = round_ == job_.strategy.rounds;
    if (job_.learner.learns() && (last || round_ % job_.strategy.evaluate_every == 0)) evaluate();
    if (progress_) progress_("learning " + job_.strategy.name, share(), detail());
    if (!last && !way_.target_reached) start_round();
  }

  void evaluate() {
    const Evaluation evaluation = job_.learner.evaluate();
    CurvePoint point;
    point.round = round_;
    point.epoch = samples_ / static_cast<double>(job_.scenario.workload.dataset_samples);
    point.time = job_.kernel.now();
    point.bytes = way_.federated.down + way_.federated.up;
    point.accuracy = evaluation.accuracy;
    point.loss = evaluation.loss;
    point.train_loss = train_loss_;
    way_.curve.push_back(point);
    const double target = job_.scenario.workload.target_accuracy;
    way_.target_reached = target > 0 && evaluation.accuracy >= target;
  }

  void finish() {
    Records& records = way_.records;
    way_.federated.round_starts.push_back(job_.kernel.now());
    records.makespan = job_.kernel.now();
    records.ranks = server_.index() + 1;
    records.links = job_.kernel.link_use();
    records.messages = job_.kernel.flows_started();
    way_.steps = static_cast<double>(round_);
    way_.samples_per_step = samples_ / static_cast<double>(round_);
    way_.model_flops = training_flops(job_.scenario.workload.network) * way_.samples_per_step;
    way_.curve_source = job_.learner.learns() ? CurveSource::own : CurveSource::none;
  }

  void record_message(RankId from, RankId to, Seconds begin) {
    Activity message;
    message.rank = from;
    message.stream = Stream::send;
    message.dimension = Dimension::dp;
    message.phase = Phase::transfer;
    message.ready = message.start = begin;
    message.end = job_.kernel.now();
    message.bytes = model_;
    message.peer = to;
    Activity arrival = message;
    arrival.rank = to;
    arrival.stream = Stream::receive;
    arrival.bytes = Bytes{};
    arrival.peer = from;
    add(message);
    add(arrival);
  }

  /// Local steps alternate forward, backward and optimizer; the record keeps their sums, one after the other.
  void record_training(std::size_t client, Seconds begin) {
    const LocalWork& work = work_[client];
    Seconds at = begin;
    const auto part = [&](Phase phase, Seconds duration, Flops flops) {
      const Seconds end = phase == Phase::optimizer ? job_.kernel.now() : at + duration;
      Activity activity;
      activity.rank = RankId(client);
      activity.phase = phase;
      activity.ready = activity.start = at;
      activity.end = end;
      activity.flops = flops;
      add(activity);
      at = end;
    };
    part(Phase::forward, work.forward, work.forward_flops);
    if (work.recompute > Seconds{}) part(Phase::recompute, work.recompute, work.recompute_flops);
    part(Phase::backward, work.backward, work.backward_flops);
    part(Phase::optimizer, work.optimizer, Flops{});
  }

  void add(Activity activity) {
    activity.microbatch = static_cast<std::int32_t>(round_);  // the round, for timelines
    way_.records.activities.push_back(activity);
  }

  void require(Outcome outcome, const char* what) const {
    if (outcome == Outcome::failed) throw std::runtime_error(fmt::format("round {}: {} failed", round_ + 1, what));
  }

  [[nodiscard]] double share() const {
    return way_.target_reached ? 1.0 : static_cast<double>(round_) / static_cast<double>(job_.strategy.rounds);
  }

  [[nodiscard]] std::string detail() const {
    if (way_.curve.empty()) return fmt::format("round {}", round_);
    return fmt::format("round {}, accuracy {:.4f}", round_, way_.curve.back().accuracy);
  }

  const FederatedJob& job_;
  Way& way_;
  const Progress& progress_;
  Bytes model_;
  RankId server_;
  Random random_;
  Select select_ = nullptr;
  std::vector<LocalWork> work_;   // per client
  std::vector<double> expected_;  // seconds per client, alone
  std::int64_t round_ = 0;
  std::vector<std::size_t> selected_;
  std::size_t reports_ = 0;
  double samples_ = 0;  // trained on so far
  double train_loss_ = 0;
};

}  // namespace

void run_fedavg(const FederatedJob& job, Way& way, const Progress& progress) {
  FedAvgCoordinator(job, way, progress).run();
}

}  // namespace orrery
