#include "models/training/batch_runner.hpp"

#include <algorithm>
#include <utility>

#include "models/kernels/parallel.hpp"
#include "models/training/gradient_sum.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

BatchSums room_for_sums(const ExecutionPlan& plan) {
  BatchSums sums(plan.batch_wide().empty() ? 0 : plan.kernels());
  for (const std::size_t layer : plan.batch_wide()) {
    sums[layer].resize(2 * static_cast<std::size_t>(plan.kernel(layer).batch_sum_count()));
  }
  return sums;
}

/// Parameters whose gradients are sums over shards, in pieces that threads can share.
std::vector<NumberRange> ranges_to_sum(const ExecutionPlan& plan) {
  constexpr std::size_t piece = 16384;
  std::vector<NumberRange> ranges;
  for (std::size_t i = 0; i < plan.kernels(); ++i) {
    const NumberRange all = plan.steps(i).parameters;
    if (plan.in_blocks(i) || plan.graph().layers[i].frozen) continue;
    for (std::size_t at = 0; at < all.count; at += piece) {
      ranges.push_back({all.first + at, std::min(piece, all.count - at)});
    }
  }
  return ranges;
}

/// The half of a layer's sums that belongs to a pass.
std::span<double> half(std::vector<double>& sums, Pass pass) {
  const std::size_t count = sums.size() / 2;
  return std::span<double>(sums).subspan(pass == Pass::forward ? 0 : count, count);
}

}  // namespace

BatchRunner::BatchRunner(std::shared_ptr<const ExecutionPlan> plan, std::size_t workers)
    : plan_(std::move(plan)),
      workers_(workers),
      totals_(room_for_sums(*plan_)),
      summed_ranges_(ranges_to_sum(*plan_)),
      stops_(backward_stops()) {
  ORRERY_EXPECT(workers_ > 0);
}

void BatchRunner::set_gradients_ready(std::vector<std::size_t> cuts, GradientsReady ready) {
  ready_cuts_ = std::move(cuts);
  ready_ = std::move(ready);
  stops_ = backward_stops();
}

void BatchRunner::set_timer(WorkerTimer timer) {
  timer_ = std::move(timer);
  for (Shard& shard : shards_) shard.runner.set_timer(timer_);
}

std::vector<BatchRunner::Stop> BatchRunner::backward_stops() const {
  std::vector<Stop> stops = {{0, Stop::when_done}};
  for (const std::size_t layer : plan_->batch_wide()) stops.push_back({layer, Stop::for_sums});
  for (const std::size_t layer : ready_cuts_) {
    if (layer > 0) stops.push_back({layer, Stop::when_done});
  }
  std::sort(stops.begin(), stops.end(),
            [](const Stop& a, const Stop& b) { return a.layer != b.layer ? a.layer > b.layer : a.wait < b.wait; });
  return stops;
}

void BatchRunner::reserve(std::size_t shards) {
  used_ = shards;
  while (shards_.size() < shards) {
    shards_.push_back({ShardRunner(plan_), {}, room_for_sums(*plan_), {}});
    shards_.back().runner.set_timer(timer_);
  }
}

BatchResult BatchRunner::run(std::span<float> weights, const Batch& batch, const PassOptions& options) {
  reserve(plan_->shards(batch.samples));
  if (options.update == Update::overwrite) summed_ = 0;
  for (std::size_t i = 0; i < used_; ++i) {
    shards_[i].gradients.resize(plan_->parameter_count());
    shards_[i].update = i < summed_ ? Update::add : Update::overwrite;
  }
  summed_ = std::max(summed_, used_);
  return run_phases({weights, {}, shards_.front().gradients, shards_.front().update, options}, batch);
}

