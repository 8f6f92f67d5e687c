#include "analysis/metrics/federated_energy.hpp"

#include <algorithm>

#include "topologies/node.hpp"
#include "topologies/radio.hpp"

namespace orrery {
namespace {

constexpr double joules_per_kWh = 3.6e6;
constexpr double bits_per_byte = 8;

bool cellular(const Link& link) {
  return link.kind == "cellular";
}

bool power_known(const Device& device) {
  return training_power(device) > Watts{};
}

double port_J_per_byte(const Link& link) {
  return link.energy_pJ_per_bit * pico * bits_per_byte;
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

}  // namespace

FederatedEnergy& FederatedEnergy::operator+=(const FederatedEnergy& other) {
  for (const auto part : {&FederatedEnergy::client_compute, &FederatedEnergy::download, &FederatedEnergy::upload,
                          &FederatedEnergy::client_idle, &FederatedEnergy::network, &FederatedEnergy::server_compute,
                          &FederatedEnergy::server_idle}) {
    this->*part += other.*part;
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

LinkScope scope_of(const Population& population) {
  LinkScope scope = network_scope(population.server_link);
  for (const ClientGroup& group : population.groups) scope = std::max(scope, network_scope(group.link));
  return scope;
}

Seconds online_time(const Trip& trip) {
  return trip.download + trip.compute + trip.upload + trip.waiting;
}

Bytes sent_bytes(const Trip& trip, const FederationSite& site) {
  // What one peer of a gossip sends the other receives.
  return site.server == FederationSite::Server::none ? trip.up : trip.down + trip.up;
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
  if (energy_.network == NetworkEnergy::intensity) {
    const double kWh_per_GB = cellular(group.link) ? energy_.mobile_kWh_per_GB : energy_.fixed_kWh_per_GB;
    if (wide()) power.wan_J_per_byte = kWh_per_GB * joules_per_kWh / giga;
    return power;
  }
  if (!cellular(group.link)) power.access = energy_.gateway / energy_.gateway_devices + energy_.access_line;
  if (wide() && site_.edges == 0) power.wan_J_per_byte = wan_energy(Bytes(1), energy_).value();
  return power;
}

FederationPower::Group FederationPower::worker_power(const ClientGroup& group) const {
  Group power;
  power.computing = training_power(group.device);
  power.moving = power.waiting = blocked_power(group.device, energy_.blocked_fraction);
  power.access = group.link.port * site_.port_share;
  power.port_J_per_byte = port_J_per_byte(group.link);
  if (wide()) power.wan_J_per_byte = wan_energy(Bytes(1), energy_).value();
  power.facility = energy_.pue;
  return power;
}

FederatedEnergy FederationPower::trip(const Trip& trip) const {
  const auto client = static_cast<std::size_t>(trip.client);
  const Client& who = population_->clients[client];
  const Group& power = groups_[who.group];
  const Link& link = population_->groups[who.group].link;
  const RadioBurst down{trip.down, Bytes{}, trip.download, trip.compute + trip.waiting + trip.offline};
  const RadioBurst up{Bytes{}, trip.up, trip.upload};
  FederatedEnergy joules;
  joules.client_compute = power.computing * trip.compute * power.facility;
  joules.download = (power.moving * trip.download + radio_energy(link, down)) * power.facility;
  joules.upload = (power.moving * trip.upload + radio_energy(link, up)) * power.facility;
  joules.client_idle = power.waiting * trip.waiting * power.facility;
  const double bytes = sent_bytes(trip, site_).value();
  joules.network = (power.access * online_time(trip) + Joules(power.port_J_per_byte * bytes)) * power.facility +
                   Joules(power.wan_J_per_byte * bytes);
  return joules;
}

FederatedEnergy FederationPower::average(const Trip& trip, Seconds aggregation) const {
  FederatedEnergy joules;
  if (site_.server == FederationSite::Server::present) return joules;
  const Group& power = groups_[population_->clients[static_cast<std::size_t>(trip.client)].group];
  joules.client_compute = power.computing * aggregation;
  return joules;
}

FederatedEnergy FederationPower::step(const ServerStep& step, Bytes bytes) const {
  FederatedEnergy joules;
  if (site_.server == FederationSite::Server::none) return joules;
  const Seconds time = step.end - step.begin;
  const Device& server = population_->server;
  const Link& line = population_->server_link;
  joules.server_compute = training_power(server) * step.aggregation + site_.rest * time;
  joules.server_idle =
      server.idle * (time - step.aggregation) + line.port * time + Joules(port_J_per_byte(line) * bytes.value());
  if (site_.edges > 0) {
    const Seconds edges = time * site_.edges;
    joules.server_compute += training_power(site_.edge_device) * step.edge_compute;
    joules.server_idle += site_.edge_device.idle * (edges - step.edge_compute) + site_.edge_link.port * edges +
                          Joules(port_J_per_byte(site_.edge_link) * step.backhaul.value());
    if (wide()) joules.network = wan_energy(step.backhaul, energy_);
  }
  joules.server_compute *= energy_.pue;
  joules.server_idle *= energy_.pue;
  return joules;
}

}  // namespace orrery
