// A network as the sequence of its blocks: what pipelines cut between and recomputation works in. Equal blocks are
// priced once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Layers first .. end - 1. `klass`: blocks of the same number are equal but for their names, in what of them has a
/// backward pass, too. `kin`: the first class that is equal but for what attention sees (windows and the whole in turn:
/// GPT-OSS) and for what trains: a frozen block is dealt out like the others. Frozen blocks with nothing that trains
/// below them have no backward pass.
struct Block {
  std::size_t first = 0, end = 0;
  std::size_t klass = 0, kin = 0;
  bool has_backward = true;
  std::int64_t carried = 0;   // numbers per sample that leave it beside what its last layer hands on
  std::int64_t returned = 0;  // of all that leave it, those whose gradients come back: something trains below
  bool is_dealt = true;       // no end of a transformer: takes and hands on what the repeated block does
};

struct BlockSequence {
  std::vector<Block> blocks;         // in order, between device_cuts()
  std::vector<std::size_t> classes;  // a block of each class
  /// Class whose kin are most blocks, and their number: the repeated block of a transformer.
  std::size_t repeated = 0;
  std::size_t repeats = 0;
};
BlockSequence blocks_of(const LayerGraph& graph);

/// Of what leaves a block of the graph, the share whose gradients come back.
double share_returned(const LayerGraph& graph, const Block& block);

/// How the blocks are dealt to pp x interleave chunks: [chunk] = index of its first block, and one behind the last.
/// Chunk c belongs to stage c mod pp. With repeated blocks (more than half of all): as even as whole blocks allow, what
/// stands before the first goes with the first chunk, what stands behind the last with the last; when they do not
/// divide, the chunks with these ends get fewer. Other networks: cut so that the heaviest chunk is lightest
/// (`weights` per block). Contract: at least as many blocks as chunks; with repeated ones up to two chunks more, the
/// ends.
std::vector<std::size_t> deal_blocks(const BlockSequence& sequence, std::size_t chunks,
                                     const std::vector<double>& weights);

/// The same by what each block weighs, ends included: at first cut where the weights come nearest to equal chunks, then
/// blocks go from chunk to chunk as long as that makes `stages` (chunk c belongs to stage c mod stages) and the chunks
/// of a round (c / stages), which are worked on at about the same time, more alike, then all chunks: by sums of
/// squares. Of equal blocks no stage, and no rounds' largest chunks together, have a whole one above their share.
/// Contract: a stage, a multiple of as many chunks, and at least as many blocks.
std::vector<std::size_t> deal_blocks_by_weight(std::size_t chunks, std::size_t stages,
                                               const std::vector<double>& weights);

/// What blocks first .. end - 1 weigh in a chunk; one more block makes no run lighter.
using RunWeight = std::function<double(std::size_t chunk, std::size_t first, std::size_t end)>;

/// The same for chunks on devices of different speed: contiguous runs, the slowest of which takes as short as any way
/// to cut allows; all else being equal the earlier chunks hold more. Contract: at least as many blocks as chunks, and a
/// chunk.
std::vector<std::size_t> deal_blocks_by_time(std::size_t chunks, std::size_t blocks, const RunWeight& seconds);

/// Whether one block is most of the network: a transformer.
bool has_repeated_blocks(const BlockSequence& sequence);

/// Whether chunks hold equal numbers of blocks; with repeated ones embedding and head may stand for a block each (Llama
/// 3, section 3.3.2): the end chunks get one fewer.
bool divides_into(const BlockSequence& sequence, std::size_t chunks);

/// Blocks that can be dealt out: those of a transformer without its ends, the few that are unlike the repeated one
/// (DeepSeek's first ones, without experts) among them; else all.
std::size_t dealt_blocks(const BlockSequence& sequence);

}  // namespace orrery
