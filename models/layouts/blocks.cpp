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

/// What each block weighs in each chunk.
struct ChunkWeights {
  const std::vector<std::vector<double>>& rows;  // one for each chunk, or one for all
  std::size_t chunks;
  [[nodiscard]] std::size_t blocks() const { return rows.front().size(); }
  [[nodiscard]] double of(std::size_t chunk, std::size_t block) const {
    return rows[std::min(chunk, rows.size() - 1)][block];
  }
};

/// Fewest chunks of weight at most `limit`, as their starts.
std::vector<std::size_t> fill(const ChunkWeights& weights, double limit) {
  std::vector<std::size_t> starts = {0};
  double held = 0;
  for (std::size_t i = 0; i < weights.blocks(); ++i) {
    const std::size_t behind = weights.blocks() - i, open = weights.chunks - starts.size();
    if (i > starts.back() && (held + weights.of(starts.size() - 1, i) > limit || behind == open)) {
      starts.push_back(i);
      held = 0;
    }
    held += weights.of(starts.size() - 1, i);
  }
  return starts;
}

/// Whether no chunk weighs more than `limit` when filled up to it.
bool is_within(const ChunkWeights& weights, double limit) {
  std::vector<std::size_t> starts = fill(weights, limit);
  if (starts.size() > weights.chunks) return false;
  starts.push_back(weights.blocks());
  for (std::size_t chunk = 0; chunk + 1 < starts.size(); ++chunk) {
    double held = 0;
    for (std::size_t i = starts[chunk]; i < starts[chunk + 1]; ++i) held += weights.of(chunk, i);
    if (held > limit) return false;
  }
  return true;
}

std::vector<std::size_t> deal_evenly(const ChunkWeights& weights) {
  double low = 0, high = 0;
  for (std::size_t block = 0; block < weights.blocks(); ++block) {
    double least = weights.of(0, block), most = least;
    for (std::size_t chunk = 1; chunk < weights.rows.size(); ++chunk) {
      least = std::min(least, weights.of(chunk, block)), most = std::max(most, weights.of(chunk, block));
    }
    low = std::max(low, least);
    high += most;
  }
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (is_within(weights, middle) ? high : low) = middle;
  }
  std::vector<std::size_t> starts = fill(weights, high);
  starts.push_back(weights.blocks());
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
  const std::vector<std::vector<double>> for_all = {weights};
  return deal_evenly({for_all, chunks});
}

std::vector<std::size_t> deal_blocks_by_time(const std::vector<std::vector<double>>& seconds) {
  ORRERY_EXPECT(!seconds.empty() && seconds.front().size() >= seconds.size());
  return deal_evenly({seconds, seconds.size()});
}

}  // namespace orrery
