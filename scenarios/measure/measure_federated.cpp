// Federated averaging for real: rank 0 is the server, the other ranks train the selected clients, one after the other
// where there are fewer ranks than clients. Every client's model travels: what crosses the wire is what the simulation
// sends. Clients, selection and averages are the simulation's, draw for draw.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

#include "models/kernels/aligned_vector.hpp"
#include "scenarios/data_transfer.hpp"
#include "scenarios/federated/client_work.hpp"
#include "scenarios/federated/learner.hpp"
#include "scenarios/federated/selection.hpp"
#include "scenarios/measure/measure.hpp"
#include "scenarios/measure/rank_records.hpp"
#include "scenarios/measure/step_recorder.hpp"
#include "sim/base/quantile.hpp"

namespace orrery {
namespace {

/// A double in the place of two floats, bit for bit: a client's loss travels behind its weights.
constexpr std::size_t loss_numbers = sizeof(double) / sizeof(float);

int download_tag(std::size_t place) {
  return static_cast<int>(2 * place);
}
int upload_tag(std::size_t place) {
  return static_cast<int>(2 * place + 1);
}

class FederatedMeasurement {
 public:
  FederatedMeasurement(const Scenario& scenario, const StrategySpec& strategy, Communicator& communicator,
                       const MeasureOptions& options)
      : scenario_(scenario),
        strategy_(strategy),
        communicator_(communicator),
        options_(options),
        recorder_(communicator.rank()),
        random_(Random::derived(scenario.seed, "selection")),
        weights_(ExecutionPlan(scenario.workload.network).weight_count()) {
    require_executable();
    clients_ = std::make_shared<const FederatedClients>(scenario, strategy);
    server_ = RankId(clients_->samples().size());
    for (const SelectionEntry& entry : selections()) {
      if (entry.kind == strategy.selection) select_ = entry.select;
    }
    if (is_server()) {
      learner_ = make_fedavg_learner(
          scenario, clients_, [this](std::span<const float> weights, std::int64_t, std::span<const std::size_t>) {
            return serve(weights);
          });
    }
  }
  FederatedMeasurement(const FederatedMeasurement&) = delete;
  FederatedMeasurement& operator=(const FederatedMeasurement&) = delete;

  MeasuredWay measure() {
    const std::int64_t rounds = options_.steps > 0 ? options_.steps : strategy_.rounds;
    for (std::int64_t round = 0; round < rounds && !reached_; ++round) {
      select(round);
      communicator_.barrier();
      recorder_.start();
      if (is_server()) {
        train_loss_ = learner_->train_round(round, selected_);
        recorder_.computed(Phase::aggregate, mark_);
        end_ = recorder_.now();
      } else {
        train_own(round);
      }
      collect(round, round + 1 == rounds);
    }
    if (!is_server()) return {};
    finish();
    return std::move(measured_);
  }

 private:
  [[nodiscard]] bool is_server() const { return communicator_.rank() == 0; }

  void require_executable() const {
    if (communicator_.size() < 2) {
      throw Infeasible(
          "needs at least 2 processes, a server and clients, this run has 1 - start it with: mpirun -n 3 orrery "
          "measure ...");
    }
    if (scenario_.workload.dataset.empty())
      throw Infeasible("clients need a data set to train on, the workload has none");
    if (strategy_.precision != Precision::fp32) {
      throw Infeasible("precision is not executed here but in fp32: messages are float32");
    }
    if (strategy_.selection == Selection::fastest) {
      throw Infeasible(
          "selection = \"fastest\" goes by expected times, which only the simulation has - choose random or "
          "round-robin");
    }
  }

  void select(std::int64_t round) {
    const std::vector<double> unknown(clients_->samples().size(), 0.0);
    selected_ = select_({round, static_cast<std::size_t>(strategy_.clients_per_round), unknown}, random_);
  }

  /// The rank that trains the client in this place of the selection.
  [[nodiscard]] int rank_of(std::size_t place) const {
    return 1 + static_cast<int>(place % static_cast<std::size_t>(communicator_.size() - 1));
  }

  // --- the server ---

  struct Exchange {
    Ticket down, up;
    std::size_t down_activity = 0, up_activity = 0;
    std::vector<float> result;
  };

