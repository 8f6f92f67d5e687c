// How long a library's collectives take, with n ranks, g of them on each of k = n / g nodes, S the full buffer.
//
// A ring passes everything round once for a reduce-scatter, an all-gather or a broadcast and twice for an all-reduce,
// which is a reduce-scatter and an all-gather. In one pass every rank sends p = S (n - 1) / n (broadcast: S) in n - 1
// steps. P passes inside a node take
//
//   P/2 base + P (n - 1) hop + P p / (bus (1 - loss / n)) + P/2 fill (1 - exp(-2 p / fill_bytes))
//
// Form and constants come from fits to nccl-tests (base, hop, plateau of the bus bandwidth; small rings leave channels
// unused; messages of medium size pay for filling the pipeline and for the change of protocol). The steps are those of
// NVIDIA/nccl, src/graph/tuning.cc: 2 (n - 1) for an all-reduce, n - 1 for a pass.
//
// Between nodes one ring per NIC passes through all devices of a node and goes on to the next one: a rank sends p / g
// to the network and p (g - 1) / g inside, and the slower of the two sets the pace. Steps of a pass: k - 1 between and
// n - k inside nodes, or, along trees (whose pieces are pipelined, so that they cost 4 levels' worth), 4 log2 k between
// and g - 1 inside; the fewer in time. Sums in the switch: see sums_inside(), trees_over_sums() and sums_between().
#include "sim/collectives/library.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "sim/base/contract.hpp"

