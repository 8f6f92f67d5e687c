#include "models/layouts/judge_state.hpp"

#include <algorithm>
#include <utility>

#include "models/cost/attention_operators.hpp"
#include "models/cost/framework_kernels.hpp"
#include "models/cost/layer_cost.hpp"
#include "models/cost/pass_bytes.hpp"
#include "models/layouts/block_share.hpp"
#include "models/layouts/hidden_exchange.hpp"
#include "models/layouts/selective_layers.hpp"

namespace orrery {
namespace {

/// Whether full recomputation runs a block again: not the last (the head), nor one without products (embeddings).
bool has_products(const LayerGraph& graph, const Block& block) {
  for (std::size_t i = block.first; i < block.end; ++i) {
    if (layer_cost(graph.layers[i]).forward > Flops(0)) return true;
  }
  return false;
}

/// `again`: times that the forward pass runs once more.
PassBytes sent_in(const PassBytes& block, double again, double times) {
  return {block.forward * times, block.backward * times, block.forward * again};
}

/// Of a layer's products, those of visits that find no slot, were the others dealt out evenly.
double share_dropped(const Layer& layer, double capacity_factor) {
  if (layer.kind != LayerKind::mixture_of_experts || capacity_factor <= 0 || capacity_factor >= 1) return 0;
  const auto visits = static_cast<double>(layer.experts_per_token);
  return (1.0 - capacity_factor) * visits / (visits + static_cast<double>(layer.shared_experts));
}

}  // namespace

LayoutJudge::State::State(TrainingJob job)
    : job_(std::move(job)), sequence_(blocks_of(job_.network)), marks_(marks_of(job_.network, job_.framework)) {
  for (int devices = 1; devices <= job_.cluster.devices_per_node; ++devices) paths_.push_back(paths_of(job_, devices));
  const LayerGraph& graph = job_.network;
  for (const Block& block : sequence_.blocks) {
    const bool again = may_run_again(block.klass);
    for (std::size_t i = block.first; i < block.end; ++i) {
      const Layer& layer = graph.layers[i];
      const LayerCost cost = layer_cost(layer);
      const double computed = tokens_of(job_, layer) * (1.0 - share_dropped(layer, job_.capacity_factor));
      const double executed = computed * executed_share(layer, job_.framework);
      const Flops passes = cost.forward + (marks_.has_backward[i] ? cost.backward : Flops());
      training_flops_ += passes * computed, executed_flops_ += passes * executed;
      if (again) recomputed_flops_ += cost.forward * executed;
      if (again) operators_flops_ += cost.forward * ((1.0 - marks_.saved[i]) * executed);
      if (marks_.is_selective[i] && block.has_backward) core_flops_ += cost.forward * executed;
    }
  }
  note_tied_weights();
  kept_again_ = tensors_kept_again(job_, sequence_.blocks, marks_);
}

const TensorSplit& LayoutJudge::State::split_for(int tp) {
  const auto [at, is_new] = splits_.try_emplace(tp);
  if (is_new && tp > 1) at->second = split_tensor(job_.network, tp);
  return at->second;
}

LayoutJudge::State::PriceKey LayoutJudge::State::key_of(std::int64_t first, const Layout& layout) const {
  PriceKey key{first,
               layout.tp,
               layout.cp,
               layout.ep,
               expert_tensor_degree(layout),
               layout.microbatch,
               layout.sequence_parallel == SequenceParallel::on ? 1 : 0,
               devices_at_once(layout)};
  // The order of dimensions only moves groups over nodes: what a block's exchanges see of it is their group's place.
  constexpr int half = 32;
  std::size_t next = 8;
  for (const Dimension each : {Dimension::tp, Dimension::cp, Dimension::ep}) {
    const GroupPlace place = place_of(layout, each, job_.cluster.joined_devices());
    key[next++] = (std::int64_t{place.nodes_apart} << half) + place.per_node;
    key[next++] = (std::int64_t{place.devices_there} << half) + place.fewest;
  }
  return key;
}

int LayoutJudge::State::devices_at_once(const Layout& layout) const {
  return static_cast<int>(std::min<std::int64_t>(layout.devices(), job_.cluster.devices_per_node));
}

const Paths& LayoutJudge::State::paths_for(const Layout& layout) const {
  return paths_[static_cast<std::size_t>(devices_at_once(layout) - 1)];
}

const BlockPrice& LayoutJudge::State::price_of(std::size_t klass, const Layout& layout) {
  const PriceKey key = key_of(static_cast<std::int64_t>(klass), layout);
  const auto known = prices_.find(key);
  if (known != prices_.end()) return known->second;
  const Block& block = sequence_.blocks[sequence_.classes[klass]];
  return prices_.emplace(key, price_block(job_, block, split_for(layout.tp), layout, paths_for(layout), marks_))
      .first->second;
}

bool LayoutJudge::State::may_run_again(std::size_t klass) const {
  const Block& block = sequence_.blocks[sequence_.classes[klass]];
  const bool is_last = klass == sequence_.blocks.back().klass;
  return !is_last && block.has_backward && has_products(job_.network, block);
}

const PartAgain* LayoutJudge::State::part_again(std::size_t klass, const BlockPrice& price,
                                                const Layout& layout) const {
  if (layout.recompute == Recompute::selective) return &price.selective;
  return layout.recompute == Recompute::operators && may_run_again(klass) ? &price.operators : nullptr;
}

double LayoutJudge::State::exchanged_again(const Layout& layout) const {
  if (layout.sequence_parallel == SequenceParallel::off) return 0.5;
  const double gathered = bytes_per_number(job_.precision).value(), summed = bytes_in_memory(job_.precision).value();
  return gathered / (gathered + summed);
}

void LayoutJudge::State::add_recomputed(StageWork& work, HostKernels& kernels, std::size_t klass, double times,
                                        const Layout& layout) {
  const FrameworkProfile& framework = job_.framework;
  const BlockPrice& price = price_of(klass, layout);
  const double whole_share = share_of_blocks(layout.recompute);
  const double again = whole_share > 0 && may_run_again(klass) ? times * whole_share : 0.0;
  const PartAgain* part = part_again(klass, price, layout);
  const bool by_operators = part == &price.operators;
  const double exchanged = by_operators ? times * exchanged_again(layout) : again;
  const double attended = by_operators && part->attends ? times : again;
  const double dispatched = by_operators ? times : again;
  work.recompute += (price.forward - price.last_product * framework.recompute_early_stop.value) * again;
  const Seconds computed = price.forward * again;
  Seconds cover = part != nullptr ? std::max(computed, part->time * times) : computed;
  const ExchangeParts tensor =
      beside(price.tensor_forward * exchanged, tensor_hidden(framework, layout).forward, cover);
  work.tensor_recompute += tensor.shown, work.tensor_hidden_backward += tensor.hidden;
  work.context_recompute += price.context_forward * attended;
  const ExchangeParts expert = beside(price.expert_forward * dispatched, framework.expert_overlap.value, cover);
  work.expert_recompute += expert.shown, work.expert_hidden_backward += expert.hidden;
  work.tensor_sent += sent_in(price.tensor_sent, exchanged, times);
  work.context_sent += sent_in(price.context_sent, attended, times);
  work.expert_sent += sent_in(price.expert_sent, dispatched, times);
  const Seconds waits(framework.checkpoint_wait_ms.value * 1e-3 * again);
  work.backward_input += waits, work.gaps += waits;
  kernels.again += price.forward_kernels * again;
  kernels.experts_again += price.experts * dispatched;
  if (part != nullptr) {
    work.recompute += (part->time - part->last_product * framework.recompute_early_stop.value) * times;
    kernels.again += part->kernels * times;
  }
  const Bytes whole = part != nullptr ? part->kept : price.kept;
  work.activations += whole * (times - again) + price.kept_full * again;
  if (again > 0) work.largest_block = std::max(work.largest_block, price.kept);
  if (by_operators) work.largest_block = std::max(work.largest_block, price.kept - whole);
  if (klass == sequence_.blocks.back().klass) work.loss_block += whole, work.logit_gradients += price.logit_gradients;
}

StageWork LayoutJudge::State::work_of(const std::uint32_t* counts, std::size_t last, const Layout& layout) {
  HostKernels kernels;
  StageWork work = work_without_host(counts, last, layout, kernels);
  const Seconds forward = host_pass(work.forward_time(), kernels.forward_time(job_.framework), job_.framework);
  const Seconds backward = host_pass(work.backward_time(), kernels.backward_time(job_.framework), job_.framework);
  const Seconds ahead = work.forward_time() - forward, ahead_back = work.backward_time() - backward;
  work.late = std::max(Seconds(), ahead * -1.0), work.late_back = std::max(Seconds(), ahead_back * -1.0);
  work.lead = std::max(Seconds(), ahead) + std::max(Seconds(), ahead_back);
  return work;
}

StageWork LayoutJudge::State::work_without_host(const std::uint32_t* counts, std::size_t last, const Layout& layout,
                                                HostKernels& kernels) {
  StageWork work;
  work.boundary_numbers = price_of(last, layout).boundary_numbers;
  work.returned = share_returned(job_.network, sequence_.blocks[sequence_.classes[last]]);
  const FrameworkProfile& framework = job_.framework;
  const TensorHidden hidden = tensor_hidden(framework, layout);
  const double expert_hidden = framework.expert_overlap.value;
  for (std::size_t klass = 0; klass < sequence_.classes.size(); ++klass) {
    if (counts[klass] == 0) continue;
    const double times = counts[klass];
    const BlockPrice& price = price_of(klass, layout);
    work.forward += price.forward * times;
    work.backward_input += price.backward_input * times;
    work.backward_weights += price.backward_weights * times;
    work.gaps += price.launches * times, work.weight_tensors += price.weight_tensors * times;
    work.expert_weight_tensors += price.expert_weight_tensors * times;
    add_recomputed(work, kernels, klass, times, layout);
    Seconds cover = price.forward * times, cover_back = (price.backward_input + price.backward_weights) * times;
    const ExchangeParts tensor = beside(price.tensor_forward * times, hidden.forward, cover);
    const ExchangeParts tensor_back = beside(price.tensor_backward * times, hidden.backward, cover_back);
    const ExchangeParts again =
        beside(price.gather_again * times, 1.0 - framework.gather_again_exposed.value, cover_back);
    work.tensor_forward += tensor.shown, work.tensor_hidden += tensor.hidden;
    work.tensor_backward += tensor_back.shown + again.shown;
    work.tensor_hidden_backward += tensor_back.hidden + again.hidden;
    work.context_forward += price.context_forward * times, work.context_backward += price.context_backward * times;
    const ExchangeParts expert = beside(price.expert_forward * times, expert_hidden, cover);
    const ExchangeParts expert_back = beside(price.expert_backward * times, expert_hidden, cover_back);
    work.expert_forward += expert.shown, work.expert_hidden += expert.hidden;
    work.expert_backward += expert_back.shown, work.expert_hidden_backward += expert_back.hidden;
    work.parameters += price.parameters * times, work.expert_parameters += price.expert_parameters * times;
    work.frozen_parameters += price.frozen_parameters * times;
    work.frozen_expert_parameters += price.frozen_expert_parameters * times;
    work.largest_parameters =
        std::max(work.largest_parameters,
                 price.parameters + price.expert_parameters + price.frozen_parameters + price.frozen_expert_parameters);
    work.blocks += counts[klass];
    kernels.experts += price.experts * times;
    if (sequence_.blocks[sequence_.classes[klass]].has_backward) {
      kernels.experts_back += price.experts * times;
    } else {
      work.forward_parameters += (price.frozen_parameters + price.frozen_expert_parameters) * times;
    }
    kernels.forward += price.forward_kernels * times, kernels.backward += price.backward_kernels * times;
  }
  if (counts[sequence_.blocks.back().klass] > 0) add_tied_copy(work, layout);
  work.backward_weights += gradient_sums(work);
  return work;
}

std::vector<StageWork> LayoutJudge::State::chunks_of(const ChunkPlan& plan, const Layout& layout) {
  const std::size_t classes = sequence_.classes.size();
  std::vector<StageWork> chunks;
  chunks.reserve(plan.last.size());
  for (std::size_t chunk = 0; chunk < plan.last.size(); ++chunk) {
    const std::uint32_t* counts = plan.counts.data() + chunk * classes;
    // Neighbours are mostly equal.
    const bool as_before =
        chunk > 0 && plan.last[chunk] == plan.last[chunk - 1] && std::equal(counts, counts + classes, counts - classes);
    chunks.push_back(as_before ? chunks.back() : work_of(counts, plan.last[chunk], layout));
  }
  leave_out_kept_again(chunks, plan, layout);
  return chunks;
}

std::vector<StageWork> LayoutJudge::State::stages_of(const std::vector<StageWork>& chunks, const Layout& layout) {
  const auto stages = static_cast<std::size_t>(layout.pp);
  std::vector<StageWork> sums(chunks.begin(), chunks.begin() + layout.pp);
  for (std::size_t chunk = stages; chunk < chunks.size(); ++chunk) sums[chunk % stages] += chunks[chunk];
  return sums;
}

}  // namespace orrery