  std::vector<LocalResult> serve(std::span<const float> weights) {
    std::vector<Exchange> exchanges(selected_.size());
    for (std::size_t place = 0; place < exchanges.size(); ++place) {
      Exchange& exchange = exchanges[place];
      exchange.result.resize(weights.size() + loss_numbers);
      exchange.up = communicator_.receive(exchange.result, rank_of(place), upload_tag(place));
      exchange.up_activity = open(server_, client(place), Stream::receive, Bytes{});
      exchange.down = communicator_.send(weights, rank_of(place), download_tag(place));
      exchange.down_activity = open(server_, client(place), Stream::send, bytes_of(weights.size()));
    }
    std::size_t open_messages = 2 * exchanges.size();
    const auto look = [&](Ticket& ticket, std::size_t activity) {
      if (!ticket || !communicator_.done(ticket)) return false;
      recorder_.close(activity, recorder_.now());
      --open_messages;
      return true;
    };
    while (open_messages > 0) {
      for (std::size_t place = 0; place < exchanges.size(); ++place) {
        look(exchanges[place].down, exchanges[place].down_activity);
        if (look(exchanges[place].up, exchanges[place].up_activity)) last_client_ = selected_[place];
      }
    }
    mark_ = recorder_.now();
    return results_of(exchanges);
  }

  std::vector<LocalResult> results_of(const std::vector<Exchange>& exchanges) const {
    std::vector<LocalResult> results;
    for (std::size_t place = 0; place < exchanges.size(); ++place) {
      const std::vector<float>& arrived = exchanges[place].result;
      LocalResult& result = results.emplace_back();
      result.weights.assign(arrived.begin(), arrived.end() - loss_numbers);
      std::memcpy(&result.train_loss, arrived.data() + result.weights.size(), sizeof result.train_loss);
      result.samples = clients_->samples()[selected_[place]];
    }
    return results;
  }

  // --- the ranks that train ---

  void train_own(std::int64_t round) {
    for (std::size_t place = 0; place < selected_.size(); ++place) {
      if (rank_of(place) != communicator_.rank()) continue;
      Ticket down = communicator_.receive(weights_, 0, download_tag(place));
      wait(down, open(client(place), server_, Stream::receive, Bytes{}));
      const Seconds begin = recorder_.now();
      const std::vector<std::size_t> one = {selected_[place]};
      LocalResult result = clients_->train(weights_, round, one).front();
      result.weights.resize(weights_.size() + loss_numbers);
      std::memcpy(result.weights.data() + weights_.size(), &result.train_loss, sizeof result.train_loss);
      Activity training;
      training.phase = Phase::backward;
      training.ready = training.start = begin;
      training.end = recorder_.now();
      activities_.push_back(of(client(place), training));
      Ticket up = communicator_.send(result.weights, 0, upload_tag(place));
      wait(up, open(client(place), server_, Stream::send, bytes_of(result.weights.size())));
    }
  }

  void wait(Ticket& ticket, std::size_t activity) {
    communicator_.wait(ticket);
    recorder_.close(activity, recorder_.now());
  }

  // --- records: ranks are those of the simulation, client c is rank c, the server the last ---

  [[nodiscard]] RankId client(std::size_t place) const { return RankId(selected_[place]); }
  static Bytes bytes_of(std::size_t numbers) { return Bytes(static_cast<double>(numbers * sizeof(float))); }

  std::size_t open(RankId own, RankId peer, Stream stream, Bytes bytes) {
    Activity message;
    message.stream = stream;
    message.dimension = Dimension::dp;
    message.phase = Phase::transfer;
    message.ready = message.start = recorder_.now();
    message.bytes = bytes;
    message.peer = peer;
    owners_.push_back(own);
    return recorder_.open(message);
  }

  static Activity of(RankId rank, Activity activity) {
    activity.rank = rank;
    return activity;
  }

  /// Puts the round's records of all ranks behind those of the rounds before, on the server.
  void collect(std::int64_t round, bool last) {
    std::size_t owner = 0;
    for (const Activity& activity : recorder_.activities()) {
      const bool message = activity.stream != Stream::compute;
      activities_.push_back(of(message ? owners_[owner++] : server_, activity));
    }
    const std::vector<std::string> all = communicator_.gather(to_raw(activities_));
    activities_.clear();
    owners_.clear();
    if (is_server()) end_round(round, last, all);
    reached_ = !communicator_.broadcast(reached_ ? "reached" : "").empty();
  }

