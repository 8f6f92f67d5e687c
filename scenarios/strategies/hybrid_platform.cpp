#include "scenarios/strategies/hybrid_platform.hpp"

#include <algorithm>
#include <utility>

#include "models/cost/pass_bytes.hpp"
#include "models/layouts/block_price.hpp"
#include "sim/engine/fold.hpp"

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
  drive(cluster.node_link, job.node_law);
  drive(cluster.network_link, job.network_law);
  return cluster;
}

/// dp x cp devices of every stage and slice, in the order of devices.
FoldTraffic exchange_traffic(const Layout& layout) {
  FoldTraffic traffic{"exchange of gradients", FoldTraffic::Kind::collective, {}};
  for (int stage = 0; stage < layout.pp; ++stage) {
    for (int slice = 0; slice < layout.tp; ++slice) {
      std::vector<std::int64_t> devices;
      for (int replica = 0; replica < layout.dp; ++replica) {
        for (int part = 0; part < layout.cp; ++part)
          devices.push_back(device_at(layout, {slice, part, replica, stage}));
      }
      std::sort(devices.begin(), devices.end());
      std::vector<RankId> group;
      for (const std::int64_t device : devices) group.emplace_back(static_cast<std::size_t>(device));
      traffic.groups.push_back(std::move(group));
    }
  }
  return traffic;
}

/// From every device of a stage to its neighbour's, `direction` 1 or -1; round the ends where chunks are interleaved.
FoldTraffic message_traffic(const Layout& layout, int direction) {
  FoldTraffic traffic{
      direction > 0 ? "activations between stages" : "their gradients", FoldTraffic::Kind::messages, {}};
  for (std::int64_t device = 0; device < layout.devices(); ++device) {
    Coordinates to = coordinates_of(layout, device);
    to.pp += direction;
    if ((to.pp < 0 || to.pp >= layout.pp) && layout.interleave == 1) continue;
    to.pp = (to.pp + layout.pp) % layout.pp;
    traffic.groups.push_back(
        {RankId(static_cast<std::size_t>(device)), RankId(static_cast<std::size_t>(device_at(layout, to)))});
  }
  return traffic;
}

FoldRequest request_of(const Layout& layout, const HybridRanks& ranks) {
  FoldRequest request;
  for (std::int64_t device = 0; device < layout.devices(); ++device) {
    request.hosts.emplace_back(static_cast<std::size_t>(device));
    request.stand_in.push_back(ranks.rank(coordinates_of(layout, device)).index());
  }
  for (std::size_t rank = 0; rank < ranks.count(); ++rank) {
    request.representatives.emplace_back(static_cast<std::size_t>(ranks.first_device(RankId(rank))));
  }
  if (layout.dp * layout.cp > 1) request.traffic.push_back(exchange_traffic(layout));
  if (layout.pp > 1) {
    request.traffic.push_back(message_traffic(layout, 1));
    request.traffic.push_back(message_traffic(layout, -1));
  }
  return request;
}

/// Rate at which one device sends into the network when all of its node do.
BytesPerSecond network_share(const TrainingJob& job) {
  return paths_of(job).network.bus;
}

/// What of a collective's time is no time of these wires goes into its overhead; what the wires would take longer than
/// the law says (sums in the switch) makes the bytes fewer.
LibraryMoves on_wires(const TrainingJob& job, LibraryMoves moves, const LibraryCost& cost) {
  const Paths paths = paths_of(job);
  Seconds wire;
  if (moves.node_bytes > Bytes()) wire = moves.node_bytes / paths.node.bus;
  if (moves.network_bytes > Bytes()) wire = std::max(wire, moves.network_bytes / paths.network.bus);
  if (wire <= cost.wire) {
    moves.overhead += cost.wire - wire;
  } else {
    moves.node_bytes *= cost.wire / wire;
    moves.network_bytes *= cost.wire / wire;
  }
  return moves;
}

CollectiveKind exchange_kind(const Layout& layout) {
  return layout.zero_stage == 0 ? CollectiveKind::all_reduce : CollectiveKind::reduce_scatter;
}

/// What a message takes beside its way on the whole cluster, however it is folded: sharing above the ports is for the
/// engine to find.
Seconds beyond_wires(const TrainingJob& job, const Layout& layout, const LayoutPrices& prices, const Cluster& cluster,
                     const HybridRanks& ranks) {
  if (layout.pp == 1) return {};
  const RankId first(0), second = ranks.in_stage(first, 1);
  const DeviceId from(static_cast<std::size_t>(ranks.first_device(first)));
  const DeviceId to(static_cast<std::size_t>(ranks.first_device(second)));
  const PlatformHost &source = cluster.platform.hosts[from.index()], &target = cluster.platform.hosts[to.index()];
  const Route way = route(cluster.platform, from, to);
  BytesPerSecond rate = way.bandwidth;
  if (source.node != target.node || !source.inside) rate = std::min(rate, network_share(job));
  const Seconds on_the_way = way.latency + prices.stages.front().chunks.front().boundary / rate;
  return std::max(Seconds(), prices.transfer - on_the_way);
}

