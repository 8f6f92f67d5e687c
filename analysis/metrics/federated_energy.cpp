#include "analysis/metrics/federated_energy.hpp"

#include <algorithm>
#include <array>

#include "topologies/node.hpp"
#include "topologies/radio.hpp"

namespace orrery {
namespace {

bool cellular(const Link& link) {
  return link.kind == "cellular";
}

bool power_known(const Device& device) {
  return training_power(device) > Watts{};
}

/// Not behind a gateway and an access line.
bool local(const Link& link) {
  return network_scope(link) != LinkScope::wan;
}

Joules port_energy(const Link& link, Seconds time, Bytes bytes) {
  return link.port * time + Joules(energy_per_byte(link) * bytes.value());
}

FederationSite cluster_site(const StrategySpec& strategy) {
  const ClusterDescription& cluster = strategy.cluster.description;
  FederationSite site;
  site.workers = FederationSite::Workers::cluster;
  if (cluster.network_link) site.port_share = static_cast<double>(cluster.nics_per_node) / cluster.devices_per_node;
  const int nodes = (strategy.devices + cluster.devices_per_node - 1) / cluster.devices_per_node;
  site.rest = std::max(cluster.rest_training, cluster.rest_idle) * nodes;
  return site;
}

constexpr std::array all_parts = {&FederatedEnergy::client_compute, &FederatedEnergy::download,
                                  &FederatedEnergy::upload,         &FederatedEnergy::client_idle,
                                  &FederatedEnergy::network,        &FederatedEnergy::server_compute,
                                  &FederatedEnergy::server_idle};

}  // namespace

FederatedEnergy& FederatedEnergy::operator+=(const FederatedEnergy& other) {
  for (const auto part : all_parts) {
    this->*part += other.*part;
  }
  return *this;
}

FederatedEnergy& FederatedEnergy::operator-=(const FederatedEnergy& other) {
  for (const auto part : all_parts) {
    this->*part -= other.*part;
  }
  return *this;
}

EnergyParts energy_parts(const FederatedEnergy& energy) {
  return {.compute = energy.client_compute + energy.server_compute,
          .communication = energy.download + energy.upload + energy.network,
          .idle = energy.client_idle + energy.server_idle};
}

FederationSite site_of(const StrategySpec& strategy) {
  FederationSite site;
  if (strategy.kind == StrategyKind::async) return cluster_site(strategy);
  const Coordination coordination = entry_of(strategy.federated.algorithm.kind).coordination;
  if (coordination == Coordination::gossip) site.server = FederationSite::Server::none;
  if (coordination == Coordination::hierarchical) {
    site.edges = strategy.federated.edges;
    site.edge_device = strategy.federated.edge_device;
    site.edge_link = strategy.federated.edge_link;
  }
  return site;
}

LinkScope trip_scope(const Population& population, const FederationSite& site, const ClientGroup& group) {
  LinkScope scope = network_scope(group.link);
  if (site.server == FederationSite::Server::none) {
    for (const ClientGroup& peers : population.groups) scope = std::max(scope, network_scope(peers.link));
  } else if (site.edges == 0) {
    scope = std::max(scope, network_scope(population.server_link));
  }
  return scope;
}

LinkScope backhaul_scope(const Population& population, const FederationSite& site) {
  return std::max(network_scope(site.edge_link), network_scope(population.server_link));
}

Seconds online_time(const Trip& trip) {
  return trip.download + trip.compute + trip.upload + trip.waiting;
}

Bytes sent_bytes(const Trip& trip, const FederationSite& site) {
  // What one peer of a gossip sends the other receives.
  return site.server == FederationSite::Server::none ? trip.up : trip.down + trip.up;
}

Trip without_discarded(const Trip& trip) {
  Trip kept = trip;
  const auto cut = [](Bytes& moved, Seconds& time, Bytes discarded) {
    if (discarded > Bytes{}) time *= 1.0 - discarded / moved;
    moved -= discarded;
  };
  cut(kept.down, kept.download, trip.discarded_down);
  cut(kept.up, kept.upload, trip.discarded_up);
  kept.discarded_down = kept.discarded_up = {};
  return kept;
}

std::optional<FederationPower> FederationPower::of(const Population& population, const FederationSite& site,
                                                   const EnergySpec& energy) {
  const auto unknown = [](const ClientGroup& group) { return !power_known(group.device); };
  if (std::any_of(population.groups.begin(), population.groups.end(), unknown)) return std::nullopt;
  if (site.server == FederationSite::Server::present && !power_known(population.server)) return std::nullopt;
  if (site.edges > 0 && !power_known(site.edge_device)) return std::nullopt;
  return FederationPower(population, site, energy);
}

FederationPower::FederationPower(const Population& population, const FederationSite& site, const EnergySpec& energy)
    : population_(&population), site_(site), energy_(energy) {
  const bool workers = site.workers == FederationSite::Workers::cluster;
  for (const ClientGroup& group : population.groups) {
    groups_.push_back(workers ? worker_power(group) : client_power(group));
  }
}

FederationPower::Group FederationPower::client_power(const ClientGroup& group) const {
  Group power;
  power.computing = training_power(group.device);
  power.moving = power.waiting = group.device.idle;
  if (local(group.link)) {
    power.port = group.link.port;
    power.port_J_per_byte = energy_per_byte(group.link);
  }
  if (energy_.network == NetworkEnergy::intensity) {
    const double kWh_per_GB = cellular(group.link) ? energy_.mobile_kWh_per_GB : energy_.fixed_kWh_per_GB;
    if (wide(group)) power.wan_J_per_byte = kWh_per_GB * joules_per_kWh / giga;
    return power;
  }
  const bool home = !cellular(group.link) && !local(group.link);
  if (home) power.access = energy_.gateway / energy_.gateway_devices + energy_.access_line;
  if (wide(group) && site_.edges == 0) power.wan_J_per_byte = wan_energy(Bytes(1), energy_).value();
  return power;
}

FederationPower::Group FederationPower::worker_power(const ClientGroup& group) const {
  Group power;
  power.computing = training_power(group.device);
  power.moving = power.waiting = blocked_power(group.device, energy_.blocked_fraction);
  power.port = group.link.port * site_.port_share;
  power.port_J_per_byte = energy_per_byte(group.link);
  if (wide(group)) power.wan_J_per_byte = wan_energy(Bytes(1), energy_).value();
  power.facility = energy_.pue;
  return power;
}

/// Download and upload, without the facility.
FederatedEnergy FederationPower::moving(const Trip& trip, const Group& power, const Link& link) const {
  FederatedEnergy joules;
  joules.download = power.moving * trip.download;
  joules.upload = power.moving * trip.upload;
  if (site_.server == FederationSite::Server::none) {
    const Seconds active = trip.download + trip.upload;
    const Joules sending = radio_energy(link, {Bytes{}, trip.up, active});
    joules.upload += sending;
    joules.download += radio_energy(link, {trip.down, trip.up, active}) - sending;
    return joules;
  }
  const Seconds between = trip.compute + trip.waiting + trip.offline;
  joules.download += radio_energy(link, {trip.down, Bytes{}, trip.download, between});
  joules.upload += radio_energy(link, {Bytes{}, trip.up, trip.upload});
  return joules;
}

FederatedEnergy FederationPower::trip(const Trip& trip) const {
  const Client& who = population_->clients[static_cast<std::size_t>(trip.client)];
  const Group& power = groups_[who.group];
  FederatedEnergy joules = moving(trip, power, population_->groups[who.group].link);
  joules.download *= power.facility;
  joules.upload *= power.facility;
  joules.client_compute = power.computing * trip.compute * power.facility;
  joules.client_idle = power.waiting * trip.waiting * power.facility;
  const Joules lines = power.access * (trip.download + trip.upload) + power.port * online_time(trip) +
                       Joules(power.port_J_per_byte * (trip.down + trip.up).value());
  joules.network = lines * power.facility + Joules(power.wan_J_per_byte * sent_bytes(trip, site_).value());
  return joules;
}

FederatedEnergy FederationPower::average(const Trip& trip, Seconds aggregation) const {
  FederatedEnergy joules;
  if (site_.server == FederationSite::Server::present) return joules;
  const Group& power = groups_[population_->clients[static_cast<std::size_t>(trip.client)].group];
  joules.client_compute = power.computing * aggregation;
  return joules;
}

FederationPower::Spent FederationPower::spent(const Trip& trip, Seconds aggregation) const {
  const FederatedEnergy all = this->trip(trip);
  if (trip.how != TripEnd::reported) return {{}, all};
  if (trip.discarded_down + trip.discarded_up <= Bytes{}) return {all + average(trip, aggregation), {}};
  const FederatedEnergy useful = this->trip(without_discarded(trip));
  return {useful + average(trip, aggregation), all - useful};
}

FederatedEnergy FederationPower::step(const ServerStep& step, Bytes bytes) const {
  FederatedEnergy joules;
  if (site_.server == FederationSite::Server::none) return joules;
  const Seconds time = step.end - step.begin;
  const Device& server = population_->server;
  const Link& line = population_->server_link;
  joules.server_compute = training_power(server) * step.aggregation + site_.rest * time;
  joules.server_idle = server.idle * (time - step.aggregation) + port_energy(line, time, bytes);
  if (site_.edges > 0) {
    const Seconds edges = time * site_.edges;
    joules.server_compute += training_power(site_.edge_device) * step.edge_compute;
    joules.server_idle +=
        site_.edge_device.idle * (edges - step.edge_compute) + port_energy(site_.edge_link, edges, step.backhaul);
    if (backhaul_scope(*population_, site_) == LinkScope::wan) joules.network = wan_energy(step.backhaul, energy_);
  }
  joules.server_compute *= energy_.pue;
  joules.server_idle *= energy_.pue;
  return joules;
}

}  // namespace orrery
