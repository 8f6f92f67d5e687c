// The clients of a federation: groups as the scenario states them, and each client as drawn from its group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/engine/star_network.hpp"
#include "topologies/availability.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

struct ClientGroup {
  int count = 1;
  Device device;
  Link link;
  double slowdown = 1.0;     // > 1: slower than the catalogue's device
  double speed_sigma = 0.0;  // log-normal spread of speeds: sigma of the logarithm; the median is as stated
  double link_sigma = 0.0;   // the same of the link's rate, up and down alike
  /// Of one local step beside its samples: a phone needs about 10 ms (BODT); added to what the cost model says.
  Seconds step_overhead;
  /// Of one training sample, forward and backward, instead of the cost model's figure; nothing: the cost model's.
  std::optional<Seconds> per_sample;
  AvailabilitySpec availability;
  /// When given, client i of the group has row i modulo their number: both of its rates and its time per sample, times
  /// slowdown. The sigmas and per_sample are not used then.
  std::vector<CapacityTrace> capacities;
  std::string grid;           // catalogue id; empty: [energy]'s
  double gCO2e_per_kWh = -1;  // of that grid; negative: [energy]'s
};

/// One client. Small: a million of them must be cheap.
struct Client {
  std::uint32_t group = 0;
  float slowdown = 1;       // the group's / exp(speed_sigma z): its own draw z is standard normal
  float per_sample_s = 0;   // > 0: instead of the cost model's, slowdown not applied again
  BytesPerSecond up, down;  // effective: the link's x exp(link_sigma z)
};

struct Population {
  std::vector<ClientGroup> groups;
  std::vector<Client> clients;
  Device server;
  Link server_link;
  [[nodiscard]] const ClientGroup& group(std::size_t client) const { return groups[clients[client].group]; }
};

/// Clients in the order of their groups; every draw from Random::derived(seed, ..., client).
Population draw_population(const std::vector<ClientGroup>& groups, const Device& server, const Link& server_link,
                           std::uint64_t seed);

/// Client c is host c; the server is the last host; latencies are the links' whole one-way latency.
std::vector<AccessLine> access_lines(const Population& population);

/// Every group by its own law. Throws InvalidInput when a trace cannot be read.
std::unique_ptr<Availability> make_availability(const Population& population, std::uint64_t seed);

}  // namespace orrery
