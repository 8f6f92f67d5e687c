// What the fullest device of a layout must hold.
#include <algorithm>

#include "models/cost/cost_model.hpp"
#include "models/cost/pass_bytes.hpp"
#include "models/layouts/judge_state.hpp"
#include "models/layouts/schedules.hpp"

namespace orrery {
namespace {

/// Passes through chunks whose activations a stage keeps at once: 1F1B min(m, p - stage); interleaved 2 (p - stage - 1)
/// + (v - 1) p + 1 (Megatron-LM's warm-up and one), which on the first stage is 1 + (p - 1) / (p v) of all its layers
/// (Korthikanti et al. 2022); ZB-H1 min(m, p); GPipe all m.
double passes_kept(const Layout& layout, int stage, double count) {
  if (layout.pp == 1) return layout.interleave;
  if (layout.schedule == PipelineSchedule::gpipe) return count * layout.interleave;
  // The gradients of weights follow `stage` micro-batches later.
  if (layout.schedule == PipelineSchedule::zero_bubble) return std::min<double>(count, layout.pp);
  if (layout.interleave == 1) return std::min<double>(count, layout.pp - stage);
  const double warm_up = 2.0 * (layout.pp - stage - 1) + (layout.interleave - 1.0) * layout.pp;
  return std::min(count * layout.interleave, warm_up + 1.0);
}

/// Passes spread evenly over the chunks of the stage; of the loss one, but with GPipe, as it goes back at once.
Bytes kept_evenly(const std::vector<StageWork>& chunks, int stage, double count, const Layout& layout) {
  const double per_chunk = passes_kept(layout, stage, count) / layout.interleave;
  Bytes kept;
  for (auto at = static_cast<std::size_t>(stage); at < chunks.size(); at += static_cast<std::size_t>(layout.pp)) {
    kept += chunks[at].activations * per_chunk;
    if (layout.schedule != PipelineSchedule::gpipe) kept -= chunks[at].loss_block * std::max(0.0, per_chunk - 1.0);
  }
  return kept;
}

/// Unequal chunks: most that the stage keeps while it does its tasks. Warming up takes less than two rounds of
/// micro-batches, then every round is like the one before.
Bytes kept_at_most(const std::vector<StageWork>& chunks, int stage, double count, const Layout& layout) {
  const int some = std::min(static_cast<int>(count), 3 * layout.pp);
  Bytes kept, most;
  for (const Task& task : task_order(layout.schedule, stage, layout.pp, some, layout.interleave)) {
    const Bytes own = chunks[static_cast<std::size_t>(task.chunk * layout.pp + stage)].activations;
    kept = task.kind == Task::Kind::forward ? kept + own : kept - own;
    most = std::max(most, kept);
  }
  return most;
}

}  // namespace

LayoutMemory LayoutJudge::State::stage_memory(const std::vector<StageWork>& chunks,
                                              const std::vector<StageWork>& stages, int stage, double count,
                                              const Layout& layout) const {
  const StageWork& work = stages[static_cast<std::size_t>(stage)];
  const BytesPerParameter each = bytes_per_parameter(job_.precision, job_.optimizer, job_.framework);
  const int group = sharing_ranks(layout);
  const auto part = [&](int sharded_from, double shared, double of_experts) {
    if (layout.zero_stage < sharded_from) return shared + of_experts;
    return shared / group + of_experts / expert_sharers(layout, group);
  };
  const auto held = [&](int sharded_from, double bytes) {
    return Bytes(part(sharded_from, work.parameters, work.expert_parameters) * bytes);
  };
  const bool is_mixed = bytes_in_memory(job_.precision).value() < 4.0;
  const bool shards_while_running = layout.pp == 1;
  LayoutMemory memory;
  const int sharded_weights = shards_while_running ? 3 : 4;
  const bool are_shards = layout.zero_stage >= sharded_weights;
  const double weight = is_mixed && are_shards ? job_.framework.shard_bytes.value : each.weights;
  // What does not train has no other copy: fp32 shards stay.
  const double still = weight < each.weights ? 4.0 : each.weights;
  memory.states.weights = held(sharded_weights, weight) +
                          Bytes(part(sharded_weights, work.frozen_parameters, work.frozen_expert_parameters) * still);
  memory.states.gradients = held(shards_while_running ? 2 : 4, each.gradients);
  // Between islands: shared parameters and momentum in fp32.
  const double outer = layout.outer.islands > 1 ? 4.0 + 4.0 : 0.0;
  memory.states.optimizer = layout.offload == Offload::optimizer ? Bytes() : held(1, each.optimizer + outer);

  memory.states.activations = has_unequal_chunks(layout) ? kept_at_most(chunks, stage, count, layout)
                                                         : kept_evenly(chunks, stage, count, layout);
  // Blocks are computed again when the loss has gone back.
  memory.working = std::max(work.logit_gradients, work.largest_block - work.loss_block);
  if (layout.zero_stage == 3 && shards_while_running) {  // the block at work and the next, fetched ahead
    memory.working += bytes_in_memory(job_.precision) * (2.0 * work.largest_parameters);
  }
  memory.reserve = Bytes(job_.framework.reserve_GiB.value * gibi);
  return memory;
}

LayoutMemory LayoutJudge::State::fullest(const std::vector<StageWork>& chunks, const std::vector<StageWork>& stages,
                                         const Layout& layout) const {
  const auto count = static_cast<double>(microbatches(layout, job_.batch));
  LayoutMemory most = stage_memory(chunks, stages, 0, count, layout);
  for (int stage = 1; stage < layout.pp; ++stage) {
    const LayoutMemory other = stage_memory(chunks, stages, stage, count, layout);
    if (other.peak() > most.peak()) most = other;
  }
  return most;
}

LayoutMemory LayoutJudge::State::memory(const Layout& layout) {
  const std::vector<StageWork> chunks = chunks_of(plan_for(layout), layout);
  return fullest(chunks, stages_of(chunks, layout), layout);
}

}  // namespace orrery
