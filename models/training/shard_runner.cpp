#include "models/training/shard_runner.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "models/kernels/all_finite.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

std::span<float> first_of(AlignedVector& numbers, std::size_t count) {
  return std::span<float>(numbers).first(count);
}

/// The part of a layer's sums that its forward pass needs.
std::span<const double> forward_part(const BatchSums& totals, std::size_t layer) {
  if (layer >= totals.size()) return {};
  return std::span<const double>(totals[layer]).first(totals[layer].size() / 2);
}

std::span<const double> both_parts(const BatchSums& totals, std::size_t layer) {
  return layer < totals.size() ? std::span<const double>(totals[layer]) : std::span<const double>();
}

}  // namespace

Batch Batch::part(std::size_t first, std::size_t count) const {
  const auto slice = [&](auto numbers) {
    const std::size_t each = numbers.size() / samples;
    return numbers.subspan(first * each, count * each);
  };
  return {count, slice(inputs), {slice(targets.labels), slice(targets.numbers)}};
}

ShardRunner::ShardRunner(std::shared_ptr<const ExecutionPlan> plan)
    : plan_(std::move(plan)),
      buffers_(plan_->buffers().size()),
      slots_(plan_->slots().size()),
      kept_(plan_->kernels()) {}

void ShardRunner::start(std::span<const float> weights, const Batch& shard, const BatchContext& context) {
  ORRERY_EXPECT(shard.samples > 0 && weights.size() == plan_->weight_count());
  ORRERY_EXPECT(shard.inputs.size() == shard.samples * static_cast<std::size_t>(plan_->graph().input.count()));
  weights_ = weights;
  shard_ = shard;
  context_ = context;
  reserve(shard.samples);
}

void ShardRunner::reserve(std::size_t samples) {
  if (samples <= reserved_) return;
  reserved_ = samples;
  const auto grow = [&](AlignedVector& numbers, std::int64_t per_sample) {
    numbers.resize(samples * static_cast<std::size_t>(per_sample));
  };
  const auto grow_own = [&](AlignedVector& numbers, const MemoryPlace& place) {
    if (!place.shared) grow(numbers, place.numbers);
  };
  for (std::size_t i = 0; i < buffers_.size(); ++i) grow_own(buffers_[i], plan_->buffers()[i]);
  for (std::size_t i = 0; i < slots_.size(); ++i) grow(slots_[i], plan_->slots()[i]);
  std::int64_t scratch = 0;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    grow_own(kept_[i], plan_->kept()[i]);
    scratch = std::max(scratch, plan_->kernel(i).scratch_count(static_cast<std::int64_t>(samples)));
  }
  grow(shared_, plan_->shared_numbers());
  scratch_.resize(static_cast<std::size_t>(scratch));
}

std::span<float> ShardRunner::at(const MemoryPlace& place, AlignedVector& own) {
  const std::size_t count = shard_.samples * static_cast<std::size_t>(place.numbers);
  if (!place.shared) return first_of(own, count);
  return std::span<float>(shared_).subspan(shard_.samples * static_cast<std::size_t>(*place.shared), count);
}

std::span<float> ShardRunner::buffer(std::size_t index) {
  return at(plan_->buffers()[index], buffers_[index]);
}

std::span<float> ShardRunner::slot(std::optional<std::size_t> index, std::int64_t numbers) {
  if (!index) return {};
  return first_of(slots_[*index], shard_.samples * static_cast<std::size_t>(numbers));
}

std::span<float> ShardRunner::output(std::size_t layer) {
  ORRERY_EXPECT(plan_->steps(layer).buffer.has_value());
  return buffer(*plan_->steps(layer).buffer);
}

std::span<float> ShardRunner::output_gradient(std::size_t layer) {
  return slot(plan_->steps(layer).slot, plan_->graph().layers[layer].out.count());
}

bool ShardRunner::has_finite_output(std::size_t layer) {
  if (!plan_->steps(layer).buffer) return true;  // a view of the network's input
  return all_finite(output(layer));
}

std::span<const float> ShardRunner::operand(std::optional<std::size_t> index) {
  return index ? std::span<const float>(buffer(*index)) : shard_.inputs;
}

ForwardData ShardRunner::forward_data(std::size_t layer, const BatchSums& totals) {
  const LayerSteps& steps = plan_->steps(layer);
  ForwardData data;
  data.samples = static_cast<std::int64_t>(shard_.samples);
  data.parameters = steps.parameters.of(weights_);
  data.tied_table = steps.tied_table.of(weights_);
  data.input = operand(steps.input);
  data.output = buffer(*steps.buffer);
  if (has_second_operand(plan_->graph().layers[layer].kind)) data.second = operand(steps.second);
  data.kept = at(plan_->kept()[layer], kept_[layer]);
  data.scratch = scratch_;
  data.state = steps.state.of(weights_);
  data.context = context_;
  data.context.batch_sums = forward_part(totals, layer);
  return data;
}

