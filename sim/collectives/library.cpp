#include "sim/collectives/library.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "sim/base/contract.hpp"
#include "sim/collectives/library_algorithms.hpp"

namespace orrery {
namespace {

LibraryCost faster(const LibraryCost& one, const LibraryCost& other) {
  return other.total() < one.total() ? other : one;
}

bool switch_adds(CollectiveKind kind, const LibraryPath& path, double ranks) {
  return kind == CollectiveKind::all_reduce && path.in_network.value() > 0 && ranks >= path.in_network_ranks;
}

}  // namespace

std::string_view name_of(LibraryAlgorithm algorithm) {
  static constexpr std::array<std::string_view, 5> names{"none", "ring", "tree", "in-network", "hierarchical"};
  const auto index = static_cast<std::size_t>(algorithm);
  return index < names.size() ? names[index] : std::string_view("?");
}

double crowding(CollectiveKind kind, const GroupPlace& place, double devices_per_nic) {
  if (place.fewest == 0 || place.nodes() == 1) return 1.0;
  const double most = place.per_node, fewest = place.fewest, all = place.ranks;
  const double share = place.devices_there / devices_per_nic;  // of NICs, that so many devices have on a full node
  const double nics = devices_per_nic <= 1 ? share : std::ceil(share);
  const bool is_ring = kind != CollectiveKind::all_to_all;
  const double left = is_ring ? 1.0 : fewest * (all - fewest) / (most * (all - most));
  return std::max(1.0, left * (most / fewest) * (share / nics));
}

LibraryPath narrowed(const LibraryPath& network, double share) {
  LibraryPath path = network;
  path.bus *= share;
  path.in_network *= share;
  for (BytesPerSecond& bus : path.bus_of_ranks) bus *= share;
  return path;
}

double uplink_share(CollectiveKind kind, GroupPlace place, const LibraryPath& network) {
  if (network.leaf_nodes == 0 || network.oversubscription <= 1) return 1.0;
  const int beside = std::max(1, network.leaf_nodes / std::max(1, place.nodes_apart));
  if (place.nodes() <= beside) return 1.0;
  const double others = place.nodes() - 1;
  const double leaving = kind == CollectiveKind::all_to_all ? (place.nodes() - beside) / others : 1.0 / beside;
  return std::min(1.0, 1.0 / (leaving * network.oversubscription));
}

LibraryCost all_to_all_cost(GroupPlace place, WireBytes sent, const LibraryPath& node, const LibraryPath& network) {
  ORRERY_EXPECT(place.ranks >= 1 && place.per_node >= 1);
  if (place.ranks == 1) return {};
  const LibraryPath usable = narrowed(network, uplink_share(CollectiveKind::all_to_all, place, network));
  return all_to_all(setting_of(CollectiveKind::all_to_all, place, sent.total(), node, usable), sent);
}

LibraryCost library_cost(CollectiveKind kind, GroupPlace place, Bytes bytes, const LibraryPath& node,
                         const LibraryPath& network) {
  ORRERY_EXPECT(place.ranks >= 1 && place.per_node >= 1 && bytes.value() >= 0);
  if (place.ranks == 1) return {};
  if (kind == CollectiveKind::all_to_all) {
    const Bytes piece = bytes / place.ranks;
    const double inside = std::min(place.ranks, place.per_node);
    return all_to_all_cost(place, {piece * (inside - 1.0), piece * (place.ranks - inside)}, node, network);
  }
  const LibraryPath usable = narrowed(network, uplink_share(kind, place, network));
  const LibrarySetting set = setting_of(kind, place, bytes, node, usable);
  if (set.k == 1) {
    const LibraryCost ring = ring_inside(kind, set);
    return switch_adds(kind, node, set.n) ? faster(ring, sums_inside(set)) : ring;
  }
  LibraryCost best = through_nodes(kind, set);
  if (usable.small_hop.value() > 0) best = faster(best, small_through_nodes(kind, set));
  if (kind == CollectiveKind::all_reduce && set.k == 2 && set.g > 1) best = faster(best, trees_of_two_nodes(set));
  if (switch_adds(kind, node, set.g)) best = faster(best, trees_over_sums(set));
  if (switch_adds(kind, network, set.k)) best = faster(best, sums_between(set));
  return best;
}

Seconds message_time(Bytes bytes, const LibraryPath& path) {
  return path.hop + (bytes.value() > 0 ? bytes / ring_rate(path, 2.0) : Seconds());
}

BytesPerSecond bus_bandwidth(CollectiveKind kind, int ranks, Bytes bytes, Seconds time) {
  if (ranks < 2 || time.value() <= 0) return BytesPerSecond(0);
  const double share = (ranks - 1.0) / ranks;
  switch (kind) {
    case CollectiveKind::all_reduce:
      return bytes / time * (2.0 * share);
    case CollectiveKind::broadcast:
      return bytes / time;
    case CollectiveKind::reduce_scatter:
    case CollectiveKind::all_gather:
    case CollectiveKind::all_to_all:
      return bytes / time * share;
  }
  return BytesPerSecond(0);
}

}  // namespace orrery
