#include "scenarios/federated/fleet.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

bool is_transfer(const Leg& leg) {
  return leg.kind == Leg::Kind::download || leg.kind == Leg::Kind::upload;
}

TripActivity activity_of(const Leg& leg) {
  switch (leg.kind) {
    case Leg::Kind::download:
      return TripActivity::download;
    case Leg::Kind::compute:
      return TripActivity::compute;
    case Leg::Kind::upload:
      return TripActivity::upload;
    case Leg::Kind::wait:
      break;
  }
  return TripActivity::waiting;
}

Seconds compute_of(const std::vector<Leg>& legs) {
  Seconds sum;
  for (const Leg& leg : legs) {
    if (leg.kind == Leg::Kind::compute) sum += leg.time;
  }
  return sum;
}

}  // namespace

const Leg& Itinerary::leg(std::size_t index) const {
  if (index < first.size()) return first[index];
  index -= first.size();
  if (index < repeated.size() * repeats) return repeated[index % repeated.size()];
  return last.at(index - repeated.size() * repeats);
}

Seconds Itinerary::compute() const {
  return compute_of(first) + compute_of(repeated) * static_cast<double>(repeats) + compute_of(last);
}

Fleet::Fleet(StarNetwork& network, Availability& availability, std::size_t clients, OfflinePolicy policy,
             FederatedRun& run)
    : network_(network), availability_(availability), policy_(policy), run_(run), slot_of_(clients, none) {}

void Fleet::send(std::size_t client, Itinerary itinerary, const Hub& hub, Ended ended) {
  ORRERY_EXPECT(!at_work(client) && online(client));
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(open_.size()));
    open_.emplace_back();
  }
  slot_of_[client] = free_.back();
  free_.pop_back();
  Open& open = of(client);
  open = Open{};
  open.trip.client = static_cast<std::int32_t>(client);
  open.trip.hub = hub.name;
  open.hub = hub;
  open.itinerary = std::move(itinerary);
  open.ended = std::move(ended);
  open.clock.start(open.trip, TripActivity::waiting, network_.now());
  begin_leg(client);
}

std::size_t Fleet::recall(std::size_t client, TripEnd how) {
  ORRERY_EXPECT(at_work(client));
  interrupt(of(client));
  return finish(client, how);
}

std::vector<std::size_t> Fleet::travellers() const {
  std::vector<std::size_t> clients;
  std::vector<bool> free(open_.size(), false);
  for (const std::uint32_t slot : free_) free[slot] = true;
  for (std::size_t slot = 0; slot < open_.size(); ++slot) {
    if (!free[slot]) clients.push_back(static_cast<std::size_t>(open_[slot].trip.client));
  }
  std::sort(clients.begin(), clients.end());
  return clients;
}

Seconds Fleet::changes(std::size_t client) {
  const Seconds at = availability_.changes(client, network_.now());
  return at <= end_of_time ? at : Seconds(std::numeric_limits<double>::infinity());
}

void Fleet::begin_leg(std::size_t client) {
  Open& open = of(client);
  const std::size_t legs = open.itinerary.size();
  while (open.leg < legs && !is_transfer(open.itinerary.leg(open.leg)) &&
         open.itinerary.leg(open.leg).time <= Seconds{}) {
    ++open.leg;
  }
  if (open.leg == legs) {
    const Ended ended = std::move(open.ended);
    const std::size_t trip = finish(client, TripEnd::reported);
    ended(trip);
    return;
  }
  const Leg& leg = open.itinerary.leg(open.leg);
  open.bytes_left = leg.bytes;
  open.time_left = leg.time;
  open.fruitless = 0;
  if (is_transfer(leg)) open.bytes_before = moved(open.trip, leg.kind);
  const bool goes_on_offline = leg.kind == Leg::Kind::compute && policy_ != OfflinePolicy::give_up;
  if (goes_on_offline || online(client)) {
    move(client);
  } else {
    pause(client);
  }
}

void Fleet::move(std::size_t client) {
  Open& open = of(client);
  const Leg& leg = open.itinerary.leg(open.leg);
  open.moving = true;
  open.leg_began = network_.now();
  open.clock.turn_to(open.trip, activity_of(leg), network_.now());
  if (is_transfer(leg)) {
    start_flow(client, leg);
  } else {
    open.timer = network_.after(open.time_left, [this, client] { end_leg(client); });
  }
  if (leg.kind != Leg::Kind::compute || policy_ == OfflinePolicy::give_up) watch(client);
}

