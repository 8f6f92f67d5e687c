#include "analysis/metrics/traffic.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace orrery {
namespace {

bool contains(const std::vector<LinkId>& links, LinkId link) {
  return std::find(links.begin(), links.end(), link) != links.end();
}

Bytes sum(const std::set<LinkId>& which, const std::vector<LinkUse>& links) {
  Bytes total;
  for (const LinkId link : which) total += links[link.index()].bytes;
  return total;
}

}  // namespace

std::vector<LinkUse> links_of_all(const Way& way) {
  std::vector<LinkUse> links = way.records.links;
  for (std::size_t i = 0; i < links.size() && i < way.link_copies.size(); ++i) links[i].bytes *= way.link_copies[i];
  return links;
}

Traffic traffic(const Platform& platform, const std::vector<LinkUse>& links) {
  Traffic result;
  if (links.empty()) return result;
  std::set<LinkId> nics, lanes, nics_behind_lanes;
  for (const PlatformHost& host : platform.hosts) {
    const bool networked = host.network && !host.network->up.empty();
    if (networked) nics.insert(host.network->up.back());
    if (!host.inside || host.inside->up.empty()) continue;
    const LinkId lane = host.inside->up.front();
    lanes.insert(lane);
    if (networked && contains(host.network->up, lane)) nics_behind_lanes.insert(host.network->up.back());
  }
  for (const LinkId nic : nics) {
    const bool far = platform.links[nic.index()].scope == LinkScope::wan;
    (far ? result.wan : result.inter_node) += links[nic.index()].bytes;
  }
  result.intra_node = std::max(Bytes{}, sum(lanes, links) - sum(nics_behind_lanes, links));
  return result;
}

std::vector<WireUse> wires(const Platform& platform, const std::vector<LinkUse>& links) {
  std::vector<WireUse> list;
  list.reserve(links.size());
  for (const LinkUse& use : links) {
    const PlatformLink& link = platform.links[use.link.index()];
    list.push_back({link.name, link.scope, link.bandwidth, use.bytes, use.busy});
  }
  return list;
}

std::vector<WireUse> wires(const FederatedRun& run, LinkScope scope) {
  std::vector<WireUse> list;
  for (const FederatedRun::SharedLine& line : run.lines) {
    list.push_back({line.name + ".up", scope, line.up_rate, line.up, line.up_busy});
    list.push_back({line.name + ".down", scope, line.down_rate, line.down, line.down_busy});
  }
  return list;
}

Bottleneck bottleneck(const std::vector<WireUse>& wires, Seconds makespan) {
  Bottleneck worst;
  if (makespan <= Seconds{}) return worst;
  for (const WireUse& wire : wires) {
    if (wire.bytes <= Bytes{}) continue;
    const double busy = wire.busy / makespan;
    const double utilisation = wire.bytes / (wire.bandwidth * makespan);
    if (std::tie(busy, utilisation) > std::tie(worst.busy_fraction, worst.utilisation)) {
      worst = {wire.name, busy, utilisation};
    }
  }
  return worst;
}

}  // namespace orrery
