#include "scenarios/client_population.hpp"

#include <algorithm>

#include "sim/base/errors.hpp"
#include "topologies/cluster.hpp"

namespace orrery {
namespace {

/// A port's line as one of the devices that share it sees it. Half of the latency lies at either end, so that a message
/// pays the catalogue's latency once.
Link share_of_line(Link link, double share) {
  link.down *= share;
  link.up *= share;
  link.latency = link.latency / 2.0;
  return link;
}

/// A network port of the node, or without a network the fabric inside the only node.
const Link& line_of(const ClusterDescription& cluster, const std::string& strategy) {
  if (cluster.network_link) return *cluster.network_link;
  if (cluster.node_link) return *cluster.node_link;
  throw Infeasible("strategy " + strategy +
                   ": its workers have no link to their parameter server - add a network_link");
}

/// NICs that a worker has: its own, or its part of those that the workers of a full node share.
double ports_of_worker(const ClusterDescription& cluster, int workers) {
  const double nics = cluster.nics_per_node, devices = cluster.devices_per_node;
  return nics >= devices ? nics / devices : std::min(1.0, nics / std::min<double>(workers, devices));
}

Population workers_of(const StrategySpec& strategy, std::uint64_t seed) {
  const ClusterDescription& cluster = strategy.cluster.description;
  const Link& line = line_of(cluster, strategy.name);
  const double ports = cluster.network_link ? ports_of_worker(cluster, strategy.devices) : 1.0;
  ClientGroup workers;
  workers.count = strategy.devices;
  workers.device = cluster.device;
  workers.link = share_of_line(line, ports);
  workers.step_overhead = cluster.device.step_overhead;
  return draw_population({workers}, cluster.device, share_of_line(line, 1.0), seed);
}

}  // namespace

Population client_population(const Scenario& scenario, const StrategySpec& strategy, std::uint64_t seed) {
  if (strategy.kind == StrategyKind::async) return workers_of(strategy, seed);
  const FederationSpec& federation = scenario.federation;
  return draw_population(federation.groups, federation.server, federation.server_link, seed);
}

}  // namespace orrery
