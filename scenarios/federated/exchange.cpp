#include "scenarios/federated/exchange.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/contract.hpp"

namespace orrery {

NeighbourExchange::NeighbourExchange(CoSimulation& simulation, const GossipGraph& graph)
    : simulation_(simulation), graph_(graph), nodes_(graph.size()) {}

void NeighbourExchange::start(const std::vector<std::size_t>& clients, const std::vector<Seconds>& compute, Done done) {
  ORRERY_EXPECT(open_ == 0 && clients.size() == compute.size() && !clients.empty());
  done_ = std::move(done);
  nodes_.assign(graph_.size(), {});
  messages_.clear();
  result_ = {};
  open_ = clients.size();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    Node& node = nodes_[clients[i]];
    node.takes_part = node.at_work = true;
    node.compute = compute[i];
    node.trip.client = static_cast<std::int32_t>(clients[i]);
    node.clock.start(node.trip, TripActivity::compute, simulation_.now());
  }
  add_messages(clients);
  for (const std::size_t client : clients) {
    nodes_[client].training = simulation_.network().after(nodes_[client].compute, [this, client] { trained(client); });
    watch(client);
  }
}

void NeighbourExchange::add_messages(const std::vector<std::size_t>& clients) {
  for (const std::size_t from : clients) {
    for (const std::size_t to : graph_[from]) {
      if (!nodes_[to].takes_part) continue;
      for (const std::size_t end : {from, to}) nodes_[end].messages.push_back(messages_.size());
      ++nodes_[from].to_send;
      ++nodes_[to].to_receive;
      messages_.push_back({from, to, simulation_.work().bytes().up, {}, Message::State::waiting});
    }
  }
}

void NeighbourExchange::trained(std::size_t client) {
  Node& node = nodes_[client];
  node.trained = true;
  for (const std::size_t message : node.messages) try_move(message);
  settle(client);
  end_if_complete(client);
}

void NeighbourExchange::try_move(std::size_t index) {
  Message& message = messages_[index];
  if (message.state != Message::State::waiting || !nodes_[message.from].trained) return;
  if (!simulation_.fleet().online(message.from) || !simulation_.fleet().online(message.to)) return;
  message.state = Message::State::moving;
  count(message, 1);
  message.flow = simulation_.network().flow(DeviceId(message.from), DeviceId(message.to), message.left,
                                            [this, index] { arrived(index); });
}

void NeighbourExchange::arrived(std::size_t index) {
  Message& message = messages_[index];
  nodes_[message.from].trip.up += message.left;
  nodes_[message.to].trip.down += message.left;
  nodes_[message.from].got_on = nodes_[message.to].got_on = true;
  message.state = Message::State::done;
  --nodes_[message.from].to_send;
  --nodes_[message.to].to_receive;
  count(message, -1);
  for (const std::size_t end : {message.from, message.to}) end_if_complete(end);
}

/// Both ends do something else from now on.
void NeighbourExchange::count(const Message& message, int change) {
  nodes_[message.from].sending += change;
  nodes_[message.to].receiving += change;
  settle(message.from);
  settle(message.to);
}

/// Stops a moving message and books what has arrived of it.
void NeighbourExchange::interrupt(Message& message) {
  if (message.state != Message::State::moving) return;
  const Bytes arrived = simulation_.network().cancel_flow(message.flow);
  nodes_[message.from].trip.up += arrived;
  nodes_[message.to].trip.down += arrived;
  const bool resumes = simulation_.options().participation.offline == OfflinePolicy::resume;
  if (resumes && arrived > Bytes{}) nodes_[message.from].got_on = nodes_[message.to].got_on = true;
  message.left = resumes ? std::max(Bytes{}, message.left - arrived) : simulation_.work().bytes().up;
  if (!resumes) {
    nodes_[message.from].trip.discarded_up += arrived;
    nodes_[message.to].trip.discarded_down += arrived;
  }
  message.state = Message::State::waiting;
  count(message, -1);
}

void NeighbourExchange::watch(std::size_t client) {
  const Seconds at = simulation_.fleet().changes(client);
  if (!std::isfinite(at.value())) return;
  nodes_[client].watch = simulation_.network().after(at - simulation_.now(), [this, client] { changed(client); });
}

