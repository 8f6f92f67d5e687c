#include "models/layouts/kept_again.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "models/cost/framework_kernels.hpp"
#include "models/cost/layer_cost.hpp"
#include "models/layouts/block_memory.hpp"
#include "models/layouts/judge_state.hpp"
#include "sim/base/number.hpp"

namespace orrery {
namespace {

using Keeper = KeptAgain::Keeper;

class KeptTensors {
 public:
  explicit KeptTensors(const TrainingJob& job)
      : graph_(job.network), casts_operands_(cast_operand_bytes(job) > 0), latest_(graph_.layers.size() + 1) {
    for (const Layer& layer : graph_.layers) {
      written_.push_back(is_view(layer.kind) ? read_by(layer.input) : layer.id.index() + 1);
    }
  }

  void keep(std::size_t block, std::size_t index) {
    const Layer& layer = graph_.layers[index];
    const KeptForBackward kept = kept_for_backward(layer);
    if (kept.input && !keeps_copy(layer)) {
      note(read_by(layer.input), {block, index, &Share::input, number(layer.in.count())});
    }
    if (kept.second) {
      const Layer& second = graph_.layers[layer.skip.index()];
      note(read_by(layer.skip), {block, index, &Share::input, number(second.out.count())});
    }
    if (kept.output) note(written_[index], {block, index, &Share::output, number(layer.out.count())});
  }

  [[nodiscard]] const std::vector<KeptAgain>& again() const { return again_; }

 private:
  /// Tensor 0 is the network's input, a view's output its input.
  [[nodiscard]] std::size_t read_by(LayerId input) const { return input.valid() ? written_[input.index()] : 0; }

  /// A product's input as it was cast, which nobody else reads.
  [[nodiscard]] bool keeps_copy(const Layer& layer) const {
    return casts_operands_ && layer.kind == LayerKind::dense && !layer.frozen && !is_head(graph_, layer);
  }

  void note(std::size_t tensor, const Keeper& keeper) {
    std::optional<Keeper>& latest = latest_[tensor];
    if (latest && latest->block == keeper.block) return;
    if (latest) again_.push_back({*latest, keeper});
    latest = keeper;
  }

  const LayerGraph& graph_;
  bool casts_operands_;
  std::vector<std::size_t> written_;           // by each layer
  std::vector<std::optional<Keeper>> latest_;  // of each tensor
  std::vector<KeptAgain> again_;
};

/// Of two neighbours that would keep the same tensor, how many pairs do: not where one of them keeps its inputs alone,
/// which it shares with nobody. Of every second block the inputs: one of each pair keeps all of it, and holds the
/// other's input.
double share_kept(Recompute recompute) {
  return recompute == Recompute::operators ? 0.0 : 1.0 - share_of_blocks(recompute);
}

}  // namespace

std::vector<KeptAgain> tensors_kept_again(const TrainingJob& job, const std::vector<Block>& blocks,
                                          const LayerMarks& marks) {
  KeptTensors kept(job);
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    for (std::size_t layer = blocks[block].first; layer < blocks[block].end; ++layer) {
      if (marks.has_backward[layer]) kept.keep(block, layer);
    }
  }
  return kept.again();
}

/// The first block of a chunk keeps what it is sent, though the stage before may keep it, too.
void LayoutJudge::State::leave_out_kept_again(std::vector<StageWork>& chunks, const ChunkPlan& plan,
                                              const Layout& layout) {
  const double share = share_kept(layout.recompute);
  if (kept_again_.empty() || share <= 0) return;
  const BlockShares shares(job_, split_for(layout.tp), layout);
  const auto numbers_of = [&](const Keeper& keeper) {
    return keeper.numbers * (shares.kept_of(job_.network.layers[keeper.layer]).*keeper.part);
  };
  const double samples = number(layout.microbatch) * job_.computed_tokens / layout.cp;
  const Bytes each = bytes_in_memory(job_.precision) * (samples * share);
  for (const KeptAgain& tensor : kept_again_) {
    const auto behind = std::upper_bound(plan.starts.begin(), plan.starts.end(), tensor.here.block);
    const auto chunk = static_cast<std::size_t>(behind - plan.starts.begin()) - 1;
    if (tensor.before.block < plan.starts[chunk]) continue;
    const Bytes twice = each * std::min(numbers_of(tensor.before), numbers_of(tensor.here));
    chunks[chunk].activations -= twice;
    if (tensor.here.block + 1 == sequence_.blocks.size()) chunks[chunk].loss_block -= twice;
  }
}

}  // namespace orrery
