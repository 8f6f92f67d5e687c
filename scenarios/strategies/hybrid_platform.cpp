#include "scenarios/strategies/hybrid_platform.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>

#include "models/cost/optimizer_cost.hpp"
#include "models/cost/pass_bytes.hpp"
#include "models/layouts/block_price.hpp"
#include "models/layouts/group_place.hpp"
#include "models/layouts/replica_places.hpp"
#include "scenarios/strategies/hybrid_folding.hpp"

namespace orrery {
namespace {

/// The cluster with links as fast as a library drives them.
ClusterDescription as_the_laws_say(const TrainingJob& job) {
  ClusterDescription cluster = job.cluster;
  const auto drive = [](std::optional<Link>& link, const FabricLaw& law) {
    if (!link) return;
    link->down = link->up = BytesPerSecond(law.bus_GBps.value * giga);
    link->efficiency = 1.0;
  };
  const auto drive_nodes = [&](NodeGroup& nodes, const NodeLaws& laws) {
    drive(nodes.node_link, laws.node_law);
    drive(nodes.network_link, laws.network_law);
  };
  drive_nodes(cluster, job);
  for (std::size_t i = 0; i < cluster.more.size(); ++i) drive_nodes(cluster.more[i], job.more_laws[i]);
  return cluster;
}

CollectiveKind exchange_kind(const Layout& layout) {
  return layout.zero_stage == 0 ? CollectiveKind::all_reduce : CollectiveKind::reduce_scatter;
}

/// Those of all kinds of groups on the wires of the laws.
HybridWires wires_of(const TrainingJob& job, const Layout& layout) {
  const int per_node = job.cluster.joined_devices();
  const std::int64_t devices = std::min<std::int64_t>(layout.devices(), job.cluster.devices_per_node);
  const Paths paths = paths_of(job, static_cast<int>(devices));
  const int all = replicas_in_step(layout), group = sharing_ranks(layout);
  const auto wires = [&](CollectiveKind kind, const GroupPlace& place) {
    return group_wires(kind, place, paths.node, paths.network);
  };
  HybridWires found;
  found[meeting_of_states(layout)] = wires(exchange_kind(layout), place_of_replicas(layout, 1, group, per_node));
  if (group < all) {
    found[Meeting::sums] = wires(CollectiveKind::all_reduce, place_of_replicas(layout, group, all / group, per_node));
  }
  found[Meeting::islands] =
      wires(CollectiveKind::all_reduce, place_of_replicas(layout, all, layout.outer.islands, per_node));
  found[Meeting::slices] = wires(CollectiveKind::all_reduce, place_of(layout, Dimension::tp, per_node));
  found[Meeting::parts] = wires(CollectiveKind::all_gather, place_of(layout, Dimension::cp, per_node));
  found[Meeting::experts] = wires(CollectiveKind::all_to_all, place_of(layout, Dimension::ep, per_node));
  found[Meeting::ends] = wires(CollectiveKind::all_reduce, place_of_ends(layout, per_node));
  return found;
}

/// What a message between two stages takes beside its way on the whole cluster, however it is folded: sharing above the
/// ports is for the engine to find.
Seconds beyond_wires(Seconds transfer, Bytes message, const TrainingJob& job, const Layout& layout,
                     const Cluster& cluster, DeviceId from, DeviceId to) {
  const PlatformHost &source = cluster.platform.hosts[from.index()], &target = cluster.platform.hosts[to.index()];
  const Route way = route(cluster.platform, from, to);
  BytesPerSecond rate = way.bandwidth;
  if (source.node != target.node || !source.inside) {
    for (const DeviceId end : {from, to}) {
      const TrainingJob there = job_on_group(job, job.cluster.group_of_device(static_cast<std::int64_t>(end.index())));
      rate = std::min(rate, message_rate(layout, there.cluster, paths_of(there).network));
    }
  }
  return std::max(Seconds(), transfer - way.latency - message / rate);
}

/// Which of a stage's chunks send on: the network ends with the last stage's last.
enum class Sends : std::uint8_t { all, but_last };

Bytes longest_message(const StagePrice& stage, Sends which) {
  Bytes most;
  const std::size_t count = stage.chunks.size() - (which == Sends::all ? 0 : 1);
  for (std::size_t chunk = 0; chunk < count; ++chunk) most = std::max(most, stage.chunks[chunk].boundary);
  return most;
}

/// Of all hops of a replica.
std::vector<Seconds> beyond_wires(const std::vector<Seconds>& transfers, int replica, const TrainingJob& job,
                                  const Layout& layout, const LayoutPrices& prices, const Cluster& cluster) {
  const auto device = [&](std::size_t stage) {
    const int at = static_cast<int>(stage) % layout.pp;
    return DeviceId(static_cast<std::size_t>(device_at(layout, {.dp = replica, .pp = at})));
  };
  std::vector<Seconds> beyond;
  const std::vector<StagePrice>& stages = prices.stages_of(replica);
  for (std::size_t stage = 0; stage < transfers.size(); ++stage) {
    const Bytes message = longest_message(stages[stage], stage + 1 == stages.size() ? Sends::but_last : Sends::all);
    beyond.push_back(beyond_wires(transfers[stage], message, job, layout, cluster, device(stage), device(stage + 1)));
  }
  return beyond;
}

/// By kind of replica, of the first of each.
std::vector<std::vector<Seconds>> beyond_wires(const TrainingJob& job, const Layout& layout, const LayoutPrices& prices,
                                               const Cluster& cluster) {
  if (prices.kinds.empty()) return {beyond_wires(prices.transfers, 0, job, layout, prices, cluster)};
  std::vector<std::vector<Seconds>> beyond;
  for (std::size_t kind = 0; kind < prices.kinds.size(); ++kind) {
    const auto first = std::ranges::find(prices.kind_of_replica, kind) - prices.kind_of_replica.begin();
    beyond.push_back(beyond_wires(prices.kinds[kind].transfers, static_cast<int>(first), job, layout, prices, cluster));
  }
  return beyond;
}

/// What a stage exchanges between and in islands, in the times of the one that takes longest.
std::vector<MeetingCollective> outer_exchanges(const OuterExchange& own, const OuterExchange& longest,
                                               const Layout& layout, const HybridWires& wires) {
  std::vector<MeetingCollective> found;
  const auto add = [&](Meeting meeting, CollectiveKind kind, WholeExchange OuterExchange::*part) {
    const Seconds time = (longest.*part).time;
    if (time <= Seconds()) return;
    Collective what = timed_collective(time, (own.*part).sent, wires.at(meeting));
    what.kind = kind;
    found.push_back({meeting, what});
  };
  add(Meeting::islands, CollectiveKind::all_reduce, &OuterExchange::across);
  add(Meeting::sums, CollectiveKind::all_gather, &OuterExchange::shards);
  add(meeting_of_states(layout), CollectiveKind::all_gather, &OuterExchange::states);
  return found;
}

/// Of each meeting the slowest of these kinds of nodes: who meets goes at one pace.
HybridWires slowest_wires(const std::vector<HybridWires>& by_group, const NodeKinds& kinds) {
  HybridWires slowest = by_group[kinds.front()];
  for (const std::size_t kind : kinds) {
    for (auto& [meeting, wires] : slowest) {
      const GroupWires& other = by_group[kind].at(meeting);
      wires.node = std::min(wires.node, other.node), wires.network = std::min(wires.network, other.network);
    }
  }
  return slowest;
}

/// On the slowest of the kinds of nodes: its members are at both ends of a pipeline.
Collective tied_exchange(const WholeExchange& whole, const std::vector<HybridWires>& by_group) {
  if (!by_group.front().contains(Meeting::ends)) return timed_collective(whole.time, whole.sent, {});
  NodeKinds all(by_group.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return timed_collective(whole.time, whole.sent, slowest_wires(by_group, all).at(Meeting::ends));
}

/// Those of the kinds of nodes that a rank's stage is on, in its replica and in those that it meets in every pass.
std::vector<HybridWires> wires_of_ranks(const ClusterDescription& cluster, const Layout& layout,
                                        const HybridRanks& ranks, const std::vector<HybridWires>& by_group) {
  const ReplicaPlaces places = places_of_replicas(layout, cluster);
  std::vector<HybridWires> wires;
  for (std::size_t rank = 0; rank < ranks.count(); ++rank) {
    const Coordinates& at = ranks.at(RankId(rank));
    const std::size_t kind = places.kind_of_replica[static_cast<std::size_t>(at.dp)];
    wires.push_back(slowest_wires(by_group, places.kinds[kind][static_cast<std::size_t>(at.pp)]));
  }
  return wires;
}

}  // namespace

HybridPlatform hybrid_platform(const TrainingJob& job, const HybridOptions& options, const LayoutPrices& prices,
                               std::uint64_t message_budget) {
  const Cluster cluster = build_cluster(as_the_laws_say(job));
  Moving moving = {Meeting::islands, Meeting::slices, Meeting::parts, Meeting::experts};
  if (prices.tied_exchange.time > Seconds()) moving.insert(Meeting::ends);
  HybridPlatform platform = folded_platform(cluster, options, std::move(moving), job.batch, message_budget);
  std::vector<HybridWires> by_group;
  for (std::size_t group = 0; group < job.cluster.groups(); ++group) {
    by_group.push_back(wires_of(job_on_group(job, group), options.layout));
    for (const Meeting each : {Meeting::slices, Meeting::parts, Meeting::experts, Meeting::ends}) {
      if (!platform.moving.contains(each)) by_group.back().erase(each);
    }
    for (auto& [meeting, wires] : by_group.back()) wires.reach = platform.wires[meeting].reach;
  }
  platform.wires = by_group.front();
  if (by_group.size() > 1)
    platform.wires_of_rank = wires_of_ranks(job.cluster, options.layout, platform.ranks, by_group);
  // Stages exchange their own bytes, in the time of the one that takes longest.
  const Seconds time = prices.gradient_exchange.total();
  for (const StagePrice& stage : prices.stages) {
    platform.exchanges.push_back(timed_collective(time, stage.gradient_exchange.sent(),
                                                  by_group[stage.exchange_group][meeting_of_states(options.layout)]));
    platform.exchanges.back().bytes = stage.summed_at_once;
    platform.outer_exchanges.push_back(
        outer_exchanges(stage.outer, prices.outer, options.layout, by_group[stage.exchange_group]));
  }
  platform.tied_exchange = tied_exchange(prices.tied_exchange, by_group);
  platform.transfers_beyond = beyond_wires(job, options.layout, prices, cluster);
  return platform;
}

BytesPerSecond exchange_bus_bandwidth(const Layout& layout, const LayoutPrices& prices) {
  return bus_bandwidth(exchange_kind(layout), sharing_ranks(layout), prices.summed_at_once,
                       prices.gradient_exchange.total());
}

}  // namespace orrery
