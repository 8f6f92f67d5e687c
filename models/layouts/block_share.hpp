// The part of a block's layers that one rank of a layout works on and keeps.
#pragma once

#include "models/cost/memory.hpp"
#include "models/cost/operators.hpp"
#include "models/layouts/layout.hpp"
#include "models/layouts/tensor_split.hpp"
#include "models/layouts/training_job.hpp"

namespace orrery {

/// The share of a sample's tokens that a layer works on: padding and, from the head on, unmasked tokens left out where
/// the job does.
double tokens_of(const TrainingJob& job, const Layer& layer);

/// `split`: of the whole graph over layout.tp devices (empty for tp = 1). All that it is made of must outlive it.
class BlockShares {
 public:
  BlockShares(const TrainingJob& job, const TensorSplit& split, const Layout& layout)
      : job_(job), split_(split), layout_(layout) {}

  [[nodiscard]] const LayerSplit& split_of(std::size_t layer) const;
  /// The logits stay split over the vocabulary: their loss exchanges sums only (Megatron-LM).
  [[nodiscard]] bool has_split_logits(const Layer& layer) const;
  /// Whether backward gathers the inputs of column layers once more, of which a rank keeps its own part alone.
  [[nodiscard]] bool gathers_again() const;
  /// The products of the logits, just before the loss.
  [[nodiscard]] bool is_head(const Layer& layer) const;
  /// product_precision() of the job.
  [[nodiscard]] Precision precision_of(const Layer& layer) const;
  /// Of one micro-batch, padding and unmasked tokens left out where the job does.
  [[nodiscard]] double samples(const Layer& layer) const;
  /// Visits of the busiest rank / mean; ranks that have all experts have as many. With a capacity the slots are filled
  /// up, and what exceeds them is dropped.
  [[nodiscard]] double busiest_share() const;
  /// Of all ranks together: imbalance moves visits from rank to rank, slots are sent filled up.
  [[nodiscard]] double mean_share() const;
  /// What the rank computes of a layer.
  [[nodiscard]] OperatorShare of(const Layer& layer) const;
  /// What it keeps of one.
  [[nodiscard]] Share kept_of(const Layer& layer) const;

 private:
  void deal_experts(const Layer& layer, OperatorShare& share) const;

  const TrainingJob& job_;
  const TensorSplit& split_;
  const Layout& layout_;
};

}  // namespace orrery
