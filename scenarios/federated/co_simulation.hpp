// Everything that a coordinator drives: the network, the clients on their trips, what they take, the learner, the book.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "scenarios/federated/client_pool.hpp"
#include "scenarios/federated/client_work.hpp"
#include "scenarios/federated/fleet.hpp"
#include "scenarios/federated/journal.hpp"
#include "topologies/availability.hpp"

namespace orrery {

/// Hosts of the network: client c is host c, then the server, and in a hierarchy two hosts for each edge. Clients reach
/// their edge where their own links end: its local side carries them all at full rate. The other side is edge_link,
/// which meets the server's line like any other.
class Hosts {
 public:
  explicit Hosts(const FederatedJob& job);
  [[nodiscard]] const std::vector<AccessLine>& lines() const { return lines_; }
  [[nodiscard]] Hub server() const { return {DeviceId(clients_), -1}; }
  [[nodiscard]] Hub edge(std::size_t edge) const {
    return {DeviceId(clients_ + 1 + edge), static_cast<std::int32_t>(edge)};
  }
  [[nodiscard]] DeviceId uplink(std::size_t edge) const { return DeviceId(clients_ + 1 + edges_ + edge); }
  [[nodiscard]] std::size_t edges() const { return edges_; }
  /// Clients are dealt to edges in blocks: neighbours in the scenario share an edge.
  [[nodiscard]] ClientRange clients_of(std::size_t edge) const {
    const std::size_t first = edge * clients_ / edges_;
    return {first, (edge + 1) * clients_ / edges_ - first};
  }

 private:
  std::size_t clients_ = 0, edges_ = 0;
  std::vector<AccessLine> lines_;
};

class CoSimulation {
 public:
  CoSimulation(const FederatedJob& job, Way& way, const Progress& progress);
  CoSimulation(const CoSimulation&) = delete;
  CoSimulation& operator=(const CoSimulation&) = delete;

  [[nodiscard]] const FederatedJob& job() const { return job_; }
  [[nodiscard]] const FederatedOptions& options() const { return job_.options(); }
  [[nodiscard]] const Hosts& hosts() const { return hosts_; }
  [[nodiscard]] StarNetwork& network() { return network_; }
  [[nodiscard]] Fleet& fleet() { return fleet_; }
  [[nodiscard]] ClientWork& work() { return work_; }
  [[nodiscard]] Journal& journal() { return journal_; }
  [[nodiscard]] FederatedRun& run() { return way_.federated; }
  [[nodiscard]] Seconds now() const { return network_.now(); }

  /// Sends a client with the weights of `slot`, in a round whose slowest client answers a message after `round_trip`.
  void dispatch(std::size_t client, const Hub& hub, std::size_t slot, Seconds round_trip, Fleet::Ended ended);
  /// A message from hub to client and back, without its bytes.
  [[nodiscard]] Seconds round_trip(std::size_t client, const Hub& hub) const;
  /// Takes clients back with what they have done.
  std::size_t recall(std::size_t client, TripEnd how);
  /// The server's step by these reports, which came from clients that were dispatched for it; charged evaluation of
  /// its weights is part of it.
  [[nodiscard]] Seconds server_time(std::size_t reports, std::size_t dropped) const;
  /// Of the step under way; zero where it is free or not due.
  [[nodiscard]] Seconds evaluation_time() const;
  /// Ends the server step under way; and the whole run, with everybody under way unused, when it was the last.
  void end_step(const ServerStep& step, double train_loss);
  /// Runs until the last step. Throws Infeasible naming the round when nothing more can happen before that.
  void run_to_end();
  /// Samples of a client's training in the round it was dispatched in.
  [[nodiscard]] double samples_trained(std::size_t client, std::int64_t round) const;

 private:
  void recall_all();
  void record_lines();

  const FederatedJob& job_;
  Way& way_;
  Hosts hosts_;
  StarNetwork network_;
  std::unique_ptr<Availability> availability_;
  ClientWork work_;
  Fleet fleet_;
  Journal journal_;
};

}  // namespace orrery