namespace orrery {

namespace {

/// A group on its paths, with the counts as numbers.
struct Setting {
  double n = 1, g = 1, k = 1;  // ranks, ranks per node, nodes
  double crowding = 1;         // of the NICs of the node with fewest ranks
  Bytes bytes;
  const LibraryPath& node;
  const LibraryPath& network;
};

/// Refers to both paths.
Setting setting_of(CollectiveKind kind, GroupPlace place, Bytes bytes, const LibraryPath& node,
                   const LibraryPath& network) {
  const double ranks = place.ranks, per_node = std::min(place.ranks, place.per_node);
  const double crowded = crowding(kind, place, network.devices_per_nic);
  return {ranks, per_node, std::ceil(ranks / per_node), crowded, bytes, node, network};
}

double passes_of(CollectiveKind kind) {
  return kind == CollectiveKind::all_reduce ? 2.0 : 1.0;
}

/// What every rank sends in one pass of a ring.
Bytes pass_bytes(CollectiveKind kind, const Setting& set) {
  return kind == CollectiveKind::broadcast ? set.bytes : set.bytes * ((set.n - 1.0) / set.n);
}

BytesPerSecond ring_rate(const LibraryPath& path, double ranks) {
  const auto given = static_cast<std::size_t>(ranks) - 2;
  if (given < path.bus_of_ranks.size() && path.bus_of_ranks[given].value() > 0) return path.bus_of_ranks[given];
  return path.bus * (1.0 - path.small_ring_loss / ranks);
}

/// What messages of medium size lose, of an all-reduce in which every rank sends `wire`.
Seconds filling(const LibraryPath& path, Bytes wire) {
  if (path.fill_bytes.value() <= 0) return Seconds();
  return path.fill * (1.0 - std::exp(-(wire / path.fill_bytes)));
}

Seconds time_of(Bytes bytes, BytesPerSecond rate) {
  return bytes.value() > 0 ? bytes / rate : Seconds();
}

/// Until the NICs of every node have sent what each rank of a full one sends.
Seconds time_outside(const Setting& set, Bytes bytes, BytesPerSecond rate) {
  return time_of(bytes * set.crowding, rate);
}

/// Splits a total into what keeps wires busy and the rest; bytes beyond what fits into the total are not counted.
LibraryCost cost_of(LibraryAlgorithm algorithm, Seconds total, Bytes node_bytes, Bytes network_bytes,
                    const Setting& set) {
  LibraryCost cost;
  cost.algorithm = algorithm;
  cost.node_bytes = node_bytes;
  cost.network_bytes = network_bytes;
  cost.wire = std::max(time_of(node_bytes, set.node.bus), time_outside(set, network_bytes, set.network.bus));
  if (cost.wire > total) {
    const double share = total / cost.wire;
    cost.node_bytes *= share;
    cost.network_bytes *= share;
    cost.wire = total;
  }
  cost.overhead = total - cost.wire;
  return cost;
}

LibraryCost ring_inside(CollectiveKind kind, const Setting& set) {
  const double passes = passes_of(kind);
  const Bytes pass = pass_bytes(kind, set);
  const Seconds total = set.node.base * (passes / 2.0) + set.node.hop * (passes * (set.n - 1.0)) +
                        time_of(pass * passes, ring_rate(set.node, set.n)) +
                        filling(set.node, pass * 2.0) * (passes / 2.0);
  return cost_of(LibraryAlgorithm::ring, total, pass * passes, Bytes(), set);
}

/// The switch adds (NVLS): a rank's port carries S (n + 1) / n each way: its buffer to be summed, its share of the sums
/// to all. Two steps, whatever the number of ranks; its own plateau, in terms of a ring's bytes.
LibraryCost sums_inside(const Setting& set) {
  const Bytes wire = set.bytes * (2.0 * (set.n - 1.0) / set.n);
  const Seconds total =
      set.node.base + set.node.hop * 2.0 + time_of(wire, set.node.in_network) + filling(set.node, wire);
  return cost_of(LibraryAlgorithm::in_network, total, set.bytes * ((set.n + 1.0) / set.n), Bytes(), set);
}

struct Steps {
  LibraryAlgorithm algorithm = LibraryAlgorithm::ring;
  Seconds time;  // of one pass
};

Steps steps_between(const Setting& set) {
  const Seconds ring = set.network.hop * (set.k - 1.0) + set.node.hop * (set.n - set.k);
  const Seconds tree = set.network.hop * (4.0 * std::log2(set.k)) + set.node.hop * (set.g - 1.0);
  if (tree < ring) return {LibraryAlgorithm::tree, tree};
  return {LibraryAlgorithm::ring, ring};
}

LibraryCost through_nodes(CollectiveKind kind, const Setting& set) {
  const double passes = passes_of(kind);
  const Bytes pass = pass_bytes(kind, set);
  const Bytes outside = pass * (passes / set.g), inside = pass * (passes * (set.g - 1.0) / set.g);
  const Steps steps = steps_between(set);
  const Seconds moving =
      std::max(time_outside(set, outside, ring_rate(set.network, set.k)), time_of(inside, ring_rate(set.node, set.g)));
  const Seconds total = set.network.base * (passes / 2.0) + steps.time * passes + moving +
                        filling(set.network, pass * 2.0) * (passes / 2.0);
  return cost_of(steps.algorithm, total, inside, outside, set);
}

/// The protocol for small messages (LL) flags every word instead of fencing messages: its steps are shorter, and it
/// reaches a quarter of the bandwidth (NVIDIA/nccl, src/graph/tuning.cc). Along trees, up and down once.
LibraryCost small_through_nodes(CollectiveKind kind, const Setting& set) {
  constexpr double reached = 0.25;
  const double passes = passes_of(kind);
  const Bytes pass = pass_bytes(kind, set);
  const Bytes outside = pass * (passes / set.g), inside = pass * (passes * (set.g - 1.0) / set.g);
  const Seconds inner = set.node.small_hop.value() > 0 ? set.node.small_hop : set.node.hop;
  const Seconds steps = set.network.small_hop * std::log2(set.k) + inner * (set.g - 1.0);
  const Seconds moving = std::max(time_outside(set, outside, ring_rate(set.network, set.k) * reached),
                                  time_of(inside, ring_rate(set.node, set.g) * reached));
  const Seconds total = set.network.base * (passes / 2.0) + steps * passes + moving;
  return cost_of(LibraryAlgorithm::tree, total, inside, outside, set);
}

/// The switch of each node adds and double binary trees join the nodes (NVLSTree, NCCL 2.18): each of two trees carries
/// half of a rank's share S / g. Of two nodes each is a root once and a leaf once, which makes S / g per rank; of more,
/// the inner node of one tree is a leaf of the other: one piece up and two down, and one up, of S / 2 g each.
LibraryCost trees_over_sums(const Setting& set) {
  const Bytes share = set.bytes / set.g, outside = share * (set.k > 2 ? 2.0 : 1.0);
  const Bytes wire = set.bytes * (2.0 * (set.n - 1.0) / set.n);
  const Seconds moving = std::max(time_outside(set, outside, set.network.bus), time_of(wire, set.node.in_network));
  const Seconds total = set.network.base + set.node.hop * 2.0 + set.network.hop * (8.0 * std::log2(set.k)) + moving +
                        filling(set.network, wire);
  return cost_of(LibraryAlgorithm::hierarchical, total, set.bytes * ((set.g + 1.0) / set.g), outside, set);
}

/// The network's switches add (SHARP): reduce-scatter in each node, sums of the shares S / g, all-gather in each node.
LibraryCost sums_between(const Setting& set) {
  const Bytes inside = set.bytes * (2.0 * (set.g - 1.0) / set.g);
  const Bytes share = set.bytes / set.g;
  const Seconds moving = std::max(time_outside(set, share * (2.0 * (set.k - 1.0) / set.k), set.network.in_network),
                                  time_of(inside, ring_rate(set.node, set.g)));
  const Seconds total = set.network.base + set.network.hop * 2.0 + set.node.hop * (2.0 * (set.g - 1.0)) + moving +
                        filling(set.network, inside + share);
  return cost_of(LibraryAlgorithm::hierarchical, total, inside, share, set);
}

/// Every rank sends to each other one at once, `sent` in all, the slower of whose parts counts. Messages start one
/// after another, those to one node together.
LibraryCost all_to_all(const Setting& set, WireBytes sent) {
  const Bytes inside = sent.node, outside = sent.network;
  const LibraryPath& slower = set.k > 1 ? set.network : set.node;
  const Seconds steps = set.node.hop * (set.g - 1.0) + (set.k > 1 ? set.network.hop * (set.k - 1.0) : Seconds());
  const Seconds moving =
      std::max(time_of(inside, ring_rate(set.node, set.g)), time_outside(set, outside, ring_rate(set.network, set.k)));
  const Seconds total = slower.base / 2.0 + steps + moving + filling(slower, (inside + outside) * 2.0) / 2.0;
  return cost_of(LibraryAlgorithm::ring, total, inside, outside, set);
}

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
  const double leaving = kind == CollectiveKind::all_to_all ? 1.0 : 1.0 / beside;
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
  const Setting set = setting_of(kind, place, bytes, node, usable);
  if (set.k == 1) {
    const LibraryCost ring = ring_inside(kind, set);
    return switch_adds(kind, node, set.n) ? faster(ring, sums_inside(set)) : ring;
  }
  LibraryCost best = through_nodes(kind, set);
  if (usable.small_hop.value() > 0) best = faster(best, small_through_nodes(kind, set));
  if (switch_adds(kind, node, set.g)) best = faster(best, trees_over_sums(set));
  if (switch_adds(kind, network, set.k)) best = faster(best, sums_between(set));
  return best;
}

Seconds message_time(Bytes bytes, const LibraryPath& path) {
  return path.hop + time_of(bytes, ring_rate(path, 2.0));
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