void NeighbourExchange::changed(std::size_t client) {
  Node& node = nodes_[client];
  const bool online = simulation_.fleet().online(client);
  const std::vector<std::size_t> own = node.messages;
  for (const std::size_t message : own) {
    if (online) {
      try_move(message);
    } else {
      interrupt(messages_[message]);
    }
  }
  if (!online && drops(client)) {
    lose_messages(client);
    end(client, TripEnd::dropped);
    finish_if_over();
    return;
  }
  settle(client);
  watch(client);
}

/// Whether something is left that its sender is ready to send.
bool NeighbourExchange::could_move(std::size_t client) const {
  const std::vector<std::size_t>& own = nodes_[client].messages;
  return std::any_of(own.begin(), own.end(), [this](std::size_t index) {
    return messages_[index].state == Message::State::waiting && nodes_[messages_[index].from].trained;
  });
}

/// The client has just gone offline.
bool NeighbourExchange::drops(std::size_t client) {
  Node& node = nodes_[client];
  if (std::exchange(node.got_on, false)) {
    node.fruitless = 0;
  } else if (could_move(client)) {
    ++node.fruitless;
  }
  const bool gives_up = simulation_.options().participation.offline == OfflinePolicy::give_up;
  const bool comes_back = std::isfinite(simulation_.fleet().changes(client).value());
  return gives_up || !comes_back || node.fruitless == most_fruitless;
}

/// What the client has not sent or received yet never moves.
void NeighbourExchange::lose_messages(std::size_t client) {
  nodes_[client].takes_part = false;
  for (const std::size_t index : nodes_[client].messages) {
    Message& message = messages_[index];
    if (message.state != Message::State::waiting) continue;
    message.state = Message::State::lost;
    --nodes_[message.from].to_send;
    --nodes_[message.to].to_receive;
    end_if_complete(message.from == client ? message.to : message.from);
  }
}

TripActivity NeighbourExchange::activity(std::size_t client) {
  const Node& node = nodes_[client];
  if (!node.trained) return TripActivity::compute;
  if (node.sending > 0) return TripActivity::upload;
  if (node.receiving > 0) return TripActivity::download;
  return simulation_.fleet().online(client) ? TripActivity::waiting : TripActivity::offline;
}

void NeighbourExchange::settle(std::size_t client) {
  Node& node = nodes_[client];
  if (node.at_work) node.clock.turn_to(node.trip, activity(client), simulation_.now());
}

void NeighbourExchange::end_if_complete(std::size_t client) {
  Node& node = nodes_[client];
  if (!node.at_work || !node.takes_part || !node.trained || node.to_send > 0 || node.to_receive > 0) return;
  end(client, TripEnd::reported);
  finish_if_over();
}

void NeighbourExchange::end(std::size_t client, TripEnd how) {
  Node& node = nodes_[client];
  simulation_.network().cancel_timer(node.training);
  simulation_.network().cancel_timer(node.watch);
  const Seconds computed = node.trained ? node.compute : simulation_.now() - node.trip.begin;
  node.at_work = false;
  node.clock.stop(node.trip, simulation_.now());
  node.trip.how = how;
  node.trip.round = static_cast<std::int32_t>(simulation_.run().steps.size());
  node.trip.compute_share = node.compute > Seconds{} ? std::fmin(1.0, computed / node.compute) : 0.0;
  std::vector<Trip>& trips = simulation_.run().trips;
  trips.push_back(node.trip);
  // The last message ends two trips at once: everybody waited for the one that waited least.
  const Trip* last = result_.last_trip < 0 ? nullptr : &trips[static_cast<std::size_t>(result_.last_trip)];
  if (last == nullptr || last->end < node.trip.end || node.trip.waiting <= last->waiting) {
    result_.last_trip = static_cast<std::int32_t>(trips.size()) - 1;
  }
  --open_;
}

void NeighbourExchange::finish_if_over() {
  if (open_ > 0 || !done_) return;
  for (std::size_t client = 0; client < nodes_.size(); ++client) {
    if (nodes_[client].takes_part) result_.clients.push_back(client);
  }
  std::exchange(done_, {})(result_);
}

}  // namespace orrery
