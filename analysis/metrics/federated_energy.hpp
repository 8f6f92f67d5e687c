// Energy of a co-simulated way, trip by trip and server step by server step.
//
//   client computing      typical x compute
//   download, upload      idle x time + the radio's bytes, base and tail (topologies/radio.hpp); two bursts per trip
//   client waiting        idle x waiting; while it is offline a client is charged nothing
//   network, power        access x time online + wan_J_per_GB x bytes, access = gateway / gateway_devices + access line
//                         of a client on WiFi, Ethernet or a home line; a base station's standing power is not the
//                         client's, so cellular links have none
//   network, intensity    kWh per GB of the link's kind (fixed or mobile) x bytes, instead of both
//   server                typical x aggregation + idle x the rest + its line (port x time + pJ/bit x bits)
//   edges (hierarchical)  the same with their computing, each with its line to the server; part of `server`
//
// PUE multiplies what stands in a facility: server and edges. Bytes of the network are those that cross the wide area:
// with edges between, the backhaul alone (power; by intensity, which is of access networks too, all); none where every
// link is a local one. Gossip has no server: its clients average, each for as
// long as the slowest takes; and a message from peer to peer counts once.
//
// Workers of an asynchronous strategy are devices of a cluster: while they move data or wait they spin (blocked power,
// as in data-parallel training), their line is their share of a port of the cluster's network (port x time + pJ/bit x
// bits), the rest of their nodes draws its training power throughout (part of `server`), and PUE multiplies all of it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/metrics/energy.hpp"
#include "topologies/population.hpp"

namespace orrery {

struct FederatedEnergy {
  Joules client_compute, download, upload, client_idle, network;
  Joules server_compute, server_idle;  // idle: standing by, its line included
  [[nodiscard]] Joules server() const { return server_compute + server_idle; }
  [[nodiscard]] Joules total() const { return client_compute + download + upload + client_idle + network + server(); }
  FederatedEnergy& operator+=(const FederatedEnergy& other);
  friend FederatedEnergy operator+(FederatedEnergy a, const FederatedEnergy& b) { return a += b; }
};

/// compute = clients' and server's computing; communication = download + upload + network; idle = the rest.
EnergyParts energy_parts(const FederatedEnergy& energy);

/// What the clients of a run are, and who serves them.
struct FederationSite {
  enum class Workers : std::uint8_t { clients, cluster };
  Workers workers = Workers::clients;
  enum class Server : std::uint8_t { present, none };
  Server server = Server::present;
  int edges = 0;
  Device edge_device;
  Link edge_link;
  // Workers of a cluster
  double port_share = 1;  // of a network port
  Watts rest;             // of all nodes, beside their devices
};
FederationSite site_of(const StrategySpec& strategy);

/// How far a run's messages go: the farthest of its links.
LinkScope scope_of(const Population& population);

/// Of a trip: all but what it was offline.
Seconds online_time(const Trip& trip);
/// Bytes of a trip's messages, each counted once.
Bytes sent_bytes(const Trip& trip, const FederationSite& site);

/// Joules of trips and server steps. The population must outlive it.
class FederationPower {
 public:
  /// Nothing when the power of a device that takes part is unknown.
  static std::optional<FederationPower> of(const Population& population, const FederationSite& site,
                                           const EnergySpec& energy);

  /// Everything that the trip cost but the server: its five parts.
  [[nodiscard]] FederatedEnergy trip(const Trip& trip) const;
  /// Where there is no server: this client's part of an average that took so long.
  [[nodiscard]] FederatedEnergy average(const Trip& trip, Seconds aggregation) const;
  /// Server, edges and their lines over one step; `bytes`: what crossed the server's line in it.
  [[nodiscard]] FederatedEnergy step(const ServerStep& step, Bytes bytes) const;
  /// Of a group's clients; negative: [energy]'s.
  [[nodiscard]] double gCO2e_per_kWh(std::size_t client) const { return population_->group(client).gCO2e_per_kWh; }

 private:
  struct Group {
    Watts computing, moving, waiting, access;
    double wan_J_per_byte = 0, port_J_per_byte = 0, facility = 1;  // facility: PUE, or one
  };
  FederationPower(const Population& population, const FederationSite& site, const EnergySpec& energy);
  [[nodiscard]] Group client_power(const ClientGroup& group) const;
  [[nodiscard]] Group worker_power(const ClientGroup& group) const;
  [[nodiscard]] bool wide() const { return scope_of(*population_) == LinkScope::wan; }

  const Population* population_;
  FederationSite site_;
  EnergySpec energy_;
  std::vector<Group> groups_;
};

}  // namespace orrery
