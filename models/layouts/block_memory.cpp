#include "models/layouts/block_memory.hpp"

#include <algorithm>
#include <vector>

#include "models/cost/attention_operators.hpp"
#include "models/cost/pass_bytes.hpp"
#include "sim/base/number.hpp"

namespace orrery {
namespace {

/// What the visits of the busiest rank beyond the mean keep (with a capacity filled slots, or fewer): per visit the
/// copies to and from an expert and what its products and its gate read; not the router's probabilities.
double unplanned_visits(const Layer& layer, double busiest_share, double work) {
  if (layer.kind != LayerKind::mixture_of_experts) return 0;
  Layer unvisited = layer;
  unvisited.experts_per_token = 0;
  const double visits = kept_for_backward(layer).own - kept_for_backward(unvisited).own;
  return visits * (busiest_share - 1.0) * work;
}

/// What experts write, per sample, visits of the busiest rank.
double expert_outputs(const Layer& layer, double busiest_share, double work) {
  if (layer.kind != LayerKind::mixture_of_experts) return 0;
  return number(layer.in.count() * layer.experts_per_token) * busiest_share * work;
}

/// Numbers that recomputation by operators keeps of a layer's output, per sample. Where the inner dimension is split a
/// product's output is a part of every sum, and with sequence parallelism the sum that is scattered is kept, too.
double saved_numbers(const Layer& layer, const LayerSplit& split, double saved, const Layout& layout) {
  const double out = number(layer.out.count());
  if (split.mode != SplitMode::row) return out * split.share.output * saved;
  return out * (saved + (layout.sequence_parallel == SequenceParallel::on ? 1.0 / layout.tp : 0.0));
}

/// Per sample, of the last layer of a block, at so many bytes each.
Bytes logits_of(const Layer& last, double bytes, double work) {
  if (last.kind != LayerKind::softmax_cross_entropy) return {};
  return Bytes(kept_for_backward(last).own * bytes * work);
}

/// Per sample.
Bytes scores_of(const Layer& layer, Precision precision, double work) {
  if (!attends(layer.kind)) return {};
  const KeptForBackward kept = kept_for_backward(layer);
  return Bytes((kept.own * bytes_in_memory(precision).value() + kept.masks) * work);
}

}  // namespace

double cast_operand_bytes(const TrainingJob& job) {
  const Bytes width = bytes_in_memory(job.precision);
  const double operand = job.framework.kept_operand_bytes.value;  // one byte: a copy as it was cast
  return bytes_per_number(job.precision) < width && operand < width.value() ? operand : 0.0;
}

KeptInBlock kept_in(const Block& block, const TrainingJob& job, const BlockShares& shares, const Layout& layout,
                    const LayerMarks& marks) {
  if (!block.has_backward) return {};
  const LayerGraph& graph = job.network;
  const Bytes width = bytes_in_memory(job.precision);
  const double samples = number(layout.microbatch) * job.computed_tokens / layout.cp;
  std::vector<Share> kept(graph.layers.size(), Share{0, 0, 0});
  const bool keeps_outputs = job.framework.kept_expert_outputs.value > 0.5;
  Bytes scores, fused_scores, slots, raised, unkept, saved;
  for (std::size_t i = block.first; i < block.end; ++i) {
    const Layer& layer = graph.layers[i];
    kept[i] = shares.kept_of(layer);
    if (!marks.has_backward[i]) continue;
    const Bytes scored_here = scores_of(layer, job.precision, kept[i].work) * samples;
    scores += scored_here;
    if (is_fused(layer, job.framework)) fused_scores += scored_here;
    saved += width * (saved_numbers(layer, shares.split_of(i), marks.saved[i], layout) * samples);
    if (is_latent(layer)) raised += width * (number(layer.in.count()) * kept[i].input * samples);
    slots += width * (unplanned_visits(layer, shares.busiest_share(), kept[i].work) * samples);
    if (!keeps_outputs) unkept += width * (expert_outputs(layer, shares.busiest_share(), kept[i].work) * samples);
  }
  const InFlight one{samples, 1, Recompute::none, cast_operand_bytes(job)};
  // Of tokens that reach the loss; one that works on the logits piece by piece keeps none of them.
  const Layer& last = graph.layers[block.end - 1];
  const bool are_whole = job.framework.whole_logits.value > 0.5;
  const double scored = are_whole ? shares.samples(last) / layout.cp : 0.0;
  const double logit_share = kept[block.end - 1].work;
  const FrameworkProfile& software = job.framework;
  const Ranged& gradient =
      shares.has_split_logits(last) ? software.split_logit_gradient_bytes : software.logit_gradient_bytes;
  const double kept_logit = std::max(software.kept_logit_bytes.value, width.value());
  unkept += logits_of(last, std::max(4.0, width.value()), logit_share) * samples;
  unkept -= logits_of(last, kept_logit, logit_share) * scored;
  const Bytes all = estimate_memory(graph, kept, one, job.precision, job.optimizer).activations + slots - unkept;
  const double entering =
      block.first == 0 ? 0.0 : number(graph.layers[block.first].in.count()) * kept[block.first].input;
  const Bytes entered = width * (entering * samples);
  return {all - fused_scores, all - scores - raised, entered + saved, entered,
          logits_of(last, gradient.value, logit_share) * scored};
}

}  // namespace orrery
