// Federated averaging for real: rank 0 is the server, the other ranks train the selected clients, one after the other
// where there are fewer ranks than clients. Every client's update travels: what crosses the wire is what the simulation
// sends, and 8 bytes of loss. Clients, selection, epochs and averages are the simulation's, draw for draw.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "models/cost/layer_cost.hpp"
#include "models/kernels/aligned_vector.hpp"
#include "scenarios/central_learning.hpp"
#include "scenarios/federated/client_work.hpp"
#include "scenarios/federated/every_client.hpp"
#include "scenarios/federated/learner.hpp"
#include "scenarios/measure/measure.hpp"
#include "scenarios/measure/rank_records.hpp"
#include "scenarios/measure/step_recorder.hpp"
#include "sim/base/quantile.hpp"

namespace orrery {
namespace {

/// A double in the place of two floats, bit for bit: a client's loss travels behind its update.
constexpr std::size_t loss_numbers = sizeof(double) / sizeof(float);

int download_tag(std::size_t place) {
  return static_cast<int>(2 * place);
}
int upload_tag(std::size_t place) {
  return static_cast<int>(2 * place + 1);
}

/// What keeps a strategy from being executed; empty: nothing.
std::string obstacle(const Scenario& scenario, const StrategySpec& strategy) {
  const FederatedOptions& options = strategy.federated;
  const ParticipationOptions& participation = options.participation;
  if (scenario.workload.dataset.empty()) return "clients need a data set to train on, the workload has none";
  if (strategy.precision != Precision::fp32) {
    return "precision is not executed here but in fp32: messages are float32";
  }
  if (options.algorithm.kind != AlgorithmKind::fedavg) {
    return fmt::format("algorithm = \"{}\" is simulated only - choose fedavg", entry_of(options.algorithm.kind).name);
  }
  if (participation.selection != Selection::random && participation.selection != Selection::round_robin) {
    return fmt::format(
        "selection = \"{}\" goes by what only the simulation has (expected times and joules, losses) - choose random "
        "or round-robin",
        entry_of(participation.selection).name);
  }
  const auto& groups = scenario.federation.groups;
  const auto comes_and_goes = [](const ClientGroup& group) {
    return group.availability.kind != AvailabilityKind::always;
  };
  if (std::any_of(groups.begin(), groups.end(), comes_and_goes)) {
    return "clients that go offline are simulated only - choose availability = \"always\"";
  }
  if (participation.over_selection > 1.0 || participation.deadline > Seconds{}) {
    return "over-selection and deadlines are simulated only: every client that is asked is waited for";
  }
  if (options.compression.kind != CompressionKind::none || options.privacy.kind != PrivacyKind::none ||
      options.secure || !options.personal_layers.empty()) {
    return "compression, privacy, secure aggregation and personal layers are simulated only: updates travel as they "
           "are";
  }
  return {};
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
        random_(Random::derived(scenario.seed, "selection")) {
    require_executable();
    data_ = load_data_set(scenario.workload.dataset, scenario.seed);
    const auto clients = static_cast<std::size_t>(scenario.federation.clients());
    training_ = std::make_unique<FederatedTraining>(scenario.workload.network, data_.train,
                                                    deal_samples(scenario, strategy, data_.train, clients),
                                                    training_options(scenario, strategy));
    weights_ = first_weights(scenario.workload, scenario.seed);
  }
  FederatedMeasurement(const FederatedMeasurement&) = delete;
  FederatedMeasurement& operator=(const FederatedMeasurement&) = delete;

  MeasuredWay measure() {
    const std::int64_t rounds = options_.steps > 0 ? options_.steps : strategy_.federated.rounds;
    for (std::int64_t round = 0; round < rounds && !reached_; ++round) {
      select(round);
      communicator_.barrier();
      recorder_.start();
      if (is_server()) {
        serve();
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
    if (const std::string reason = obstacle(scenario_, strategy_); !reason.empty()) throw Infeasible(reason);
  }

  void select(std::int64_t round) {
    EveryClient all(training_->parts().size());
    const ParticipationOptions& participation = strategy_.federated.participation;
    const SelectionRequest request{round, static_cast<std::size_t>(participation.clients_per_round), next_, 0};
    selected_ = entry_of(participation.selection).select(all, request, random_);
    next_ = next_in_turn(selected_, next_, all.clients());
  }

  [[nodiscard]] int epochs_of(std::size_t client, std::int64_t round) const {
    return drawn_epochs(strategy_.federated, scenario_.seed, client, round);
  }

  [[nodiscard]] double samples_trained(std::size_t client, std::int64_t round) const {
    const auto own = static_cast<std::int64_t>(training_->parts()[client].size());
    const FederatedOptions& options = strategy_.federated;
    return local_batches(own, options.local_batch, epochs_of(client, round), options.local_steps).samples();
  }

  /// The rank that trains the client in this place of the selection.
  [[nodiscard]] int rank_of(std::size_t place) const {
    return 1 + static_cast<int>(place % static_cast<std::size_t>(communicator_.size() - 1));
  }

  // --- the server ---

  void serve() {
    std::vector<std::vector<float>> results(selected_.size());
    std::vector<Ticket> downs(selected_.size()), ups(selected_.size());
    for (std::size_t place = 0; place < selected_.size(); ++place) {
      results[place].resize(weights_.size() + loss_numbers);
      ups[place] = communicator_.receive(results[place], rank_of(place), upload_tag(place));
      downs[place] = communicator_.send(weights_, rank_of(place), download_tag(place));
    }
    std::size_t open = 2 * selected_.size();
    while (open > 0) {
      for (std::size_t place = 0; place < selected_.size(); ++place) {
        if (downs[place] && communicator_.done(downs[place])) --open;
        if (ups[place] && communicator_.done(ups[place])) {
          --open;
          last_client_ = selected_[place];
        }
      }
    }
    const Seconds arrived = recorder_.now();
    accept(results);
    end_ = recorder_.now();
    aggregation_ = end_ - arrived;
  }

  void accept(const std::vector<std::vector<float>>& results) {
    std::vector<ClientUpdate> updates;
    double loss = 0, samples = 0;
    for (std::size_t place = 0; place < results.size(); ++place) {
      const std::vector<float>& arrived = results[place];
      ClientUpdate& update = updates.emplace_back();
      update.client = selected_[place];
      update.delta.assign(arrived.begin(), arrived.end() - loss_numbers);
      std::memcpy(&update.train_loss, arrived.data() + update.delta.size(), sizeof update.train_loss);
      update.samples = static_cast<std::int64_t>(training_->parts()[update.client].size());
      loss += update.train_loss * static_cast<double>(update.samples);
      samples += static_cast<double>(update.samples);
    }
    training_->accept(weights_, updates);
    train_loss_ = samples > 0 ? loss / samples : 0.0;
  }

  // --- the ranks that train ---

  void train_own(std::int64_t round) {
    for (std::size_t place = 0; place < selected_.size(); ++place) {
      if (rank_of(place) != communicator_.rank()) continue;
      Trip trip;
      trip.client = static_cast<std::int32_t>(selected_[place]);
      trip.round = static_cast<std::int32_t>(round);
      trip.compute_share = 1;
      trip.begin = recorder_.now();
      std::vector<float> received(weights_.size());
      Ticket down = communicator_.receive(received, 0, download_tag(place));
      communicator_.wait(down);
      const Seconds downloaded = recorder_.now();
      const std::vector<float> message = trained(selected_[place], round, std::move(received));
      const Seconds trained_at = recorder_.now();
      Ticket up = communicator_.send(message, 0, upload_tag(place));
      communicator_.wait(up);
      trip.end = recorder_.now();
      trip.download = downloaded - trip.begin;
      trip.compute = trained_at - downloaded;
      trip.upload = trip.end - trained_at;
      trip.down = bytes_of(weights_.size());
      trip.up = bytes_of(message.size());
      trips_.push_back(trip);
    }
  }

  std::vector<float> trained(std::size_t client, std::int64_t round, std::vector<float> received) const {
    LocalJob job;
    job.client = client;
    job.round = round;
    job.received = std::make_shared<const std::vector<float>>(std::move(received));
    job.epochs = epochs_of(client, round);
    job.steps = strategy_.federated.local_steps;
    const ClientUpdate update = training_->train(std::vector{job}).front();
    std::vector<float> message = update.delta;
    message.resize(message.size() + loss_numbers);
    std::memcpy(message.data() + update.delta.size(), &update.train_loss, sizeof update.train_loss);
    return message;
  }

  static Bytes bytes_of(std::size_t numbers) { return Bytes(static_cast<double>(numbers * sizeof(float))); }

  // --- what happened, on the server ---

  void collect(std::int64_t round, bool last) {
    const std::vector<std::string> all = communicator_.gather(to_raw(trips_));
    trips_.clear();
    if (is_server()) end_round(round, last, all);
    reached_ = !communicator_.broadcast(reached_ ? "reached" : "").empty();
  }

  void end_round(std::int64_t round, bool last, const std::vector<std::string>& all) {
    add_trips(round, all);
    clock_ += end_;
    measured_.steps.push_back({round + 1, end_, train_loss_});
    const std::int64_t every = strategy_.federated.evaluate_every;
    if (scenario_.workload.learn && (last || (round + 1) % every == 0)) evaluate(round + 1);
    if (options_.progress) {
      options_.progress("measuring " + strategy_.name, static_cast<double>(round + 1) / strategy_.federated.rounds,
                        fmt::format("round {}", round + 1));
    }
  }

  /// In the order in which they ended, on the run's clock; and the step.
  void add_trips(std::int64_t round, const std::vector<std::string>& all) {
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
      if (static_cast<std::size_t>(trip.client) == last_client_) {
        step.critical_trip = static_cast<std::int32_t>(run.trips.size());
      }
      bytes_ += trip.down + trip.up;
      samples_ += samples_trained(static_cast<std::size_t>(trip.client), round);
      run.trips.push_back(trip);
    }
    step.begin = clock_;
    step.end = clock_ + end_;
    step.aggregation = aggregation_;
    run.steps.push_back(step);
  }

  void evaluate(std::int64_t rounds) {
    const Evaluation evaluation = training_->evaluate(weights_, data_.test);
    CurvePoint point;
    point.round = rounds;
    point.epoch = samples_ / static_cast<double>(scenario_.workload.dataset_samples);
    point.time = clock_;
    point.bytes = bytes_;
    point.accuracy = evaluation.accuracy;
    point.loss = evaluation.loss;
    point.train_loss = train_loss_;
    measured_.way.curve.push_back(point);
    const double target = scenario_.workload.target_accuracy;
    measured_.way.target_reached = reached_ = target > 0 && evaluation.accuracy >= target;
  }

  void finish() {
    Way& way = measured_.way;
    way.seed = scenario_.seed;
    way.degrees.dp = strategy_.federated.participation.clients_per_round;
    for (const auto& part : training_->parts()) way.samples.push_back(static_cast<std::int64_t>(part.size()));
    way.histograms = label_histograms(data_.train, training_->parts(), data_.classes);
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
    std::vector<double> times;
    for (const MeasuredStep& step : measured_.steps) times.push_back(step.time.value());
    way.measured = MeasuredSteps{times.size(), Seconds(quantile(times, 0.1)), Seconds(quantile(times, 0.5)),
                                 Seconds(quantile(times, 0.9))};
  }

  const Scenario& scenario_;
  const StrategySpec& strategy_;
  Communicator& communicator_;
  const MeasureOptions& options_;
  StepRecorder recorder_;
  Random random_;
  DataSet data_;
  std::unique_ptr<FederatedTraining> training_;
  std::vector<float> weights_;  // global; on the ranks that train, the first ones
  std::size_t next_ = 0;        // in turn
  // Of the round under way
  std::vector<std::size_t> selected_;
  std::vector<Trip> trips_;
  std::size_t last_client_ = 0;
  Seconds end_, aggregation_;
  double train_loss_ = 0;
  // So far
  Seconds clock_;
  Bytes bytes_;
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
