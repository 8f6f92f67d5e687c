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
// and g - 1 inside; the fewer in time. Sums in the switch: see sums_inside(), trees_over_sums() and sums_between(); two
// nodes: trees_of_two_nodes().
#include "sim/collectives/library_algorithms.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace orrery {
namespace {

double passes_of(CollectiveKind kind) {
  return kind == CollectiveKind::all_reduce ? 2.0 : 1.0;
}

/// What every rank sends in one pass of a ring.
Bytes pass_bytes(CollectiveKind kind, const LibrarySetting& set) {
  return kind == CollectiveKind::broadcast ? set.bytes : set.bytes * ((set.n - 1.0) / set.n);
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
Seconds time_outside(const LibrarySetting& set, Bytes bytes, BytesPerSecond rate) {
  return time_of(bytes * set.crowding, rate);
}

/// Splits a total into what keeps wires busy and the rest; bytes beyond what fits into the total are not counted.
LibraryCost cost_of(LibraryAlgorithm algorithm, Seconds total, Bytes node_bytes, Bytes network_bytes,
                    const LibrarySetting& set) {
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

struct Steps {
  LibraryAlgorithm algorithm = LibraryAlgorithm::ring;
  Seconds time;  // of one pass
};

Steps steps_between(const LibrarySetting& set) {
  const Seconds ring = set.network.hop * (set.k - 1.0) + set.node.hop * (set.n - set.k);
  const Seconds tree = set.network.hop * (4.0 * std::log2(set.k)) + set.node.hop * (set.g - 1.0);
  if (tree < ring) return {LibraryAlgorithm::tree, tree};
  return {LibraryAlgorithm::ring, ring};
}

}  // namespace

LibrarySetting setting_of(CollectiveKind kind, GroupPlace place, Bytes bytes, const LibraryPath& node,
                          const LibraryPath& network) {
  const double ranks = place.ranks, per_node = std::min(place.ranks, place.per_node);
  const double crowded = crowding(kind, place, network.devices_per_nic);
  return {ranks, per_node, std::ceil(ranks / per_node), crowded, bytes, node, network};
}

BytesPerSecond ring_rate(const LibraryPath& path, double ranks) {
  const auto given = static_cast<std::size_t>(ranks) - 2;
  if (given < path.bus_of_ranks.size() && path.bus_of_ranks[given].value() > 0) return path.bus_of_ranks[given];
  return path.bus * (1.0 - path.small_ring_loss / ranks);
}

LibraryCost ring_inside(CollectiveKind kind, const LibrarySetting& set) {
  const double passes = passes_of(kind);
  const Bytes pass = pass_bytes(kind, set);
  const Seconds total = set.node.base * (passes / 2.0) + set.node.hop * (passes * (set.n - 1.0)) +
                        time_of(pass * passes, ring_rate(set.node, set.n)) +
                        filling(set.node, pass * 2.0) * (passes / 2.0);
  return cost_of(LibraryAlgorithm::ring, total, pass * passes, Bytes(), set);
}

LibraryCost sums_inside(const LibrarySetting& set) {
  const Bytes wire = set.bytes * (2.0 * (set.n - 1.0) / set.n);
  const Seconds total =
      set.node.base + set.node.hop * 2.0 + time_of(wire, set.node.in_network) + filling(set.node, wire);
  return cost_of(LibraryAlgorithm::in_network, total, set.bytes * ((set.n + 1.0) / set.n), Bytes(), set);
}

LibraryCost through_nodes(CollectiveKind kind, const LibrarySetting& set) {
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

LibraryCost small_through_nodes(CollectiveKind kind, const LibrarySetting& set) {
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

LibraryCost trees_of_two_nodes(const LibrarySetting& set) {
  constexpr double reached = 0.92;
  const Bytes outside = set.bytes / set.g, busiest = set.bytes * std::min(2.0, set.g - 1.0);
  const Seconds moving = std::max(time_outside(set, outside, ring_rate(set.network, set.k)),
                                  time_of(busiest, ring_rate(set.node, set.g) * reached));
  const Seconds total = set.network.base + set.network.hop * 8.0 + set.node.hop * (2.0 * (set.g - 1.0)) + moving +
                        filling(set.network, pass_bytes(CollectiveKind::all_reduce, set) * 2.0);
  return cost_of(LibraryAlgorithm::tree, total, set.bytes * (2.0 * (set.g - 1.0) / set.g), outside, set);
}

LibraryCost trees_over_sums(const LibrarySetting& set) {
  const Bytes share = set.bytes / set.g, outside = share * (set.k > 2 ? 2.0 : 1.0);
  const Bytes wire = set.bytes * (2.0 * (set.n - 1.0) / set.n);
  const Seconds moving = std::max(time_outside(set, outside, set.network.bus), time_of(wire, set.node.in_network));
  const Seconds total = set.network.base + set.node.hop * 2.0 + set.network.hop * (8.0 * std::log2(set.k)) + moving +
                        filling(set.network, wire);
  return cost_of(LibraryAlgorithm::hierarchical, total, set.bytes * ((set.g + 1.0) / set.g), outside, set);
}

LibraryCost sums_between(const LibrarySetting& set) {
  const Bytes inside = set.bytes * (2.0 * (set.g - 1.0) / set.g);
  const Bytes share = set.bytes / set.g;
  const Seconds moving = std::max(time_outside(set, share * (2.0 * (set.k - 1.0) / set.k), set.network.in_network),
                                  time_of(inside, ring_rate(set.node, set.g)));
  const Seconds total = set.network.base + set.network.hop * 2.0 + set.node.hop * (2.0 * (set.g - 1.0)) + moving +
                        filling(set.network, inside + share);
  return cost_of(LibraryAlgorithm::hierarchical, total, inside, share, set);
}

LibraryCost all_to_all(const LibrarySetting& set, WireBytes sent) {
  const Bytes inside = sent.node, outside = sent.network;
  const LibraryPath& slower = set.k > 1 ? set.network : set.node;
  const Seconds steps = set.node.hop * (set.g - 1.0) + (set.k > 1 ? set.network.hop * (set.k - 1.0) : Seconds());
  const Seconds moving =
      std::max(time_of(inside, ring_rate(set.node, set.g)), time_outside(set, outside, ring_rate(set.network, set.k)));
  const Seconds total = slower.base / 2.0 + steps + moving + filling(slower, (inside + outside) * 2.0) / 2.0;
  return cost_of(LibraryAlgorithm::ring, total, inside, outside, set);
}

}  // namespace orrery
