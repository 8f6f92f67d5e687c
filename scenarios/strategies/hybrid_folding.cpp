#include "scenarios/strategies/hybrid_folding.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "models/layouts/replica_places.hpp"

namespace orrery {
namespace {

FoldRequest request_of(const Layout& layout, const HybridRanks& ranks, const Moving& moving) {
  FoldRequest request;
  for (std::int64_t device = 0; device < layout.devices(); ++device) {
    request.hosts.emplace_back(static_cast<std::size_t>(device));
    request.stand_in.push_back(ranks.rank(coordinates_of(layout, device)).index());
  }
  for (std::size_t rank = 0; rank < ranks.count(); ++rank) {
    request.representatives.emplace_back(static_cast<std::size_t>(ranks.first_device(RankId(rank))));
  }
  for (MeetingTraffic& each : group_traffic(layout, moving)) request.traffic.push_back(std::move(each.traffic));
  if (layout.pp > 1) {
    request.traffic.push_back(message_traffic(layout, 1));
    request.traffic.push_back(message_traffic(layout, -1));
  }
  return request;
}

HybridPlatform unfolded(const Cluster& cluster, const Layout& layout) {
  HybridPlatform platform{HybridRanks(layout, Folded::device)};
  for (std::size_t rank = 0; rank < platform.ranks.count(); ++rank) {
    platform.placement.emplace_back(static_cast<std::size_t>(platform.ranks.first_device(RankId(rank))));
  }
  platform.own = {cluster.platform, cluster.link_power, {}, {}};
  return platform;
}

/// What link `i` of a fold stands for. It is narrowed to the share of the ranks that are simulated; uplinks of leaves
/// that never fill up are not, and carry that share of the bytes all the same.
void add_links_of_all(const Cluster& cluster, const Fold& fold, std::size_t i, PlanPlatform& own) {
  const std::size_t original = fold.original[i].index();
  const BytesPerSecond rate = cluster.platform.links[original].bandwidth;
  const double narrowed = rate / fold.platform.links[i].bandwidth, count = fold.link_count[i];
  const double mean = count > 0 ? fold.link_copies[i] / count : 1.0;
  const double bytes = narrowed > 1 ? narrowed : mean;
  own.link_rates.push_back(rate);
  own.link_bytes.push_back(bytes);
  own.link_copies.push_back(fold.link_copies[i] / bytes);
  own.link_power.push_back(cluster.link_power[original]);
  own.link_power.back().always_on *= count / own.link_copies.back();
}

/// The nodes that the devices of a layout stand on, by the ranks that stand for these devices.
std::vector<NodesOfRanks> nodes_of_ranks(const Cluster& cluster, const Layout& layout, const HybridRanks& ranks) {
  std::map<std::int32_t, std::set<std::size_t>> of_node;
  for (std::int64_t device = 0; device < layout.devices(); ++device) {
    const PlatformHost& host = cluster.platform.hosts[static_cast<std::size_t>(device)];
    of_node[host.node].insert(ranks.rank(coordinates_of(layout, device)).index());
  }
  std::map<std::set<std::size_t>, double> alike;
  for (const auto& [node, held] : of_node) alike[held] += 1.0;
  std::vector<NodesOfRanks> nodes;
  for (const auto& [held, count] : alike) {
    nodes.push_back({{}, count});
    for (const std::size_t rank : held) nodes.back().ranks.emplace_back(rank);
  }
  return nodes;
}

HybridPlatform folded(const Cluster& cluster, const Layout& layout, Folded how, const Moving& moving, Fold fold) {
  HybridPlatform platform{HybridRanks(layout, how), std::move(fold.hosts)};
  for (std::size_t i = 0; i < fold.original.size(); ++i) add_links_of_all(cluster, fold, i, platform.own);
  platform.own.platform = std::move(fold.platform);
  platform.own.copies = std::move(fold.copies);
  platform.own.nodes = nodes_of_ranks(cluster, layout, platform.ranks);
  const std::vector<MeetingTraffic> traffic = group_traffic(layout, moving);
  for (std::size_t i = 0; i < traffic.size(); ++i) platform.wires[traffic[i].meeting].reach = fold.reach[i];
  return platform;
}

/// Why a rank cannot stand for devices of several kinds; empty where it does not.
std::string kinds_that_differ(const ClusterDescription& cluster, const Layout& layout, Folded how) {
  if (cluster.more.empty()) return {};
  const ReplicaPlaces places = places_of_replicas(layout, cluster);
  if (places.stages_are_mixed())
    return "devices that share a stage of a replica, or meet in every pass, are of two kinds";
  if (how == Folded::stage && places.replicas_differ()) return "replicas are on devices of different kinds";
  return {};
}

/// The first folding that gives what simulating all would; nothing: none but a rank per device. `notes`: why not
/// others.
std::optional<HybridPlatform> first_that_folds(const Cluster& cluster, const HybridOptions& options,
                                               const Moving& moving, std::vector<std::string>& notes) {
  const Layout& layout = options.layout;
  for (const Folded how : foldings(options)) {
    const HybridRanks ranks(layout, how);
    if (how == Folded::device || ranks.devices_each() == 1) break;
    if (const std::string differ = kinds_that_differ(cluster.description, layout, how); !differ.empty()) {
      notes.push_back("not folded further: " + differ);
      continue;
    }
    Fold made = fold(cluster.platform, request_of(layout, ranks, moving));
    if (made.obstacles.empty()) return folded(cluster, layout, how, moving, std::move(made));
    for (const std::string& obstacle : made.obstacles) notes.push_back("not folded further: " + obstacle);
  }
  return {};
}

}  // namespace

HybridPlatform folded_platform(const Cluster& cluster, const HybridOptions& options, Moving moving, std::int64_t batch,
                               std::uint64_t most_passes) {
  const Layout& layout = options.layout;
  std::vector<std::string> notes;
  std::optional<HybridPlatform> platform = first_that_folds(cluster, options, moving, notes);
  const double passes = 2.0 * static_cast<double>(layout.devices() * microbatches(layout, batch)) * layout.interleave;
  if (!platform && options.fold == Folding::automatic && passes > static_cast<double>(most_passes)) {
    std::vector<std::string> again;
    Moving fewer = moving;
    for (const Meeting each : {Meeting::slices, Meeting::parts, Meeting::experts}) fewer.erase(each);
    platform = first_that_folds(cluster, options, fewer, again);
    if (platform) {
      moving = std::move(fewer);
      notes.push_back(fmt::format(
          "exchanges of tensor, context and expert groups take the closed form's time and share no wires: with a rank "
          "per device they would be {:.3g} passes (message_budget is {})",
          passes, most_passes));
    }
  }
  if (!platform) platform = unfolded(cluster, layout);
  platform->moving = std::move(moving);
  platform->notes = std::move(notes);
  return *std::move(platform);
}

}  // namespace orrery
