// Collectives as a real library (NCCL) carries them out: rings that pass through the devices of a node and then to the
// next node, pipelined, or double binary trees, or sums in the switch; the fastest is chosen by size and place.
#pragma once

#include <array>
#include <cstdint>

#include "sim/base/units.hpp"
#include "sim/program/program.hpp"

namespace orrery {

/// What a path costs: a link inside a node, or a NIC. Numbers of topologies/fabric_law.hpp in SI units.
struct LibraryPath {
  BytesPerSecond bus;         // per rank in a node; network: of the part of the node's NICs that one rank may use
  BytesPerSecond in_network;  // 0: none
  double in_network_ranks = 0;
  Seconds base, hop;
  Seconds small_hop;  // of the protocol for small messages (LL); 0: it has none
  Seconds fill;
  Bytes fill_bytes;
  double small_ring_loss = 0;
  /// Of a ring of 2 .. 7 ranks, in the place of bus x (1 - small_ring_loss / ranks); 0: not given.
  std::array<BytesPerSecond, 6> bus_of_ranks{};
  /// Of a network: nodes under one leaf switch (0: no leaves), and what they send / what their leaf passes on (>= 1).
  int leaf_nodes = 0;
  double oversubscription = 1;
  double devices_per_nic = 1;  // of a full node; below one where a device has several
};

/// Where the ranks of a group sit: `per_node` of them on each node but those that have fewer, `nodes_apart` from each
/// other. The nodes between belong to groups of the same kind, which talk at the same time.
struct GroupPlace {
  int ranks = 1;
  int per_node = 1;
  int nodes_apart = 1;
  int fewest = 0;         // ranks on the node that has fewest of them; 0: as many as on the others
  int devices_there = 0;  // in use on that node, of this group and of others
  [[nodiscard]] int nodes() const { return (ranks + per_node - 1) / per_node; }
  bool operator==(const GroupPlace&) const = default;
};

/// Times as long as those of a full node that the NICs of the node with the fewest ranks of a group send, for as many
/// bytes leave each node of a ring or a tree; in an all-to-all its ranks send more to other nodes, and together less.
/// One NIC for all devices of a node is as fast for few of them.
double crowding(CollectiveKind kind, const GroupPlace& place, double devices_per_nic);

enum class LibraryAlgorithm : std::uint8_t { none, ring, tree, in_network, hierarchical };
std::string_view name_of(LibraryAlgorithm algorithm);

/// What one rank sends.
struct WireBytes {
  Bytes node, network;  // over its link inside the node; to the network
  [[nodiscard]] Bytes total() const { return node + network; }
  WireBytes& operator+=(const WireBytes& other) {
    node += other.node, network += other.network;
    return *this;
  }
  friend WireBytes operator*(const WireBytes& sent, double times) { return {sent.node * times, sent.network * times}; }
};

/// Whether an exchange takes the wires of another: those of the network, or of a node alone.
inline bool share_wires(const WireBytes& one, const WireBytes& other) {
  return one.network > Bytes() ? other.network > Bytes() : other.node > Bytes();
}

struct LibraryCost {
  LibraryAlgorithm algorithm = LibraryAlgorithm::none;
  Seconds overhead;     // start, hops, filling of the pipeline: no wire is busy for them
  Bytes node_bytes;     // that each rank sends over its link inside the node
  Bytes network_bytes;  // that each rank sends to the network, on a node with per_node of them
  Seconds wire;         // max(node_bytes / node rate, network_bytes / network rate of the node with fewest ranks)
  [[nodiscard]] Seconds total() const { return overhead + wire; }
  [[nodiscard]] WireBytes sent() const { return {node_bytes, network_bytes}; }
};

/// How much of its part of the NICs a rank can use when all groups like its own talk at once, by the uplinks of the
/// leaves that they cross. With l of a group's k nodes under each leaf of o : 1 a ring leaves the leaf once: min(1, l /
/// o); of an all-to-all's bytes (k - l) / (k - 1) do: min(1, (k - 1) / ((k - l) o)). A group under one leaf has all.
double uplink_share(CollectiveKind kind, GroupPlace place, const LibraryPath& network);

/// The same path with this share of its rate. Sums in the network's switches leave a leaf as one stream of many, and
/// keep theirs.
LibraryPath narrowed(const LibraryPath& network, double share);

/// `bytes` as Collective::bytes counts them. `network` is not read when the group lies in one node. One rank: nothing.
LibraryCost library_cost(CollectiveKind kind, GroupPlace place, Bytes bytes, const LibraryPath& node,
                         const LibraryPath& network);

/// An all-to-all whose ranks do not send the same to all: each `sent` to the others in its node and to other nodes.
LibraryCost all_to_all_cost(GroupPlace place, WireBytes sent, const LibraryPath& node, const LibraryPath& network);

/// A message between two devices: a hop, and the bytes at the rate of a ring of two.
Seconds message_time(Bytes bytes, const LibraryPath& path);

/// What network engineers compare: bytes / time x 2 (n - 1) / n for an all-reduce, (n - 1) / n for an all-gather,
/// reduce-scatter and all-to-all, 1 for a broadcast (nccl-tests, doc/PERFORMANCE.md).
BytesPerSecond bus_bandwidth(CollectiveKind kind, int ranks, Bytes bytes, Seconds time);

}  // namespace orrery