void Fleet::start_flow(std::size_t client, const Leg& leg) {
  Open& open = of(client);
  const DeviceId own(client);
  const bool down = leg.kind == Leg::Kind::download;
  const DeviceId from = down ? open.hub.host : own, to = down ? own : open.hub.host;
  open.flow = network_.flow(from, to, open.bytes_left, [this, client] { end_leg(client); });
}

void Fleet::end_leg(std::size_t client) {
  Open& open = of(client);
  const Leg& leg = open.itinerary.leg(open.leg);
  if (leg.kind == Leg::Kind::compute) {
    open.computed += leg.time;
  } else if (is_transfer(leg)) {
    // Not the sum of its parts: to the byte.
    Bytes& sum = moved(open.trip, leg.kind);
    sum = policy_ == OfflinePolicy::restart ? sum + leg.bytes : open.bytes_before + leg.bytes;
  }
  network_.cancel_timer(open.watch);
  open.moving = false;
  ++open.leg;
  begin_leg(client);
}

void Fleet::watch(std::size_t client) {
  const Seconds at = changes(client);
  if (!std::isfinite(at.value())) return;
  of(client).watch = network_.after(at - network_.now(), [this, client] { changed(client); });
}

void Fleet::changed(std::size_t client) {
  Open& open = of(client);
  if (online(client) == open.moving) {
    watch(client);
  } else if (open.moving) {
    const Bytes left = open.bytes_left;
    const Seconds time_left = open.time_left;
    interrupt(open);
    const bool got_on = open.bytes_left < left || open.time_left < time_left;
    open.fruitless = got_on && policy_ != OfflinePolicy::restart ? 0 : open.fruitless + 1;
    pause(client);
  } else {
    move(client);
  }
}

/// The client is offline and has to be online to go on.
void Fleet::pause(std::size_t client) {
  Open& open = of(client);
  const bool comes_back = std::isfinite(changes(client).value());
  if (policy_ == OfflinePolicy::give_up || !comes_back || open.fruitless == most_fruitless) {
    drop(client);
    return;
  }
  if (policy_ == OfflinePolicy::restart) start_again(open);
  open.clock.turn_to(open.trip, TripActivity::offline, network_.now());
  watch(client);
}

void Fleet::start_again(Open& open) const {
  const Leg& leg = open.itinerary.leg(open.leg);
  Bytes& discarded = leg.kind == Leg::Kind::download ? open.trip.discarded_down : open.trip.discarded_up;
  discarded += leg.bytes - open.bytes_left;
  open.bytes_left = leg.bytes;
  open.time_left = leg.time;
}

/// Stops what is under way and books what it has done.
void Fleet::interrupt(Open& open) {
  if (!open.moving) return;
  open.moving = false;
  const Leg& leg = open.itinerary.leg(open.leg);
  if (is_transfer(leg)) {
    const Bytes arrived = network_.cancel_flow(open.flow);
    moved(open.trip, leg.kind) += arrived;
    open.bytes_left = std::max(Bytes{}, open.bytes_left - arrived);
  } else {
    network_.cancel_timer(open.timer);
    const Seconds done = network_.now() - open.leg_began;
    open.time_left = std::max(Seconds{}, open.time_left - done);
    if (leg.kind == Leg::Kind::compute) open.computed += done;
  }
}

void Fleet::drop(std::size_t client) {
  const Ended ended = std::move(of(client).ended);
  const std::size_t trip = finish(client, TripEnd::dropped);
  ended(trip);
}

std::size_t Fleet::finish(std::size_t client, TripEnd how) {
  Open& open = of(client);
  network_.cancel_timer(open.watch);
  open.clock.stop(open.trip, network_.now());
  open.trip.how = how;
  open.trip.round = static_cast<std::int32_t>(run_.steps.size());
  const Seconds asked = open.itinerary.compute();
  if (open.leg == open.itinerary.size()) {
    open.trip.compute_share = asked > Seconds{} ? 1.0 : 0.0;
  } else if (asked > Seconds{}) {
    open.trip.compute_share = std::fmin(1.0, open.computed / asked);
  }
  run_.trips.push_back(open.trip);
  free_.push_back(slot_of_[client]);
  slot_of_[client] = none;
  return run_.trips.size() - 1;
}

}  // namespace orrery
