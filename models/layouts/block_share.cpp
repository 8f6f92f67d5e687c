#include "models/layouts/block_share.hpp"

#include <algorithm>

#include "models/cost/framework_kernels.hpp"
#include "sim/base/number.hpp"

namespace orrery {

const LayerSplit& BlockShares::split_of(std::size_t layer) const {
  static const LayerSplit whole;
  return split_.layers.empty() ? whole : split_.layers[layer];
}

bool BlockShares::has_split_logits(const Layer& layer) const {
  return layout_.tp > 1 && is_loss(layer.kind) && layer.input.valid() &&
         split_of(layer.input.index()).mode == SplitMode::column;
}

double tokens_of(const TrainingJob& job, const Layer& layer) {
  const bool is_last = layer.id.index() + 1 == job.network.layers.size();
  return is_last || is_head(job.network, layer) ? job.head_tokens : job.computed_tokens;
}

bool BlockShares::gathers_again() const {
  return layout_.sequence_parallel == SequenceParallel::on && job_.framework.kept_gathered.value < 0.5;
}

bool BlockShares::is_head(const Layer& layer) const {
  return orrery::is_head(job_.network, layer);
}

Precision BlockShares::precision_of(const Layer& layer) const {
  return product_precision(job_.precision, job_.network, layer);
}

double BlockShares::samples(const Layer& layer) const {
  return number(layout_.microbatch) * tokens_of(job_, layer);
}

OperatorShare BlockShares::of(const Layer& layer) const {
  const LayerSplit& split = split_of(layer.id.index());
  OperatorShare share = whole_layer(layer, samples(layer), job_.framework);
  share.context = layer.in.height > 1 ? 1.0 / layout_.cp : 1.0;
  const double region = layout_.sequence_parallel == SequenceParallel::on ? 1.0 / layout_.tp : 1.0;
  switch (split.mode) {
    case SplitMode::row:
      share.input = split.share.input;
      share.cast_output = region;
      break;
    case SplitMode::column:
      share.work = split.share.work;
      share.cast_input = region;
      break;
    case SplitMode::channelwise:
      share.work = split.share.work;
      break;
    case SplitMode::vocabulary:
    case SplitMode::replicated:
      share.region = region;
      break;
  }
  if (has_split_logits(layer)) share.work = 1.0 / layout_.tp;
  if (layer.kind == LayerKind::mixture_of_experts) deal_experts(layer, share);
  return share;
}

/// Every rank of an expert-parallel group sends its visits out and works on as many for the others. The inner width of
/// shared experts is split over the tensor-parallel group, that of the others over the ranks of an expert: with one of
/// them the tensor-parallel ranks route their own tokens each, else all the same.
void BlockShares::deal_experts(const Layer& layer, OperatorShare& share) const {
  const double tokens = share.samples * number(layer.in.height) * share.context;
  const double split = expert_tensor_degree(layout_);
  share.experts = number(layer.experts) / layout_.ep;
  // An all-to-all leaves visits by the rank that they came from.
  const bool is_sorted_here = layout_.ep > 1 && share.experts > 1 && job_.framework.node_dispatch.value < 0.5;
  share.reorders = is_sorted_here ? 2 : 1;
  share.region = split / layout_.tp;
  share.expert_visits = tokens * share.region * number(layer.experts_per_token) * busiest_share();
  share.work = 1.0 / split;
  share.shared_work = 1.0 / layout_.tp;
}

double BlockShares::busiest_share() const {
  if (job_.capacity_factor > 0) return job_.capacity_factor;
  return layout_.ep > 1 ? job_.expert_imbalance : 1.0;
}

double BlockShares::mean_share() const {
  return job_.capacity_factor > 0 ? job_.capacity_factor : 1.0;
}

Share BlockShares::kept_of(const Layer& layer) const {
  const LayerSplit& split = split_of(layer.id.index());
  if (layout_.tp == 1) return {};
  const double part = 1.0 / layout_.tp;
  const double region = layout_.sequence_parallel == SequenceParallel::on ? part : 1.0;
  if (has_split_logits(layer) || layer.kind == LayerKind::mixture_of_experts) return {part, part, part};
  switch (split.mode) {
    case SplitMode::column:
      return {part, gathers_again() ? region : 1.0, part};
    case SplitMode::row:
      return {part, part, region};
    case SplitMode::channelwise:
      return {part, part, part};
    case SplitMode::vocabulary:
    case SplitMode::replicated:
      return {region, region, region};
  }
  return {};
}

}  // namespace orrery