BatchResult BatchRunner::run_in_place(std::span<float> weights, const Batch& batch, const PassOptions& options) {
  const std::size_t shards = plan_->shards(batch.samples);
  const std::span<float> parameters = weights.first(plan_->parameter_count());
  reserve(shards);
  if (shards == 1) {
    shards_.front().update = Update::add;
    return run_phases({weights, parameters, {}, Update::add, options}, batch);
  }
  summed_ = shards;
  for (std::size_t i = 0; i < shards; ++i) {
    shards_[i].gradients.resize(plan_->parameter_count());
    shards_[i].update = Update::overwrite;
  }
  const BatchResult result = run_phases({weights, {}, parameters, Update::add, options}, batch);
  add_gradients_to(parameters);
  return result;
}

BatchResult BatchRunner::run_phases(const Run& run, const Batch& batch) {
  for (std::size_t phase = 0; phase <= plan_->batch_wide().size(); ++phase) forward_phase(run, batch, phase);
  backward_phases(run);
  const BatchContext context{Mode::training, run.options.seed, 0, static_cast<std::int64_t>(batch.samples), {}};
  for (const std::size_t layer : plan_->batch_wide()) {
    BatchContext of_layer = context;
    of_layer.batch_sums = half(totals_[layer], Pass::forward);
    plan_->kernel(layer).update_state(of_layer, plan_->steps(layer).state.of(run.weights));
  }
  BatchResult sum;
  for (std::size_t i = 0; i < used_; ++i) sum += shards_[i].result;
  return sum;
}

template <class Work>
void BatchRunner::on_each_shard(Work work) {
  for_each_task(used_, workers_, [&](std::size_t index, std::size_t worker) {
    shards_[index].runner.set_worker(worker);
    work(index, shards_[index]);
  });
}

// Phase p runs the layers from the p-th batch-wide one up to the next, and makes this shard's sums for that one. The
// last one ends with the loss, and begins the way back at once when no shard has to wait.
void BatchRunner::forward_phase(const Run& run, const Batch& batch, std::size_t phase) {
  const std::vector<std::size_t>& batch_wide = plan_->batch_wide();
  const std::size_t first = phase == 0 ? 0 : batch_wide[phase - 1];
  const bool last = phase == batch_wide.size();
  const std::size_t end = last ? plan_->kernels() : batch_wide[phase];
  on_each_shard([&](std::size_t index, Shard& shard) {
    if (phase == 0) {
      const std::size_t begin = batch.samples * index / used_;
      const Batch part = batch.part(begin, batch.samples * (index + 1) / used_ - begin);
      shard.runner.set_storage(run.options.storage);
      shard.runner.start(run.weights, part,
                         {Mode::training,
                          run.options.seed,
                          static_cast<std::int64_t>(begin),
                          static_cast<std::int64_t>(batch.samples),
                          {}});
    }
    shard.runner.forward(first, end, totals_);
    if (!last) {
      shard.runner.forward_sums(end, half(shard.sums[end], Pass::forward));
      return;
    }
    shard.result = shard.runner.loss();
    shard.runner.loss_gradient(run.options.divisor);
    prepare_gradients(shard, run);
    backward(shard, run, plan_->kernels(), stops_.front());
  });
  if (!last) add_sums(end, Pass::forward);
}

/// Where several layers add into the same gradient, it starts from zero.
void BatchRunner::prepare_gradients(Shard& shard, const Run& run) const {
  if (!run.in_place.empty() || shard.update == Update::add) return;
  for (std::size_t i = 0; i < plan_->kernels(); ++i) {
    const LayerSteps& steps = plan_->steps(i);
    if (steps.parameter_update != Update::add) continue;
    const std::span<float> shared = steps.parameters.of(std::span<float>(shard.gradients));
    std::fill(shared.begin(), shared.end(), 0.0F);
  }
}

// Layers from end - 1 down to the stop, and there this shard's sums if they are what is waited for.
void BatchRunner::backward(Shard& shard, const Run& run, std::size_t end, const Stop& stop) {
  const std::span<float> gradients = run.in_place.empty() ? std::span<float>(shard.gradients) : run.in_place;
  shard.runner.backward(stop.first(), end, gradients, shard.update, totals_, blocks());
  if (stop.wait == Stop::for_sums) {
    shard.runner.backward_sums(stop.layer, half(shard.sums[stop.layer], Pass::backward), totals_);
  }
}

