#include "scenarios/measure/stage_shard.hpp"

#include <algorithm>
#include <utility>

namespace orrery {
namespace {

std::span<double> forward_half(std::vector<double>& sums) {
  return std::span<double>(sums).first(sums.size() / 2);
}
std::span<double> backward_half(std::vector<double>& sums) {
  return std::span<double>(sums).last(sums.size() / 2);
}

}  // namespace

StageShard::StageShard(std::shared_ptr<const ExecutionPlan> plan, Span layers)
    : plan_(std::move(plan)), layers_(layers), runner_(plan_), sums_(plan_->kernels()) {
  for (const std::size_t layer : plan_->batch_wide()) {
    if (layer < layers_.first || layer >= layers_.end) continue;
    batch_wide_.push_back(layer);
    sums_[layer].resize(2 * static_cast<std::size_t>(plan_->kernel(layer).batch_sum_count()));
  }
}

/// The loss is no kernel.
std::size_t StageShard::end() const {
  return std::min(layers_.end, plan_->kernels());
}

void StageShard::start(std::span<const float> weights, const Batch& microbatch, std::uint64_t seed) {
  context_ = {Mode::training, seed, 0, static_cast<std::int64_t>(microbatch.samples), {}};
  runner_.start(weights, microbatch, context_);
}

void StageShard::forward() {
  std::size_t from = layers_.first;
  for (const std::size_t layer : batch_wide_) {
    runner_.forward(from, layer, sums_);
    runner_.forward_sums(layer, forward_half(sums_[layer]));
    from = layer;
  }
  runner_.forward(from, end(), sums_);
}

void StageShard::backward(std::span<float> gradients) {
  std::size_t to = end();
  // NOLINTNEXTLINE(modernize-loop-convert): clang 14 cannot read the views of this standard library
  for (auto layer = batch_wide_.rbegin(); layer != batch_wide_.rend(); ++layer) {
    runner_.backward(*layer + 1, to, gradients, Update::add, sums_);
    runner_.backward_sums(*layer, backward_half(sums_[*layer]), sums_);
    to = *layer + 1;
  }
  runner_.backward(layers_.first, to, gradients, Update::add, sums_);
}

void StageShard::update_state(std::span<float> weights) const {
  for (const std::size_t layer : batch_wide_) {
    BatchContext context = context_;
    context.batch_sums = std::span<const double>(sums_[layer]).first(sums_[layer].size() / 2);
    plan_->kernel(layer).update_state(context, plan_->steps(layer).state.of(weights));
  }
}

ShardsInFlight::ShardsInFlight(const std::shared_ptr<const ExecutionPlan>& plan, Span layers, int most,
                               const std::function<void()>& between_layers) {
  for (int i = 0; i < most; ++i) {
    shards_.emplace_back(plan, layers);
    shards_.back().runner().set_timer([between_layers](std::size_t, std::size_t, Pass, double) { between_layers(); });
    free_.push_back(shards_.size() - 1);
  }
}

StageShard& ShardsInFlight::take(int microbatch) {
  ORRERY_EXPECT(!free_.empty());
  const std::size_t index = free_.back();
  free_.pop_back();
  held_.push_back({microbatch, index});
  return shards_[index];
}

StageShard& ShardsInFlight::give_back(int microbatch) {
  const auto found =
      std::find_if(held_.begin(), held_.end(), [&](const Held& h) { return h.microbatch == microbatch; });
  ORRERY_EXPECT(found != held_.end());
  const std::size_t index = found->shard;
  held_.erase(found);
  free_.push_back(index);
  return shards_[index];
}

}  // namespace orrery