BackwardData ShardRunner::backward_data(std::size_t layer, std::span<float> gradients, Update update,
                                        const BatchSums& totals) {
  const LayerSteps& steps = plan_->steps(layer);
  const ForwardData forward = forward_data(layer, totals);
  BackwardData data{forward.samples, forward.parameters, forward.tied_table, forward.input,
                    forward.output,  forward.second,     forward.kept,       forward.scratch};
  const Layer& of = plan_->graph().layers[layer];
  data.output_gradient = slot(steps.slot, of.out.count());
  if (steps.input_slot) data.input_gradient = slot(steps.input_slot, of.in.count());
  if (steps.second_slot) {
    data.second_gradient = slot(steps.second_slot, static_cast<std::int64_t>(forward.second.size() / shard_.samples));
  }
  if (steps.trains && !gradients.empty()) {
    data.parameter_gradient = steps.parameters.of(gradients);
    data.tied_gradient = steps.tied_gradient.of(gradients);
  }
  data.parameter_update = steps.parameter_update == Update::add ? Update::add : update;
  data.input_update = steps.input_update;
  data.second_update = steps.second_update;
  data.context = context_;
  data.context.batch_sums = both_parts(totals, layer);
  return data;
}

void ShardRunner::forward(std::size_t first, std::size_t end, const BatchSums& totals) {
  for (std::size_t i = first; i < end; ++i) {
    segment_ = plan_->segment_of(i);
    timed(i, Pass::forward, [&] { run_forward(i, totals); });
  }
}

void ShardRunner::run_forward(std::size_t layer, const BatchSums& totals) {
  const LayerKernel& kernel = plan_->kernel(layer);
  if (kernel.output_storage() == OutputStorage::same_as_input) return;
  const ForwardData data = forward_data(layer, totals);
  kernel.forward(data);
  if (storage_ == Storage::bf16) round_to_bf16(data.output);
}

void ShardRunner::forward_sums(std::size_t layer, std::span<double> sums) {
  timed(layer, Pass::forward, [&] { plan_->kernel(layer).forward_sums(forward_data(layer, {}), sums); });
}

BatchResult ShardRunner::loss() {
  BatchResult result;
  timed(plan_->kernels(), Pass::forward,
        [&] { result = plan_->loss().value(operand(plan_->loss_buffer()), shard_.targets); });
  return result;
}

void ShardRunner::loss_gradient(double divisor) {
  if (!plan_->loss_slot()) return;
  timed(plan_->kernels(), Pass::backward, [&] {
    const std::span<float> gradient = slot(plan_->loss_slot(), plan_->graph().layers.back().in.count());
    plan_->loss().gradient(operand(plan_->loss_buffer()), shard_.targets, divisor, gradient);
    if (storage_ == Storage::bf16) round_to_bf16(gradient);
  });
}

void ShardRunner::backward(std::size_t first, std::size_t end, std::span<float> gradients, Update update,
                           const BatchSums& totals, Blocks blocks) {
  for (std::size_t i = end; i-- > first;) {
    timed(i, Pass::backward, [&] {
      const LayerKernel& kernel = plan_->kernel(i);
      if (!plan_->steps(i).slot || kernel.output_storage() == OutputStorage::same_as_input) return;
      recompute(i, totals);
      const bool later = blocks == Blocks::put_off && plan_->in_blocks(i);
      const BackwardData data = backward_data(i, later ? std::span<float>() : gradients, update, totals);
      kernel.backward(data);
      if (storage_ == Storage::fp32) return;
      round_to_bf16(data.input_gradient);
      round_to_bf16(data.second_gradient);
    });
  }
}

void ShardRunner::backward_block(const ParameterBlock& at, std::span<float> gradients, Update update,
                                 std::size_t worker) {
  timed_by(worker, at.layer, Pass::backward,
           [&] { plan_->kernel(at.layer).backward_block(backward_data(at.layer, gradients, update, {}), at.block); });
}

void ShardRunner::recompute(std::size_t layer, const BatchSums& totals) {
  const std::size_t segment = plan_->segment_of(layer);
  if (segment == segment_) return;
  const std::vector<std::size_t>& starts = plan_->segments();
  segment_ = segment;
  for (std::size_t i = starts[segment]; i < starts[segment + 1]; ++i) run_forward(i, totals);
}

void ShardRunner::backward_sums(std::size_t layer, std::span<double> sums, const BatchSums& totals) {
  if (!plan_->steps(layer).slot) return;
  timed(layer, Pass::backward, [&] {
    recompute(layer, totals);
    BackwardData data = backward_data(layer, {}, Update::overwrite, totals);
    data.context.batch_sums = forward_part(totals, layer);
    data.input_gradient = {};
    plan_->kernel(layer).backward_sums(data, sums);
  });
}

template <class Work>
void ShardRunner::timed(std::size_t layer, Pass pass, Work work) const {
  timed_by(worker_, layer, pass, work);
}

template <class Work>
void ShardRunner::timed_by(std::size_t worker, std::size_t layer, Pass pass, Work work) const {
  if (!timer_) {
    work();
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  work();
  timer_(worker, layer, pass, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace orrery