// The last forward phase has brought every shard to the first stop.
void BatchRunner::backward_phases(const Run& run) {
  std::size_t told = plan_->kernels();
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    const Stop& stop = stops_[i];
    if (i > 0) on_each_shard([&](std::size_t, Shard& shard) { backward(shard, run, stops_[i - 1].first(), stop); });
    if (stop.wait == Stop::for_sums) {
      add_sums(stop.layer, Pass::backward);
      continue;
    }
    if (blocks() == Blocks::put_off) run_blocks(run, stop.layer, told);
    if (ready_) ready_(stop.layer, told);
    told = stop.layer;
  }
}

std::string BatchRunner::first_not_finite() {
  for (std::size_t layer = 0; layer < plan_->kernels(); ++layer) {
    for (std::size_t i = 0; i < used_; ++i) {
      if (!shards_[i].runner.has_finite_output(layer)) return plan_->graph().layers[layer].name;
    }
  }
  return plan_->graph().layers.back().name;
}

void BatchRunner::add_sums(std::size_t layer, Pass pass) {
  const std::span<double> total = half(totals_[layer], pass);
  std::fill(total.begin(), total.end(), 0.0);
  for (std::size_t i = 0; i < used_; ++i) {
    const std::span<double> part = half(shards_[i].sums[layer], pass);
    for (std::size_t j = 0; j < total.size(); ++j) total[j] += part[j];
  }
}

/// Blocks wait for all shards: not where one shard is alone.
Blocks BatchRunner::blocks() const {
  return used_ > 1 ? Blocks::put_off : Blocks::at_once;
}

// The blocks of layers [first, end). Any thread takes any block, and adds up the parts of the shards in their order.
void BatchRunner::run_blocks(const Run& run, std::size_t first, std::size_t end) {
  const std::vector<ParameterBlock>& all = plan_->blocks();
  const auto from = [&](std::size_t layer) {
    return std::lower_bound(all.begin(), all.end(), layer,
                            [](const ParameterBlock& at, std::size_t least) { return at.layer < least; });
  };
  const std::span<const ParameterBlock> blocks(from(first), from(end));
  for_each_task(blocks.size(), workers_, [&](std::size_t task, std::size_t worker) {
    Update update = run.block_update;
    for (std::size_t i = 0; i < used_; ++i) {
      shards_[i].runner.backward_block(blocks[task], run.blocks, update, worker);
      update = Update::add;
    }
  });
}

void BatchRunner::add_gradients_to(std::span<float> weights) {
  for_each_task(summed_ranges_.size(), workers_, [&](std::size_t task, std::size_t) {
    const NumberRange& range = summed_ranges_[task];
    add(gradient(range.first, range.count), range.of(weights));
  });
}

std::span<float> BatchRunner::gradient(std::size_t first, std::size_t count) {
  for (const NumberRange& range : summed_ranges_) {
    const std::size_t begin = std::max(first, range.first), end = std::min(first + count, range.first + range.count);
    if (begin < end) add_shards({begin, end - begin});
  }
  return std::span<float>(shards_.front().gradients).subspan(first, count);
}

void BatchRunner::add_shards(const NumberRange& range) {
  constexpr std::size_t chunk = 2048;  // stays in the first cache while the shards' parts are added to it
  for (std::size_t at = 0; at < range.count; at += chunk) {
    const NumberRange part{range.first + at, std::min(chunk, range.count - at)};
    const std::span<float> sum = part.of(std::span<float>(shards_.front().gradients));
    for (std::size_t i = 1; i < summed_; ++i) add(part.of(std::span<const float>(shards_[i].gradients)), sum);
  }
}

}  // namespace orrery
