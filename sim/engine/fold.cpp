#include "sim/engine/fold.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/engine/fold_flows.hpp"

namespace orrery {

namespace {

/// The representatives' hosts, their links at full speed, and mirrors.
class FoldedPlatform {
 public:
  FoldedPlatform(const Platform& whole, Fold& result) : whole_(whole), result_(result) {
    for (const PlatformHost& host : whole.hosts) next_node_ = std::max(next_node_, host.node + 1);
  }

  /// Copies what the representatives stand on, and mirrors of it.
  void take(const FoldRequest& request) {
    for (const RankId rank : request.representatives) {
      const DeviceId host = request.hosts[rank.index()];
      PlatformHost copy = moved(whole_.hosts[host.index()]);
      result_.hosts.emplace_back(result_.platform.hosts.size());
      result_.platform.hosts.push_back(std::move(copy));
    }
    for (const DeviceId host : result_.hosts) add_mirrors(host);
  }

 private:
  LinkId link(LinkId id) {
    const auto [place, fresh] = links_.try_emplace(id, LinkId(result_.platform.links.size()));
    if (fresh) {
      result_.platform.links.push_back(whole_.links[id.index()]);
      result_.original.push_back(id);
    }
    return place->second;
  }

  std::vector<LinkId> links(const std::vector<LinkId>& ids) {
    std::vector<LinkId> list;
    list.reserve(ids.size());
    for (const LinkId id : ids) list.push_back(link(id));
    return list;
  }

  std::int32_t zone(std::int32_t id) {
    const auto [place, fresh] = zones_.try_emplace(id, static_cast<std::int32_t>(result_.platform.zones.size()));
    if (fresh) {
      const Zone& zone = whole_.zones[static_cast<std::size_t>(id)];
      result_.platform.zones.push_back({zone.name, links(zone.up), links(zone.down)});
    }
    return place->second;
  }

  /// A leaf like that of a host, on the other side of the core.
  std::int32_t zone_beyond(std::int32_t folded_zone) {
    auto& zones = result_.platform.zones;
    const auto [place, fresh] = beyond_.try_emplace(folded_zone, static_cast<std::int32_t>(zones.size()));
    if (fresh) {
      const Zone& zone = zones[static_cast<std::size_t>(folded_zone)];
      zones.push_back({zone.name + " mirror", zone.up, zone.down});
    }
    return place->second;
  }

  PlatformHost moved(const PlatformHost& host) {
    PlatformHost copy{host.name, host.node, {}, {}};
    if (host.inside) copy.inside = Port{0, links(host.inside->up), links(host.inside->down)};
    if (host.network) {
      copy.network = Port{zone(host.network->zone), links(host.network->up), links(host.network->down)};
    }
    return copy;
  }

  DeviceId add(PlatformHost host, const char* place) {
    host.name += place;
    result_.platform.hosts.push_back(std::move(host));
    return DeviceId(result_.platform.hosts.size() - 1);
  }

  void add_mirrors(DeviceId id) {
    const PlatformHost host = result_.platform.hosts[id.index()];
    Mirrors mirrors;
    PlatformHost inside = host;
    if (inside.inside) inside.network.reset();  // else the devices of a node meet on the network
    mirrors.inside = add(std::move(inside), " mirror");
    if (host.network) {
      PlatformHost other{host.name, next_node_++, {}, host.network};
      mirrors.leaf = add(other, " mirror in its leaf");
      other.node = next_node_++;
      other.network->zone = zone_beyond(host.network->zone);
      mirrors.core = add(std::move(other), " mirror beyond the core");
    }
    result_.platform.mirrors.push_back(mirrors);
  }