HybridPlatform unfolded(const Cluster& cluster, const Layout& layout) {
  HybridPlatform platform{HybridRanks(layout, Folded::device), {}, {}, {}, {}, {}};
  for (std::size_t rank = 0; rank < platform.ranks.count(); ++rank) {
    platform.placement.emplace_back(static_cast<std::size_t>(platform.ranks.first_device(RankId(rank))));
  }
  platform.own = {cluster.platform, cluster.link_power, {}, {}};
  return platform;
}

HybridPlatform folded(const Cluster& cluster, const Layout& layout, Folded how, Fold fold) {
  HybridPlatform platform{HybridRanks(layout, how), std::move(fold.hosts), {}, {}, {}, {}};
  for (std::size_t i = 0; i < fold.original.size(); ++i) {
    platform.own.link_power.push_back(cluster.link_power[fold.original[i].index()]);
    // link_copies counts bytes; links that several devices share are fewer.
    platform.own.link_power.back().always_on *= fold.link_count[i] / fold.link_copies[i];
  }
  platform.own.platform = std::move(fold.platform);
  platform.own.copies = std::move(fold.copies);
  platform.own.link_copies = std::move(fold.link_copies);
  if (layout.dp * layout.cp > 1) platform.exchange.library.reach = fold.reach.front();
  return platform;
}

HybridPlatform fold_as_far_as_possible(const Cluster& cluster, const HybridOptions& options) {
  const Layout& layout = options.layout;
  std::vector<std::string> notes;
  for (const Folded how : foldings(options)) {
    const HybridRanks ranks(layout, how);
    if (how == Folded::device || ranks.devices_each() == 1) break;
    Fold made = fold(cluster.platform, request_of(layout, ranks));
    if (made.obstacles.empty()) {
      HybridPlatform platform = folded(cluster, layout, how, std::move(made));
      platform.notes = std::move(notes);
      return platform;
    }
    for (const std::string& obstacle : made.obstacles) notes.push_back("not folded further: " + obstacle);
  }
  HybridPlatform platform = unfolded(cluster, layout);
  platform.notes = std::move(notes);
  return platform;
}

}  // namespace

HybridPlatform hybrid_platform(const TrainingJob& job, const HybridOptions& options, const LayoutPrices& prices) {
  const Cluster cluster = build_cluster(as_the_laws_say(job));
  HybridPlatform platform = fold_as_far_as_possible(cluster, options);
  const NetworkReach reach = platform.exchange.library.reach;
  const LibraryCost& cost = prices.gradient_exchange;
  platform.exchange = library_collective(exchange_kind(options.layout), GroupId(),
                                         exchanged_gradients(job, options.layout, prices), cost);
  platform.exchange.library = on_wires(job, platform.exchange.library, cost);
  platform.exchange.library.reach = reach;
  platform.transfer_beyond = beyond_wires(job, options.layout, prices, cluster, platform.ranks);
  return platform;
}

Bytes exchanged_gradients(const TrainingJob& job, const Layout& layout, const LayoutPrices& prices) {
  double most = 0;
  for (const StagePrice& stage : prices.stages) {
    double parameters = 0;
    for (const ChunkPrice& chunk : stage.chunks) parameters += chunk.parameters;
    most = std::max(most, parameters);
  }
  const double whole = bytes_in_memory(job.precision).value();
  const bool by_block = layout.zero_stage == 3 && layout.pp == 1;
  const double each = whole < 4.0 ? job.framework.gradient_wire_bytes.value : whole;
  const double blocks = by_block ? std::max<double>(1.0, static_cast<double>(dealt_blocks(blocks_of(job.network)))) : 1;
  return Bytes(most * each / blocks);
}

BytesPerSecond exchange_bus_bandwidth(const TrainingJob& job, const Layout& layout, const LayoutPrices& prices) {
  const int all = layout.dp * layout.cp;
  const int group = layout.zero_stage > 0 && layout.zero_group > 0 ? layout.zero_group : all;
  return bus_bandwidth(exchange_kind(layout), group, exchanged_gradients(job, layout, prices),
                       prices.gradient_exchange.total());
}

}  // namespace orrery
