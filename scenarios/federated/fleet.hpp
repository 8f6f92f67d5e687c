// Clients on their trips: download, local training, upload over the contended network, honouring at every instant
// whether they are online.
//
// What a client does that goes offline in the middle of a transfer is the OfflinePolicy's: `resume` moves the remaining
// bytes when it is back, `restart` moves all of them again, with `give_up` the trip ends as dropped. Training goes on
// offline except with give_up, which needs the client online from end to end. A client that will never be back drops
// under every policy, and so does one that was interrupted most_fruitless times in a row without getting on: whose
// time online is shorter than the link's latency, or with `restart` than the transfer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "scenarios/federated/trip_clock.hpp"
#include "scenarios/federated_options.hpp"
#include "sim/engine/star_network.hpp"
#include "topologies/availability.hpp"

namespace orrery {

/// Interruptions of one transfer without any progress after which a client drops out. Assumed: who comes and goes ten
/// times a day has tried for a hundred days, and chance would long have given it a window if there were one.
inline constexpr int most_fruitless = 1000;

/// What would change after it never does: three thousand years are no training. The clock must not run on for ever
/// while a client's times online get shorter than its last digit; here that is 15 microseconds, and the scenario's
/// means are a millisecond at least.
inline constexpr Seconds end_of_time{1e11};

/// One stretch of a trip. wait: online, for others.
struct Leg {
  enum class Kind : std::uint8_t { download, compute, upload, wait } kind = Kind::compute;
  Bytes bytes;   // download, upload
  Seconds time;  // compute, wait
};

/// What a trip consists of: `first`, then `repeated` so many times, then `last`.
struct Itinerary {
  std::vector<Leg> first, repeated, last;
  std::size_t repeats = 0;
  [[nodiscard]] std::size_t size() const { return first.size() + repeated.size() * repeats + last.size(); }
  [[nodiscard]] const Leg& leg(std::size_t index) const;
  [[nodiscard]] Seconds compute() const;
};

/// Whom a client talks to.
struct Hub {
  DeviceId host;
  std::int32_t name = -1;  // as Trip::hub
};

class Fleet {
 public:
  /// Called with the index of the trip in FederatedRun::trips when it ended by itself: reported or dropped.
  using Ended = std::function<void(std::size_t trip)>;

  /// Client c is host c of the network. Trips end up in `run`; a trip's round is the number of steps there when it
  /// ends.
  Fleet(StarNetwork& network, Availability& availability, std::size_t clients, OfflinePolicy policy, FederatedRun& run);

  /// Contract: the client is online and not at work.
  void send(std::size_t client, Itinerary itinerary, const Hub& hub, Ended ended);
  /// Ends the client's trip with what it has moved and computed so far; `ended` is not called. Returns its index.
  std::size_t recall(std::size_t client, TripEnd how);

  [[nodiscard]] std::size_t clients() const { return slot_of_.size(); }
  [[nodiscard]] bool at_work(std::size_t client) const { return slot_of_[client] != none; }
  [[nodiscard]] std::size_t at_work() const { return open_.size() - free_.size(); }
  /// Clients on a trip, in ascending order.
  [[nodiscard]] std::vector<std::size_t> travellers() const;
  [[nodiscard]] bool online(std::size_t client) { return availability_.online(client, network_.now()); }
  /// Next instant at which the client goes or comes; infinity: never, or after end_of_time.
  [[nodiscard]] Seconds changes(std::size_t client);
  [[nodiscard]] Seconds now() const { return network_.now(); }
  [[nodiscard]] FederatedRun& run() { return run_; }

 private:
  static constexpr std::uint32_t none = 0xffffffffU;

  struct Open {
    Trip trip;
    TripClock clock;
    Itinerary itinerary;
    Hub hub;
    Ended ended;
    std::size_t leg = 0;
    Bytes bytes_left, bytes_before;  // of the leg; the trip's in its direction when the leg began
    Seconds time_left, leg_began;
    Seconds computed;
    int fruitless = 0;    // interruptions of the leg since it last got on
    bool moving = false;  // false: paused until the client is online again
    StarNetwork::Handle flow, timer, watch;
  };

  Open& of(std::size_t client) { return open_[slot_of_[client]]; }
  void begin_leg(std::size_t client);
  void move(std::size_t client);
  void start_flow(std::size_t client, const Leg& leg);
  void end_leg(std::size_t client);
  void watch(std::size_t client);
  void changed(std::size_t client);
  void pause(std::size_t client);
  void interrupt(Open& open);
  void start_again(Open& open) const;
  std::size_t finish(std::size_t client, TripEnd how);
  void drop(std::size_t client);
  static Bytes& moved(Trip& trip, Leg::Kind kind) { return kind == Leg::Kind::download ? trip.down : trip.up; }

  StarNetwork& network_;
  Availability& availability_;
  OfflinePolicy policy_;
  FederatedRun& run_;
  std::vector<std::uint32_t> slot_of_;  // by client
  std::vector<Open> open_;
  std::vector<std::uint32_t> free_;
};

}  // namespace orrery
