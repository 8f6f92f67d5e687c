#include <algorithm>

#include "sim/base/contract.hpp"
#include "sim/collectives/schedule.hpp"

namespace orrery {

const std::vector<AlgorithmEntry>& algorithms() {
  using enum CollectiveKind;
  static const std::vector<AlgorithmEntry> table{
      {Algorithm::ring,
       "Every rank passes pieces to its neighbour: least bytes, 2(N-1) steps.",
       {all_reduce, reduce_scatter, all_gather, broadcast},
       ring_schedule},
      {Algorithm::double_binary_tree,
       "Two trees, each for half of the bytes, that share no inner rank: about 2 log2(N) latencies.",
       {all_reduce, broadcast},
       double_binary_tree_schedule},
      {Algorithm::halving_doubling,
       "Partners at distances N/2, N/4, ... exchange halves: least bytes, 2 log2(N) steps.",
       {all_reduce, reduce_scatter, all_gather},
       halving_doubling_schedule},
      {Algorithm::hierarchical,
       "Rings inside the nodes, then between equal places of the nodes, then inside again.",
       {all_reduce, reduce_scatter, all_gather, broadcast},
       hierarchical_schedule},
      {Algorithm::parameter_server,
       "Every worker sends all bytes to one server and takes all back: its port is the bottleneck.",
       {all_reduce, broadcast},
       parameter_server_schedule},
      {Algorithm::pairwise,
       "In step k rank r sends to rank r+k what it holds for it.",
       {all_to_all},
       pairwise_schedule},
  };
  return table;
}

const AlgorithmEntry& entry_of(Algorithm algorithm) {
  const auto& table = algorithms();
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& entry) { return entry.algorithm == algorithm; });
  ORRERY_EXPECT(found != table.end());
  return *found;
}

}  // namespace orrery
