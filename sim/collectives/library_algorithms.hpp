// How long each algorithm of a library's collectives takes: what library_cost() chooses from.
#pragma once

#include "sim/collectives/library.hpp"

namespace orrery {

/// A group on its paths, with the counts as numbers.
struct LibrarySetting {
  double n = 1, g = 1, k = 1;  // ranks, ranks per node, nodes
  double crowding = 1;         // of the NICs of the node with fewest ranks
  Bytes bytes;
  const LibraryPath& node;
  const LibraryPath& network;
};

/// Refers to both paths.
LibrarySetting setting_of(CollectiveKind kind, GroupPlace place, Bytes bytes, const LibraryPath& node,
                          const LibraryPath& network);
/// Of a path with so many ranks.
BytesPerSecond ring_rate(const LibraryPath& path, double ranks);

LibraryCost ring_inside(CollectiveKind kind, const LibrarySetting& set);
/// The switch adds (NVLS): a rank's port carries S (n + 1) / n each way: its buffer to be summed, its share of the sums
/// to all. Two steps, whatever the number of ranks; its own plateau, in terms of a ring's bytes.
LibraryCost sums_inside(const LibrarySetting& set);
LibraryCost through_nodes(CollectiveKind kind, const LibrarySetting& set);
/// The protocol for small messages (LL) flags every word instead of fencing messages: its steps are shorter, and it
/// reaches a quarter of the bandwidth (NVIDIA/nccl, src/graph/tuning.cc). Along trees, up and down once.
LibraryCost small_through_nodes(CollectiveKind kind, const LibrarySetting& set);
/// All-reduce along double binary trees over two nodes, chains inside: each node is a root once and a leaf once, so
/// that a rank sends S / g to the network, half of a ring's, and those inside a chain S up and S down. Libraries take
/// them for large messages where the network limits rings (NVIDIA/nccl, issues 330, 812 and 946); chains reach .92 of a
/// ring's bandwidth (src/graph/tuning.cc).
LibraryCost trees_of_two_nodes(const LibrarySetting& set);
/// The switch of each node adds and double binary trees join the nodes (NVLSTree, NCCL 2.18): each of two trees carries
/// half of a rank's share S / g. Of two nodes each is a root once and a leaf once, which makes S / g per rank; of more,
/// the inner node of one tree is a leaf of the other: one piece up and two down, and one up, of S / 2 g each.
LibraryCost trees_over_sums(const LibrarySetting& set);
/// The network's switches add (SHARP): reduce-scatter in each node, sums of the shares S / g, all-gather in each node.
LibraryCost sums_between(const LibrarySetting& set);
/// Every rank sends to each other one at once, `sent` in all, the slower of whose parts counts. Messages start one
/// after another, those to one node together.
LibraryCost all_to_all(const LibrarySetting& set, WireBytes sent);

}  // namespace orrery