  const Platform& whole_;
  Fold& result_;
  std::int32_t next_node_ = 0;
  std::unordered_map<LinkId, LinkId> links_;
  std::unordered_map<std::int32_t, std::int32_t> zones_, beyond_;
};

void expect_consistent(const FoldRequest& request) {
  ORRERY_EXPECT(request.stand_in.size() == request.hosts.size());
  for (const std::size_t who : request.stand_in) ORRERY_EXPECT(who < request.representatives.size());
  for (std::size_t i = 0; i < request.representatives.size(); ++i) {
    ORRERY_EXPECT(request.stand_in[request.representatives[i].index()] == i);
  }
}

/// Bytes of the whole job per byte on each folded link: as many as the ranks for which those on it stand, on average.
void count_copies(const FoldRequest& request, const std::vector<FoldFlow>& folded, std::size_t whole_links,
                  Fold& fold) {
  fold.copies.assign(request.representatives.size(), 0.0);
  for (const std::size_t who : request.stand_in) fold.copies[who] += 1.0;
  std::vector<double> flows(whole_links, 0.0), copies(whole_links, 0.0);
  for (const FoldFlow& flow : folded) {
    for (const LinkId link : flow.links) {
      flows[link.index()] += 1.0;
      copies[link.index()] += fold.copies[request.stand_in[flow.from.index()]];
    }
  }
  for (const LinkId link : fold.original) {
    fold.link_copies.push_back(flows[link.index()] > 0 ? copies[link.index()] / flows[link.index()] : 1.0);
  }
}

/// Counts, for every folded link, the links that hold its place in the ports and leaves of the ranks it stands for.
class LikeLinks {
 public:
  LikeLinks(const Platform& whole, Fold& fold) : whole_(whole), fold_(fold), counted_(whole.links.size(), 0) {
    fold_.link_count.assign(fold_.original.size(), 0.0);
  }

  /// Links of leaves count when the ranks are in more than one.
  void count(const FoldRequest& request) {
    std::set<std::int32_t> leaves;
    for (const DeviceId host : request.hosts) {
      if (whole_.hosts[host.index()].network) leaves.insert(whole_.hosts[host.index()].network->zone);
    }
    for (std::size_t rank = 0; rank < request.hosts.size(); ++rank) {
      const PlatformHost& host = whole_.hosts[request.hosts[rank].index()];
      const PlatformHost& like = fold_.platform.hosts[fold_.hosts[request.stand_in[rank]].index()];
      for (const auto& [port, folded] : {std::pair(&host.inside, &like.inside), {&host.network, &like.network}}) {
        if (!*port || !*folded) continue;
        add((*port)->up, (*folded)->up);
        add((*port)->down, (*folded)->down);
      }
      if (!host.network || !like.network || leaves.size() < 2) continue;
      const Zone &zone = whole_.zones[static_cast<std::size_t>(host.network->zone)],
                 &folded = fold_.platform.zones[static_cast<std::size_t>(like.network->zone)];
      add(zone.up, folded.up);
      add(zone.down, folded.down);
    }
  }

 private:
  void add(const std::vector<LinkId>& links, const std::vector<LinkId>& folded) {
    for (std::size_t i = 0; i < links.size() && i < folded.size(); ++i) {
      if (std::exchange(counted_[links[i].index()], 1) == 0) fold_.link_count[folded[i].index()] += 1.0;
    }
  }

  const Platform& whole_;
  Fold& fold_;
  std::vector<char> counted_;
};

}  // namespace

Fold fold(const Platform& platform, const FoldRequest& request) {
  expect_consistent(request);
  Fold result;
  const FoldFlows flows(platform, request);
  result.reach = flows.reach();
  FoldedPlatform(platform, result).take(request);
  const std::vector<FoldFlow> folded = flows.folded(result.platform, result.original);
  FoldShares shares = compare_flows(platform, flows, folded);
  for (std::size_t i = 0; i < result.original.size(); ++i) {
    result.platform.links[i].bandwidth *= 1.0 / shares.divisor[result.original[i].index()];
  }
  count_copies(request, folded, platform.links.size(), result);
  LikeLinks(platform, result).count(request);
  result.obstacles = flows.obstacles();
  result.obstacles.insert(result.obstacles.end(), shares.obstacles.begin(), shares.obstacles.end());
  return result;
}

std::string_view folding_rule() {
  return "One rank is simulated for all that do the same when the devices are equal, no rank is slow or fails, no "
         "other "
         "job is on the cluster, groups of a kind have the same size on equally many nodes, and each flow finds on its "
         "links as many equals as the one that stands for it. A shared link is then narrowed to the share of those "
         "that "
         "are simulated; uplinks of leaves that carry all that their ports can bring do not count. The result is that "
         "of simulating all, but for the latency of the one switch more that some messages may cross.";
}

}  // namespace orrery