  void end_round(std::int64_t round, bool last, const std::vector<std::string>& all) {
    std::vector<std::vector<Activity>> by_rank;
    for (const std::string& bytes : all) by_rank.push_back(from_raw<Activity>(bytes));
    Way& way = measured_.way;
    way.federated.round_starts.push_back(clock_);
    way.federated.critical_client.push_back(static_cast<std::int32_t>(last_client_));
    for (Activity activity : join_ranks(std::move(by_rank)).activities) {
      for (Seconds* time : {&activity.ready, &activity.start, &activity.end}) *time += clock_;
      activity.microbatch = static_cast<std::int32_t>(round);
      if (activity.stream == Stream::send)
        (activity.rank == server_ ? way.federated.down : way.federated.up) += activity.bytes;
      way.records.activities.push_back(activity);
    }
    for (const std::size_t one : selected_) {
      samples_ += static_cast<double>(clients_->samples()[one] * strategy_.local_epochs);
    }
    clock_ += end_;
    measured_.steps.push_back({round + 1, end_, train_loss_});
    if (scenario_.workload.learn && (last || (round + 1) % strategy_.evaluate_every == 0)) evaluate(round + 1);
    if (options_.progress) {
      options_.progress("measuring " + strategy_.name, static_cast<double>(round + 1) / strategy_.rounds,
                        fmt::format("round {}", round + 1));
    }
  }

  void evaluate(std::int64_t rounds) {
    const Evaluation evaluation = learner_->evaluate();
    Way& way = measured_.way;
    CurvePoint point;
    point.round = rounds;
    point.epoch = samples_ / static_cast<double>(scenario_.workload.dataset_samples);
    point.time = clock_;
    point.bytes = way.federated.down + way.federated.up;
    point.accuracy = evaluation.accuracy;
    point.loss = evaluation.loss;
    point.train_loss = train_loss_;
    way.curve.push_back(point);
    const double target = scenario_.workload.target_accuracy;
    way.target_reached = reached_ = target > 0 && evaluation.accuracy >= target;
  }

  void finish() {
    Way& way = measured_.way;
    const FederationDescription description = describe_federation(scenario_.federation);
    const FederationPlatform federation = build_federation(description);
    way.platform = federation.platform;
    way.link_power = federation.link_power;
    way.devices = devices_of(description);
    way.degrees.dp = strategy_.clients_per_round;
    for (std::size_t host = 0; host < way.platform.hosts.size(); ++host) way.placement.emplace_back(host);
    way.federated.round_starts.push_back(clock_);
    way.records.makespan = clock_;
    way.records.ranks = server_.index() + 1;
    way.records.links = links_used(way.platform, way.placement, bytes_between());
    const auto rounds = static_cast<double>(measured_.steps.size());
    way.steps = rounds;
    way.samples_per_step = samples_ / rounds;
    way.model_flops = training_flops(scenario_.workload.network) * way.samples_per_step;
    way.curve_source = scenario_.workload.learn ? CurveSource::own : CurveSource::none;
    std::vector<double> times;
    for (const MeasuredStep& step : measured_.steps) times.push_back(step.time.value());
    way.measured = MeasuredSteps{times.size(), Seconds(quantile(times, 0.1)), Seconds(quantile(times, 0.5)),
                                 Seconds(quantile(times, 0.9))};
  }

  [[nodiscard]] std::vector<std::vector<Bytes>> bytes_between() const {
    std::vector<std::vector<Bytes>> bytes(server_.index() + 1, std::vector<Bytes>(server_.index() + 1));
    for (const Activity& activity : measured_.way.records.activities) {
      if (activity.stream == Stream::send) bytes[activity.rank.index()][activity.peer.index()] += activity.bytes;
    }
    return bytes;
  }

  const Scenario& scenario_;
  const StrategySpec& strategy_;
  Communicator& communicator_;
  const MeasureOptions& options_;
  StepRecorder recorder_;
  Random random_;
  AlignedVector weights_;  // as a client receives them
  std::shared_ptr<const FederatedClients> clients_;
  std::unique_ptr<Learner> learner_;  // the server's
  Select select_ = nullptr;
  RankId server_;
  // Of the round under way
  std::vector<std::size_t> selected_;
  std::vector<RankId> owners_;  // of the recorder's messages: the client or server that each belongs to
  std::vector<Activity> activities_;
  std::size_t last_client_ = 0;
  Seconds mark_, end_;
  double train_loss_ = 0;
  // So far
  Seconds clock_;
  double samples_ = 0;
  bool reached_ = false;
  MeasuredWay measured_;
};

}  // namespace

MeasuredWay measure_federated(const Scenario& scenario, const StrategySpec& strategy, Communicator& communicator,
                              const MeasureOptions& options) {
  std::unique_ptr<FederatedMeasurement> measurement;
  on_all_ranks(communicator, [&] {
    measurement = std::make_unique<FederatedMeasurement>(scenario, strategy, communicator, options);
  });
  return measurement->measure();
}

}  // namespace orrery
