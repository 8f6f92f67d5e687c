#include "analysis/cli/search_prices.hpp"

#include <algorithm>

#include "analysis/metrics/energy.hpp"
#include "analysis/metrics/spending.hpp"
#include "topologies/node.hpp"

namespace orrery {
namespace {

/// Of so many devices, the first ones, those of each group of nodes.
std::vector<double> devices_by_group(const ClusterDescription& cluster, std::int64_t devices) {
  std::vector<double> used;
  for (std::size_t i = 0; i < cluster.groups(); ++i) {
    const NodeGroup& nodes = cluster.group(i);
    const std::int64_t here = std::min(devices, std::int64_t{nodes.nodes} * nodes.devices_per_node);
    used.push_back(static_cast<double>(here));
    devices -= here;
  }
  return used;
}

/// What a byte takes on the links of a port beyond their standby, up and down.
double energy_per_byte(const Cluster& cluster, const std::optional<Port>& port) {
  double sum = 0;
  if (!port) return sum;
  for (const auto& links : {port->up, port->down}) {
    for (const LinkId link : links) {
      sum += energy_in_use(cluster.link_power[link.index()], {link, Bytes(1), Seconds()}).value();
    }
  }
  return sum;
}

/// Bytes as the ports of the first device carry them.
void add_links(const Cluster& cluster, std::int64_t devices, const EnergySpec& energy, DevicePrices& prices) {
  std::vector<DeviceId> placement;
  for (std::int64_t device = 0; device < devices; ++device) placement.emplace_back(static_cast<std::size_t>(device));
  prices.links = standing_power(cluster, placement) * energy.pue;
  const PlatformHost& first = cluster.platform.hosts.front();
  prices.node_byte = energy_per_byte(cluster, first.inside) * energy.pue;
  prices.network_byte = energy_per_byte(cluster, first.network) * energy.pue;
  const auto& link = cluster.description.network_link;
  if (link && network_scope(*link) == LinkScope::wan) prices.network_byte += wan_energy(Bytes(1), energy).value();
}

/// Nothing when the power of one of the kinds in use is unknown.
void add_power(const ClusterDescription& cluster, const std::vector<double>& used, const EnergySpec& energy,
               DevicePrices& prices) {
  double all = 0;
  for (std::size_t i = 0; i < cluster.groups(); ++i) {
    if (used[i] > 0 && training_power(cluster.group(i).device) <= Watts()) return;
    all += used[i];
  }
  for (std::size_t i = 0; i < cluster.groups(); ++i) {
    const NodeGroup& nodes = cluster.group(i);
    if (used[i] <= 0) continue;
    const double share = used[i] / all * energy.pue, of_node = share * whole_nodes(used[i], nodes) / used[i];
    prices.computing += training_power(nodes.device) * share;
    prices.blocked += blocked_power(nodes.device, energy.blocked_fraction) * share;
    prices.idle += nodes.device.idle * share;
    prices.node_computing += std::max(nodes.rest_training, nodes.rest_idle) * of_node;
    prices.node_idle += nodes.rest_idle * of_node;
  }
}

DevicePrices prices_of_devices(const Scenario& scenario, const StrategySpec& strategy, const Cluster& cluster,
                               std::int64_t devices) {
  const std::vector<double> used = devices_by_group(cluster.description, devices);
  const Prices charged = prices_of(scenario, strategy, used);
  DevicePrices prices;
  prices.per_hour = charged.device_hour, prices.per_kWh = charged.electricity;
  add_power(cluster.description, used, scenario.energy, prices);
  add_links(cluster, devices, scenario.energy, prices);
  return prices;
}

}  // namespace

PricesByDevices prices_for(const Scenario& scenario, const StrategySpec& strategy, const std::vector<Layout>& layouts) {
  const Cluster cluster = build_cluster(strategy.cluster.description);
  PricesByDevices prices;
  prices[cluster.devices()] = prices_of_devices(scenario, strategy, cluster, cluster.devices());
  for (const Layout& layout : layouts) {
    const std::int64_t devices = layout.devices();
    if (prices.contains(devices)) continue;
    prices[devices] = prices_of_devices(scenario, strategy, cluster, devices);
  }
  return prices;
}

}  // namespace orrery
