// Where a network can be cut so that one tensor crosses, and the segments that recomputation works in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "models/networks/layer_graph.hpp"

namespace orrery {

enum class Recompute : std::uint8_t {
  none,       // every activation that backward needs is kept
  selective,  // what is much to keep for little work is computed again: scores of attention (Korthikanti et al. 2022),
              // raised latent queries, keys and values; planner of layouts alone
  alternate,  // every second segment as full (torchtitan's selective option 2); planner of layouts alone
  operators,  // outputs of fused attention and of every second product of a segment are kept, the rest is computed
              // again (torchtitan's selective option "op"); planner of layouts alone
  full  // only what crosses into a segment is kept (recompute_segments()); backward runs its forward pass once more,
        // but that of the last segment, whose activations are still there
};
inline constexpr std::array all_recomputes = {Recompute::none, Recompute::selective, Recompute::alternate,
                                              Recompute::operators, Recompute::full};
std::string_view name_of(Recompute recompute);
/// Share of the segments whose forward pass runs once more whole.
double share_of_blocks(Recompute recompute);

/// First layers of the segments of full recomputation, in order, the first being 0: forward keeps only what crosses
/// into a segment, backward runs its forward pass once more. A placed block is a segment (a transformer's blocks:
/// Korthikanti et al. 2022, section 5), and so is what lies between two of them; a network without blocks is cut into
/// about the square root of its layers with weights (Chen et al. 2016). Every cut is narrow: exactly one earlier
/// output (views of it included) is read by what follows.
std::vector<std::size_t> recompute_segments(const LayerGraph& graph);

/// For each layer whether some layer of its segment has a backward pass: no other segment is ever run again.
std::vector<bool> in_segments_with_backward(const LayerGraph& graph);

/// Where a network can be cut between devices.
struct NetworkCut {
  std::size_t first = 0;      // layer behind the cut
  std::int64_t carried = 0;   // numbers per sample that go along beside what the layer before it hands on
  std::int64_t returned = 0;  // of these, those whose gradients come back
};
/// Those before recompute_segments(), and those between placed blocks over which an output goes along that many
/// blocks (four at least) read: the encoder's, to every block of the decoder. Between blocks of LSTMs or GRUs all goes
/// along that is read behind: GNMT's context and states. What an embedding hands on does not go along: who reads it far
/// behind looks its tokens up itself (Megatron-LM keeps a table on the decoder's first stage, too).
std::vector<NetworkCut> device_cuts(const LayerGraph& graph);

}  // namespace orrery
