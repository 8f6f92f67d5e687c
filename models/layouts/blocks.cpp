#include "models/layouts/blocks.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "models/networks/segments.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

bool are_alike(const Layer& a, const Layer& b) {
  return a.kind == b.kind && a.in == b.in && a.out == b.out && a.kernel == b.kernel && a.stride == b.stride &&
         a.groups == b.groups && a.heads == b.heads && a.kv_heads == b.kv_heads && a.head_size == b.head_size &&
         a.value_size == b.value_size && a.causal == b.causal && a.rate == b.rate && a.vocabulary == b.vocabulary &&
         a.positions == b.positions && a.segments == b.segments && a.bias == b.bias && a.tied == b.tied &&
         a.frozen == b.frozen && a.experts == b.experts && a.experts_per_token == b.experts_per_token &&
         a.shared_experts == b.shared_experts && a.expert_units == b.expert_units && a.gated == b.gated;
}

bool are_alike(const LayerGraph& graph, const Block& a, const Block& b) {
  if (a.end - a.first != b.end - b.first) return false;
  for (std::size_t i = 0; i < a.end - a.first; ++i) {
    if (!are_alike(graph.layers[a.first + i], graph.layers[b.first + i])) return false;
  }
  return true;
}

std::vector<std::size_t> deal_repeated(const BlockSequence& sequence, std::size_t chunks) {
  const auto is_repeated = [&](const Block& block) { return block.klass == sequence.repeated; };
  const auto& blocks = sequence.blocks;
  const auto before =
      static_cast<std::size_t>(std::find_if(blocks.begin(), blocks.end(), is_repeated) - blocks.begin());
  const std::size_t each = sequence.repeats / chunks;
  std::size_t left = sequence.repeats % chunks;
  std::vector<std::size_t> counts(chunks, each);
  // One more for chunks that have nothing else, from the second on.
  for (std::size_t chunk = 1; chunk + 1 < chunks && left > 0; ++chunk, --left) ++counts[chunk];
  for (std::size_t chunk = 0; chunk < chunks && left > 0; ++chunk, --left) ++counts[chunk];
  std::vector<std::size_t> starts = {0};
  std::size_t next = before;
  for (std::size_t chunk = 0; chunk + 1 < chunks; ++chunk) {
    std::size_t repeated = 0;
    while (repeated < counts[chunk]) repeated += is_repeated(blocks[next++]) ? 1 : 0;
    starts.push_back(next);
  }
  starts.push_back(blocks.size());
  return starts;
}

/// [chunk][first block]: what the heaviest of this chunk and those behind it weighs at least when they hold the blocks
/// from that one on.
std::vector<std::vector<double>> lightest_rests(std::size_t chunks, std::size_t blocks, const RunWeight& weight) {
  std::vector<std::vector<double>> rest(chunks + 1,
                                        std::vector<double>(blocks + 1, std::numeric_limits<double>::infinity()));
  rest[chunks][blocks] = 0;
  for (std::size_t chunk = chunks; chunk-- > 0;) {
    const std::size_t behind = chunks - chunk - 1;
    for (std::size_t first = chunk; first + behind < blocks; ++first) {
      double& least = rest[chunk][first];
      for (std::size_t end = first + 1; end + behind <= blocks; ++end) {
        const double run = weight(chunk, first, end);
        if (run >= least) break;  // a longer run is no lighter
        least = std::min(least, std::max(run, rest[chunk + 1][end]));
      }
    }
  }
  return rest;
}

std::vector<std::size_t> deal_evenly(std::size_t chunks, std::size_t blocks, const RunWeight& weight) {
  constexpr double rounding = 1e-9;  // equal runs summed in different order
  const std::vector<std::vector<double>> rest = lightest_rests(chunks, blocks, weight);
  const double limit = rest[0][0] * (1 + rounding);
  std::vector<std::size_t> starts = {0};
  for (std::size_t chunk = 0; chunk + 1 < chunks; ++chunk) {
    std::size_t longest = starts.back() + 1;
    for (std::size_t end = longest; end < blocks && weight(chunk, starts.back(), end) <= limit; ++end) {
      if (rest[chunk + 1][end] <= limit) longest = end;
    }
    starts.push_back(longest);
  }
  starts.push_back(blocks);
  return starts;
}

}  // namespace

BlockSequence blocks_of(const LayerGraph& graph) {
  BlockSequence sequence;
  std::vector<std::size_t> starts = recompute_segments(graph);
  starts.push_back(graph.layers.size());
  std::vector<std::size_t> counts;
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    Block block{starts[i], starts[i + 1], 0};
    const auto known = std::find_if(sequence.classes.begin(), sequence.classes.end(),
                                    [&](std::size_t other) { return are_alike(graph, sequence.blocks[other], block); });
    block.klass = static_cast<std::size_t>(known - sequence.classes.begin());
    if (known == sequence.classes.end()) {
      sequence.classes.push_back(i);
      counts.push_back(0);
    }
    ++counts[block.klass];
    sequence.blocks.push_back(block);
  }
  const auto most = std::max_element(counts.begin(), counts.end());
  sequence.repeated = static_cast<std::size_t>(most - counts.begin());
  sequence.repeats = *most;
  return sequence;
}

bool has_repeated_blocks(const BlockSequence& sequence) {
  return 2 * sequence.repeats > sequence.blocks.size();
}

bool divides_into(const BlockSequence& sequence, std::size_t chunks) {
  const std::size_t blocks = dealt_blocks(sequence);
  return blocks % chunks == 0 || (has_repeated_blocks(sequence) && (blocks + 2) % chunks == 0);
}

std::size_t dealt_blocks(const BlockSequence& sequence) {
  return has_repeated_blocks(sequence) ? sequence.repeats : sequence.blocks.size();
}

std::vector<std::size_t> deal_blocks(const BlockSequence& sequence, std::size_t chunks,
                                     const std::vector<double>& weights) {
  ORRERY_EXPECT(chunks >= 1 && chunks <= dealt_blocks(sequence) + (has_repeated_blocks(sequence) ? 2 : 0));
  if (has_repeated_blocks(sequence)) return deal_repeated(sequence, chunks);
  std::vector<double> before = {0};
  for (const double weight : weights) before.push_back(before.back() + weight);
  return deal_evenly(chunks, weights.size(), [&](std::size_t /*chunk*/, std::size_t first, std::size_t end) {
    return before[end] - before[first];
  });
}

std::vector<std::size_t> deal_blocks_by_time(std::size_t chunks, std::size_t blocks, const RunWeight& seconds) {
  ORRERY_EXPECT(chunks >= 1 && blocks >= chunks);
  return deal_evenly(chunks, blocks, seconds);
}

}  // namespace orrery
