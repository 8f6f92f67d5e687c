// Federated averaging for real: rank 0 is the server, the other ranks train the selected clients, one after the other
// where there are fewer ranks than clients. Every client's update travels: what crosses the wire is what the simulation
// sends, and 8 bytes of loss. Clients, selection, epochs and averages are the simulation's, draw for draw.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "models/training/row_numbers.hpp"
#include "scenarios/central_learning.hpp"
#include "scenarios/federated/client_work.hpp"
#include "scenarios/federated/every_client.hpp"
#include "scenarios/federated/learner.hpp"
#include "scenarios/measure/federated_obstacle.hpp"
#include "scenarios/measure/federated_record.hpp"
#include "scenarios/measure/measure.hpp"
#include "scenarios/measure/rank_records.hpp"
#include "scenarios/measure/step_recorder.hpp"

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
    require_rows(scenario.workload.network, data_.test);  // on every rank, though the server alone evaluates
    const auto clients = static_cast<std::size_t>(scenario.federation.clients());
    training_ = std::make_unique<FederatedTraining>(scenario.workload.network, data_.train,
                                                    deal_samples(scenario, strategy, data_.train, clients),
                                                    training_options(scenario, strategy));
    record_ = std::make_unique<FederatedRecord>(scenario, strategy, *training_);
    weights_ = first_weights(scenario.workload, scenario.seed);
  }
  FederatedMeasurement(const FederatedMeasurement&) = delete;
  FederatedMeasurement& operator=(const FederatedMeasurement&) = delete;

  MeasuredWay measure() {
    for (std::int64_t round = 0; round < rounds() && !reached_; ++round) {
      select(round);
      communicator_.barrier();
      recorder_.start();
      if (is_server()) {
        serve();
      } else {
        train_own(round);
      }
      collect(round);
    }
    if (!is_server()) return {};
    return record_->finish(data_);
  }

 private:
  [[nodiscard]] std::int64_t rounds() const { return options_.steps > 0 ? options_.steps : strategy_.federated.rounds; }
  [[nodiscard]] bool is_server() const { return communicator_.rank() == 0; }

  void require_executable() const {
    if (communicator_.size() < 2) {
      throw Infeasible(
          "needs at least 2 processes, a server and clients, this run has 1 - start it with: mpirun -n 3 orrery "
          "measure ...");
    }
    if (const std::string reason = obstacle_to_measuring(scenario_, strategy_); !reason.empty())
      throw Infeasible(reason);
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

  void collect(std::int64_t round) {
    const std::vector<std::string> all = communicator_.gather(to_raw(trips_));
    trips_.clear();
    if (is_server()) end_round(round, all);
    reached_ = !communicator_.broadcast(reached_ ? "reached" : "").empty();
  }

  void end_round(std::int64_t round, const std::vector<std::string>& all) {
    record_->add_round(round, {end_, aggregation_, last_client_, train_loss_}, all);
    const std::int64_t every = strategy_.federated.evaluate_every, done = round + 1;
    if (scenario_.workload.learn && (done == rounds() || done % every == 0)) {
      reached_ = record_->add_evaluation(done, training_->evaluate(weights_, data_.test), train_loss_);
    }
    if (options_.progress) {
      options_.progress("measuring " + strategy_.name, static_cast<double>(done) / strategy_.federated.rounds,
                        fmt::format("round {}", done));
    }
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
  std::unique_ptr<FederatedRecord> record_;
  bool reached_ = false;
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
