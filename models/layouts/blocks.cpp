#include "models/layouts/blocks.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "models/networks/segments.hpp"
#include "sim/base/number.hpp"

namespace orrery {
namespace {

/// shapes: whatever attention sees, and whatever trains.
enum class Likeness : std::uint8_t { whole, shapes };

bool are_alike(const Layer& a, const Layer& b, Likeness likeness) {
  if (likeness == Likeness::whole && (a.window != b.window || a.frozen != b.frozen)) return false;
  return a.kind == b.kind && a.in == b.in && a.out == b.out && a.kernel == b.kernel && a.stride == b.stride &&
         a.groups == b.groups && a.heads == b.heads && a.kv_heads == b.kv_heads && a.head_size == b.head_size &&
         a.value_size == b.value_size && a.shared_size == b.shared_size && a.causal == b.causal && a.sinks == b.sinks &&
         a.rate == b.rate && a.vocabulary == b.vocabulary && a.positions == b.positions && a.segments == b.segments &&
         a.bias == b.bias && a.tied == b.tied && a.experts == b.experts && a.experts_per_token == b.experts_per_token &&
         a.shared_experts == b.shared_experts && a.expert_units == b.expert_units && a.gated == b.gated &&
         a.expert_groups == b.expert_groups && a.groups_per_token == b.groups_per_token && a.queries == b.queries &&
         a.distance_size == b.distance_size;
}

/// Blocks of one network. Of two with the same layers frozen one may have a longer backward pass: where something
/// trains below it.
class BlockComparison {
 public:
  explicit BlockComparison(const LayerGraph& graph) : graph_(graph), needs_(needs_gradient(graph)) {}

  [[nodiscard]] bool are_alike(const Block& a, const Block& b, Likeness likeness) const {
    if (a.end - a.first != b.end - b.first || a.carried != b.carried) return false;
    if (likeness == Likeness::whole && !train_alike(a, b)) return false;
    for (std::size_t i = 0; i < a.end - a.first; ++i) {
      if (!orrery::are_alike(graph_.layers[a.first + i], graph_.layers[b.first + i], likeness)) return false;
    }
    return true;
  }

  /// Between two cuts.
  [[nodiscard]] Block block_between(const NetworkCut& cut, const NetworkCut& next) const {
    Block block;
    block.first = cut.first, block.end = next.first, block.carried = next.carried, block.returned = next.returned;
    block.has_backward = false;
    for (std::size_t i = block.first; i < block.end; ++i) block.has_backward = block.has_backward || needs_[i];
    if (needs_[block.end - 1]) block.returned += graph_.layers[block.end - 1].out.count();
    return block;
  }

 private:
  [[nodiscard]] bool train_alike(const Block& a, const Block& b) const {
    const auto needs_of = [this](const Block& block) {
      return needs_.begin() + static_cast<std::ptrdiff_t>(block.first);
    };
    const auto layers = static_cast<std::ptrdiff_t>(a.end - a.first);
    return a.returned == b.returned && std::equal(needs_of(a), needs_of(a) + layers, needs_of(b));
  }

  const LayerGraph& graph_;
  std::vector<bool> needs_;
};

/// Ends of a transformer are no blocks like the others: they take or hand on something else.
void mark_ends(const LayerGraph& graph, BlockSequence& sequence) {
  if (!has_repeated_blocks(sequence)) return;
  const Block& repeated = sequence.blocks[sequence.classes[sequence.repeated]];
  for (Block& block : sequence.blocks) {
    block.is_dealt = graph.layers[block.first].in == graph.layers[repeated.first].in &&
                     graph.layers[block.end - 1].out == graph.layers[repeated.end - 1].out;
  }
}

}  // namespace

BlockSequence blocks_of(const LayerGraph& graph) {
  BlockSequence sequence;
  std::vector<NetworkCut> cuts = device_cuts(graph);
  cuts.push_back({graph.layers.size()});
  const BlockComparison comparison(graph);
  std::vector<std::size_t> counts;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    Block block = comparison.block_between(cuts[i], cuts[i + 1]);
    block.klass = block.kin = sequence.classes.size();
    for (std::size_t klass = sequence.classes.size(); klass-- > 0;) {
      const Block& other = sequence.blocks[sequence.classes[klass]];
      if (comparison.are_alike(other, block, Likeness::shapes)) block.kin = other.kin;
      if (comparison.are_alike(other, block, Likeness::whole)) block.klass = klass;
    }
    if (block.klass == sequence.classes.size()) {
      sequence.classes.push_back(i);
      counts.push_back(0);
    }
    ++counts[block.kin];
    sequence.blocks.push_back(block);
  }
  const auto most = std::max_element(counts.begin(), counts.end());
  sequence.repeated = static_cast<std::size_t>(most - counts.begin());
  sequence.repeats = *most;
  mark_ends(graph, sequence);
  return sequence;
}

double share_returned(const LayerGraph& graph, const Block& block) {
  const std::int64_t all = graph.layers[block.end - 1].out.count() + block.carried;
  return all > 0 ? number(block.returned) / number(all) : 1.0;
}

bool has_repeated_blocks(const BlockSequence& sequence) {
  return 2 * sequence.repeats > sequence.blocks.size();
}

bool divides_into(const BlockSequence& sequence, std::size_t chunks) {
  const std::size_t blocks = dealt_blocks(sequence);
  return blocks % chunks == 0 || (has_repeated_blocks(sequence) && (blocks + 2) % chunks == 0);
}

std::size_t dealt_blocks(const BlockSequence& sequence) {
  return static_cast<std::size_t>(
      std::count_if(sequence.blocks.begin(), sequence.blocks.end(), [](const Block& block) { return block.is_dealt; }));
}

}  // namespace orrery
