#include "analysis/metrics/energy.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "analysis/metrics/activity_role.hpp"
#include "analysis/metrics/by_rank.hpp"
#include "analysis/metrics/data_waits.hpp"
#include "analysis/metrics/intervals.hpp"
#include "analysis/metrics/traffic.hpp"

namespace orrery {
namespace {

constexpr double bits_per_byte = 8;
constexpr double grams_per_kilogram = 1000;

void add_role(ActivityRole role, std::span<const Activity> activities, std::vector<Interval>& intervals) {
  for (const Activity& activity : activities) {
    if (role_of(activity) == role) intervals.push_back({activity.start, activity.end});
  }
}

/// Links of the ports of the hosts in use, and of the leaves when these hosts stand in more than one.
std::set<LinkId> links_of(const Platform& platform, const std::vector<DeviceId>& placement) {
  std::set<LinkId> links;
  std::set<std::int32_t> zones;
  const auto add = [&links](const std::vector<LinkId>& some) { links.insert(some.begin(), some.end()); };
  for (const DeviceId device : placement) {
    const PlatformHost& host = platform.hosts[device.index()];
    for (const auto& port : {host.inside, host.network}) {
      if (!port) continue;
      add(port->up);
      add(port->down);
    }
    if (host.network) zones.insert(host.network->zone);
  }
  if (zones.size() > 1) {
    for (const std::int32_t zone : zones) {
      add(platform.zones[static_cast<std::size_t>(zone)].up);
      add(platform.zones[static_cast<std::size_t>(zone)].down);
    }
  }
  return links;
}

std::set<LinkId> links_in_use(const Way& way) {
  if (way.link_copies.empty()) return links_of(way.platform, way.placement);
  std::set<LinkId> links;  // folded: its platform has no others
  for (std::size_t link = 0; link < way.link_copies.size(); ++link) links.emplace(link);
  return links;
}

EnergyParts link_energy(const Way& way, Seconds time) {
  EnergyParts parts;
  for (const LinkId link : links_in_use(way)) {
    const LinkPower& power = way.link_power[link.index()];
    const double copies = way.link_copies.empty() ? 1.0 : way.link_copies[link.index()];
    parts.idle += power.always_on * time * copies;
    if (link.index() < way.records.links.size()) {
      parts.communication += energy_in_use(power, way.records.links[link.index()]) * copies;
    }
  }
  return parts;
}

std::int32_t node_of(const Way& way, RankId rank) {
  return way.platform.hosts[way.placement[rank.index()].index()].node;
}

/// By the ranks whose devices stand on them.
std::vector<NodesOfRanks> nodes_in_use(const Way& way) {
  if (!way.nodes.empty()) return way.nodes;
  std::map<std::int32_t, NodesOfRanks> by_number;
  for (std::size_t rank = 0; rank < way.records.ranks; ++rank) {
    NodesOfRanks& node = by_number[node_of(way, RankId(rank))];
    node.count = 1;
    node.ranks.emplace_back(rank);
  }
  std::vector<NodesOfRanks> nodes;
  for (auto& [number, node] : by_number) nodes.push_back(std::move(node));
  return nodes;
}

/// The rest of every node that holds a rank, whole where only some of its devices are in use.
EnergyParts rest_energy(const Way& way, const std::vector<std::vector<Activity>>& by_rank, const ClusterSpec& cluster,
                        Seconds time) {
  EnergyParts parts;
  for (const NodesOfRanks& nodes : nodes_in_use(way)) {
    std::vector<Interval> intervals;
    for (const RankId rank : nodes.ranks) {
      for (const ActivityRole role : {ActivityRole::kernel, ActivityRole::host}) {
        add_role(role, by_rank[rank.index()], intervals);
      }
    }
    const std::size_t group = cluster.description.group_of_node(node_of(way, nodes.ranks.front()));
    const NodeGroup& kind = cluster.description.group(group);
    const Watts training = std::max(kind.rest_training, kind.rest_idle);
    const Seconds active = covered(std::move(intervals), Seconds{}, way.records.makespan);
    parts.compute += training * active * nodes.count;
    parts.idle += kind.rest_idle * (time - active) * nodes.count;
  }
  return parts;
}

}  // namespace

EnergyParts& EnergyParts::operator+=(const EnergyParts& other) {
  compute += other.compute;
  communication += other.communication;
  idle += other.idle;
  return *this;
}

EnergyParts operator*(EnergyParts parts, double factor) {
  return {parts.compute * factor, parts.communication * factor, parts.idle * factor};
}

double whole_nodes(double devices, const NodeGroup& group) {
  constexpr double rounding = 1e-9;  // of devices that are counted in parts
  return std::ceil(devices / group.devices_per_node - rounding);
}

Watts blocked_power(const Device& device, double blocked_fraction) {
  const Watts limit = device.maximum > Watts{} ? device.maximum : device.typical;
  return std::max(device.idle, limit * blocked_fraction);
}

Joules energy_in_use(const LinkPower& power, const LinkUse& use) {
  return power.active * use.busy + Joules(power.pJ_per_bit * pico * bits_per_byte * use.bytes.value());
}

double energy_per_byte(const Link& link) {
  return link.energy_pJ_per_bit * pico * bits_per_byte;
}

double kilograms(Joules energy, double gCO2e_per_kWh) {
  return energy.value() / joules_per_kWh * gCO2e_per_kWh / grams_per_kilogram;
}

Joules wan_energy(Bytes bytes, const EnergySpec& energy) {
  const double joules_per_GB =
      energy.network == NetworkEnergy::intensity ? energy.fixed_kWh_per_GB * joules_per_kWh : energy.wan_J_per_GB;
  return Joules(joules_per_GB * bytes.value() / giga);
}

DeviceTime device_time(std::span<const Activity> own, std::span<const Interval> data_waits, Seconds from, Seconds to) {
  std::vector<Interval> intervals;
  const auto covered_with = [&](ActivityRole role) {
    add_role(role, own, intervals);
    return covered(intervals, from, to);
  };
  const Seconds busy = covered_with(ActivityRole::kernel), in_pass = covered_with(ActivityRole::within);
  intervals.insert(intervals.end(), data_waits.begin(), data_waits.end());
  const Seconds with_host = covered_with(ActivityRole::host);
  for (const Activity& activity : own) {
    const ActivityRole role = role_of(activity);
    const bool communicates = role == ActivityRole::within || role == ActivityRole::beside;
    if (communicates) intervals.push_back({activity.ready, activity.end});
  }
  const Seconds used = covered(std::move(intervals), from, to), blocked = in_pass - busy + (used - with_host);
  return {busy, blocked, to - from - busy - blocked};
}

std::optional<EnergyParts> device_energy(const DeviceTime& time, const Device& device, double blocked_fraction) {
  if (training_power(device) <= Watts{}) return std::nullopt;
  return EnergyParts{training_power(device) * time.busy, blocked_power(device, blocked_fraction) * time.blocked,
                     device.idle * time.idle};
}

Watts standing_power(const Cluster& cluster, const std::vector<DeviceId>& placement) {
  Watts sum;
  for (const LinkId link : links_of(cluster.platform, placement)) sum += cluster.link_power[link.index()].always_on;
  return sum;
}

std::optional<EnergyParts> step_energy(const Way& way, const EnergySpec& energy, const ClusterSpec& cluster) {
  const Seconds makespan = way.records.makespan;
  const Seconds stragglers = makespan * way.straggler_share;
  const auto by_rank = activities_by_rank(way.records);
  const auto waits = waits_of_loading_ranks(way.records);
  EnergyParts parts;
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
    DeviceTime time = device_time(by_rank[rank], waits[rank], Seconds{}, makespan);
    time.blocked += stragglers;
    time.idle += time.busy * way.gap_share, time.busy = time.busy * (1.0 - way.gap_share);
    const Device& device = way.devices[way.placement[rank].index()];
    const auto own = device_energy(time, device, energy.blocked_fraction);
    if (!own) return std::nullopt;
    parts += *own * way.copies_of(RankId(rank));
  }
  parts += rest_energy(way, by_rank, cluster, makespan + stragglers);
  parts += link_energy(way, makespan + stragglers);
  parts = parts * energy.pue;
  parts.communication += wan_energy(traffic(way.platform, links_of_all(way)).wan, energy);
  return parts;
}

}  // namespace orrery
