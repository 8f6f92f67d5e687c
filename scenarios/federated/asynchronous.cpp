// Asynchronous federations: so many clients are always at work, and the server takes a step for every report (FedAsync,
// asynchronous SGD) or for every `buffer` of them (FedBuff).
//
// The server works on one step at a time; reports that arrive meanwhile wait in the order of their arrival. The place
// of a client that has reported is taken again when the server has dealt with its report: at once when the report goes
// into the buffer, after the step when a step follows from it. A client whose report has not gone into the model yet
// is not asked again. Staleness counts server steps since the weights that a client works from were sent to it, until
// the step that its update goes into.
#include <fmt/format.h>

#include <deque>

#include "scenarios/federated/coordinator.hpp"
#include "scenarios/federated/newcomers.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

class Asynchronous {
 public:
  explicit Asynchronous(CoSimulation& simulation)
      : simulation_(simulation),
        pool_(simulation.job(), simulation.work(), simulation.fleet(), {0, simulation.fleet().clients()}),
        concurrency_(static_cast<std::size_t>(simulation.options().participation.clients_per_round)),
        versions_(simulation.fleet().clients()) {
    const AlgorithmOptions& algorithm = simulation.options().algorithm;
    if (algorithm.kind == AlgorithmKind::fedbuff) buffer_ = static_cast<std::size_t>(algorithm.buffer);
    if (buffer_ > versions_.size()) {
      throw Infeasible(
          fmt::format("a buffer of {} updates never fills: there are {} clients, each with one update in it at a time",
                      buffer_, versions_.size()));
    }
  }

  void run() {
    refill();
    simulation_.run_to_end();
  }

 private:
  [[nodiscard]] std::int64_t version() { return simulation_.journal().steps(); }

  [[nodiscard]] bool has_place() { return simulation_.fleet().at_work() + held_ < concurrency_; }

  void send(std::size_t client) {
    const Hub server = simulation_.hosts().server();
    versions_[client] = static_cast<std::int32_t>(version());
    simulation_.dispatch(client, server, 0, simulation_.round_trip(client, server),
                         [this](std::size_t trip) { ended(trip); });
  }

  /// Sends clients to all places that are free. Where there are too few, everybody who is left is offline: from then on
  /// clients take a place as they come, until all places are taken.
  void refill() {
    if (!short_of_clients_ && has_place()) {
      const std::size_t places = concurrency_ - simulation_.fleet().at_work() - held_;
      for (const std::size_t client : pool_.select(version(), places)) send(client);
      if (has_place()) {
        short_of_clients_ = true;
        for (std::size_t client = 0; client < versions_.size(); ++client) offer(client);
      }
    }
    if (!short_of_clients_) return;
    simulation_.network().cancel_timer(arrival_);
    if (!has_place()) {
      short_of_clients_ = false;
      newcomers_.clear();
    } else if (const auto next = newcomers_.next()) {
      arrival_ = simulation_.network().after(*next - simulation_.now(), [this] {
        for (const std::size_t client : newcomers_.arrived(simulation_.now())) offer(client);
        refill();
      });
    }
  }

  /// While clients are short: this one has nothing to do.
  void offer(std::size_t client) {
    if (!short_of_clients_ || simulation_.fleet().at_work(client) || pool_.reserved(client)) return;
    if (!simulation_.fleet().online(client)) {
      newcomers_.add(client, simulation_.fleet().changes(client));
    } else if (has_place()) {
      send(client);
    }
  }

  void ended(std::size_t trip) {
    const Trip& record = simulation_.run().trips[trip];
    const auto client = static_cast<std::size_t>(record.client);
    if (record.how != TripEnd::reported) {
      simulation_.job().learner.abandon(client);
      require_progress(++fruitless_);
      offer(client);
      refill();
      return;
    }
    fruitless_ = 0;
    pool_.reserve(client);
    waiting_.push_back(trip);
    if (busy_) {
      if (buffer_ == 1) ++held_;
    } else if (waiting_.size() >= buffer_) {
      begin_step();
    }
    refill();
  }

  void begin_step() {
    busy_ = true;
    held_ = buffer_ == 1 ? waiting_.size() : 1;
    ServerStep step;
    step.critical_trip = static_cast<std::int32_t>(waiting_[buffer_ - 1]);
    step.aggregation = simulation_.server_time(buffer_, 0);
    simulation_.network().after(step.aggregation, [this, step] { end_step(step); });
  }

  void end_step(const ServerStep& step) {
    std::vector<Report> reports;
    std::vector<std::size_t> clients;
    for (std::size_t i = 0; i < buffer_; ++i) {
      Trip& record = simulation_.run().trips[waiting_.front()];
      waiting_.pop_front();
      const auto client = static_cast<std::size_t>(record.client);
      record.round = static_cast<std::int32_t>(version());
      record.staleness = record.round - versions_[client];
      reports.push_back({client, record.staleness});
      clients.push_back(client);
      simulation_.journal().add_samples(simulation_.samples_trained(client, versions_[client]));
      pool_.release(client);
    }
    const double train_loss = simulation_.job().learner.aggregate(0, reports);
    pool_.note(clients, version());
    if (version() + 1 == simulation_.options().rounds) discard_waiting();
    simulation_.end_step(step, train_loss);
    busy_ = false;
    if (simulation_.journal().finished()) {
      discard_waiting();
      return;
    }
    held_ = 0;
    if (waiting_.size() >= buffer_) begin_step();
    for (const std::size_t client : clients) offer(client);
    refill();
  }

  /// Reports that no step will use.
  void discard_waiting() {
    for (const std::size_t trip : waiting_) {
      Trip& record = simulation_.run().trips[trip];
      record.how = TripEnd::unused;
      simulation_.job().learner.discard(static_cast<std::size_t>(record.client));
    }
    waiting_.clear();
  }

  void require_progress(std::size_t fruitless) {
    const std::size_t most = 1000 + 100 * concurrency_;
    if (fruitless < most) return;
    throw Infeasible(
        fmt::format("round {}: the last {} clients all dropped out: no update arrives", version() + 1, most));
  }

  CoSimulation& simulation_;
  ClientPool pool_;
  std::size_t concurrency_, buffer_ = 1;
  std::vector<std::int32_t> versions_;  // by client: server steps before its last download
  std::deque<std::size_t> waiting_;     // trips whose reports the server has, in order of arrival
  std::size_t held_ = 0;                // places of clients whose reports the server works on
  std::size_t fruitless_ = 0;           // trips since the last report
  bool busy_ = false;
  bool short_of_clients_ = false;
  Newcomers newcomers_;
  StarNetwork::Handle arrival_;  // of the next of them
};

}  // namespace

void run_asynchronous(CoSimulation& simulation) {
  Asynchronous(simulation).run();
}

}  // namespace orrery
