// One round among neighbours without a server: everybody trains, then sends its model to its neighbours and waits for
// theirs. Peer to peer: a message crosses its sender's line up and its receiver's line down, and moves while both are
// online.
//
// One trip per client and round, over all of its messages: `up` is what it sent, `down` what it received (a message
// stands in two trips). Sending and receiving go on at once: the time counts as upload while anything is sent, as
// download while something is received only, as waiting while neighbours still train. Offline policies and
// their end (most_fruitless) as in Fleet, for neighbours too that are never online together; a client that drops takes
// no part in the round's averages, and what it still was to get or send is taken back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "scenarios/federated/co_simulation.hpp"
#include "scenarios/federated/gossip_graph.hpp"

namespace orrery {

class NeighbourExchange {
 public:
  struct Result {
    std::vector<std::size_t> clients;  // that trained and exchanged, in ascending order
    std::int32_t last_trip = -1;
  };
  using Done = std::function<void(const Result&)>;

  NeighbourExchange(CoSimulation& simulation, const GossipGraph& graph);

  /// With these clients, all online; `compute`: local training of each. Contract: the round before is done.
  void start(const std::vector<std::size_t>& clients, const std::vector<Seconds>& compute, Done done);

 private:
  struct Message {
    std::size_t from = 0, to = 0;
    Bytes left;
    StarNetwork::Handle flow;
    enum class State : std::uint8_t { waiting, moving, done, lost } state = State::waiting;
  };
  struct Node {
    bool takes_part = false, at_work = false, trained = false;
    bool got_on = false;  // since it came online
    int fruitless = 0;    // times online in a row in which messages could have moved, and none got on
    Trip trip;
    TripClock clock;
    Seconds compute;
    int sending = 0, receiving = 0;     // messages moving
    int to_send = 0, to_receive = 0;    // messages not done
    std::vector<std::size_t> messages;  // sent and received, by index
    StarNetwork::Handle training, watch;
  };

  void add_messages(const std::vector<std::size_t>& clients);
  void trained(std::size_t client);
  void try_move(std::size_t message);
  void arrived(std::size_t message);
  void interrupt(Message& message);
  void count(const Message& message, int change);
  void lose_messages(std::size_t client);
  [[nodiscard]] bool could_move(std::size_t client) const;
  [[nodiscard]] bool drops(std::size_t client);
  void watch(std::size_t client);
  void changed(std::size_t client);
  void settle(std::size_t client);
  [[nodiscard]] TripActivity activity(std::size_t client);
  void end_if_complete(std::size_t client);
  void end(std::size_t client, TripEnd how);
  void finish_if_over();

  CoSimulation& simulation_;
  const GossipGraph& graph_;
  Done done_;
  std::vector<Node> nodes_;
  std::vector<Message> messages_;
  std::size_t open_ = 0;  // nodes at work
  Result result_;
};

}  // namespace orrery
