// Energy of a co-simulated way, trip by trip and server step by server step.
//
//   client computing      typical x compute
//   download, upload      idle x time + the radio's bytes, base and tail (topologies/radio.hpp); two bursts per trip
//   client waiting        idle x waiting; while it is offline, and between its trips, a client is charged nothing
//   network, power        access x (download + upload) + wan_J_per_GB x bytes, access = gateway / gateway_devices +
//                         access line of a client on WiFi or a home line: charged while a transfer holds them; a base
//                         station's standing power is not the client's, so cellular links have none
//   network, intensity    kWh per GB of the link's kind (fixed or mobile) x bytes, instead of both
//   network, local        a client on any other link (Ethernet, ...) has no gateway: its own port, port x time online +
//                         pJ/bit x bits, in either accounting
//   server                typical x aggregation + idle x the rest + its line (port x time + pJ/bit x bits)
//   edges (hierarchical)  the same with their computing, each with its line to the server; part of `server`
//
// PUE multiplies what stands in a facility: server and edges. Bytes of the network are those that cross the wide area:
// trips of groups whose link or the server's is a wide one; with edges between, a trip ends at the edge (power: the
// backhaul alone; intensity, which is of access networks too: trips over wide links as well), and the backhaul is wide
// when the edges' link or the server's is. Gossip has no server: its clients average, each for as long as the slowest
// takes; a message from peer to peer counts once; and a trip's transfers are one burst of the radio, of which
// `download` is what reception adds to sending.
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
  FederatedEnergy& operator-=(const FederatedEnergy& other);
  friend FederatedEnergy operator+(FederatedEnergy a, const FederatedEnergy& b) { return a += b; }
  friend FederatedEnergy operator-(FederatedEnergy a, const FederatedEnergy& b) { return a -= b; }
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

/// How far the messages of a group's trips go: the farther of its link and the server's; to an edge, its link's;
/// between peers the farthest of all groups', as a trip does not say who the peers were.
LinkScope trip_scope(const Population& population, const FederationSite& site, const ClientGroup& group);
/// Between edges and server: the farther of both links.
LinkScope backhaul_scope(const Population& population, const FederationSite& site);

/// Of a trip: all but what it was offline.
Seconds online_time(const Trip& trip);
/// Bytes of a trip's messages, each counted once.
Bytes sent_bytes(const Trip& trip, const FederationSite& site);

/// The trip as it would have been had no transfer started again: without the bytes sent again and, by their share of
/// the bytes, the time for which data moved that way.
Trip without_discarded(const Trip& trip);

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
  /// What a trip cost, and its part of an average that took so long: useful where it reported, but for what bytes that
  /// were sent again cost; else all of it is waste.
  struct Spent {
    FederatedEnergy useful, wasted;
    [[nodiscard]] Joules total() const { return useful.total() + wasted.total(); }
  };
  [[nodiscard]] Spent spent(const Trip& trip, Seconds aggregation) const;
  /// Server, edges and their lines over one step; `bytes`: what crossed the server's line in it.
  [[nodiscard]] FederatedEnergy step(const ServerStep& step, Bytes bytes) const;
  /// Of the client's own grid, in gCO2e per kWh; negative: [energy]'s.
  [[nodiscard]] double grid_intensity(std::size_t client) const { return population_->group(client).gCO2e_per_kWh; }

 private:
  struct Group {
    Watts computing, moving, waiting;
    Watts access;                                                  // while data moves
    Watts port;                                                    // while online
    double wan_J_per_byte = 0, port_J_per_byte = 0, facility = 1;  // facility: PUE, or one
  };
  FederationPower(const Population& population, const FederationSite& site, const EnergySpec& energy);
  [[nodiscard]] Group client_power(const ClientGroup& group) const;
  [[nodiscard]] Group worker_power(const ClientGroup& group) const;
  [[nodiscard]] bool wide(const ClientGroup& group) const {
    return trip_scope(*population_, site_, group) == LinkScope::wan;
  }
  [[nodiscard]] FederatedEnergy moving(const Trip& trip, const Group& power, const Link& link) const;

  const Population* population_;
  FederationSite site_;
  EnergySpec energy_;
  std::vector<Group> groups_;
};

}  // namespace orrery
