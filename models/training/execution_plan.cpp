#include "models/training/execution_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "models/cost/layer_cost.hpp"
#include "models/cost/shards.hpp"
#include "models/kernels/aligned_vector.hpp"
#include "models/networks/segments.hpp"
#include "models/training/row_numbers.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

constexpr std::size_t no_layer = static_cast<std::size_t>(-1);

void require_one_loss(const LayerGraph& graph) {
  Problems problems;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const bool last = i + 1 == graph.layers.size(), loss = is_loss(graph.layers[i].kind);
    if (last == loss) continue;
    problems.add({.at = {.file = graph.name},
                  .key = fmt::format("layer \"{}\"", graph.layers[i].name),
                  .what = last ? "the last layer of an executed network is its loss"
                               : fmt::format("{} comes last in an executed network", name_of(graph.layers[i].kind)),
                  .why = {},
                  .suggestion = {},
                  .source_line = {}});
  }
  problems.throw_if_any();
  ORRERY_EXPECT(!graph.layers.empty());
}

void require_kernels(const LayerGraph& graph) {
  Problems problems;
  for (const std::string& obstacle : obstacles_to_execution(graph)) {
    problems.add({.at = {.file = graph.name},
                  .key = {},
                  .what = "cannot be executed: " + obstacle,
                  .why = {},
                  .suggestion = "simulate it instead: its cost is known",
                  .source_line = {}});
  }
  problems.throw_if_any();
}

/// How many layers read the output of each layer.
std::vector<int> count_readers(const LayerGraph& graph) {
  std::vector<int> readers(graph.layers.size());
  for (const Layer& layer : graph.layers) {
    if (layer.input.valid()) ++readers[layer.input.index()];
    if (layer.skip.valid()) ++readers[layer.skip.index()];
  }
  return readers;
}

/// Hands out slots for gradients and takes them back, in the order of the backward pass.
class SlotPool {
 public:
  explicit SlotPool(std::vector<std::int64_t>& slots) : slots_(slots) {}

  std::size_t take(std::int64_t numbers) {
    std::size_t slot = slots_.size();
    if (free_.empty()) {
      slots_.push_back(numbers);
    } else {  // the largest one free: it grows least
      const auto best =
          std::max_element(free_.begin(), free_.end(), [&](auto a, auto b) { return slots_[a] < slots_[b]; });
      slot = *best;
      free_.erase(best);
      slots_[slot] = std::max(slots_[slot], numbers);
    }
    return slot;
  }
  void give_back(std::size_t slot) { free_.push_back(slot); }

 private:
  std::vector<std::int64_t>& slots_;
  std::vector<std::size_t> free_;
};

}  // namespace

std::vector<std::string> obstacles_to_execution(const LayerGraph& graph) {
  std::vector<std::string> obstacles;
  std::set<std::string> told;
  for (const Layer& layer : graph.layers) {
    const bool computes_rows = layer.kind == LayerKind::embedding_tables && !place_in_sample(graph, layer);
    const std::string why =
        computes_rows ? "reads computed numbers, and only a sample's own are rows" : why_not_executed(layer);
    if (why.empty() || !told.insert(std::string(name_of(layer.kind)) + why).second) continue;
    obstacles.push_back(fmt::format("layer \"{}\" ({}) {}", layer.name, name_of(layer.kind), why));
  }
  return obstacles;
}

ExecutionPlan::ExecutionPlan(LayerGraph graph, Recompute recompute)
    : graph_(std::move(graph)), steps_(graph_.layers.size()) {
  require_one_loss(graph_);
  require_kernels(graph_);
  segments_ = recompute == Recompute::full ? recompute_segments(graph_) : std::vector<std::size_t>{0};
  for (std::size_t i = 0; i + 1 < graph_.layers.size(); ++i) {
    kernels_.push_back(make_layer_kernel(graph_.layers[i]));
    if (kernels_.back()->batch_sum_count() > 0) batch_wide_.push_back(i);
  }
  loss_ = make_loss(graph_.layers.back());
  for (const auto& kernel : kernels_) kept_.push_back({.numbers = kernel->kept_count()});
  flops_per_sample_ = training_flops(graph_).value();
  shard_worth_ = shard_worth(graph_);
  place_parameters();
  place_blocks();
  place_outputs();
  place_gradients();
  share_segments();
}

std::size_t ExecutionPlan::segment_of(std::size_t layer) const {
  return static_cast<std::size_t>(std::upper_bound(segments_.begin(), segments_.end(), layer) - segments_.begin()) - 1;
}

void ExecutionPlan::place_parameters() {
  std::size_t embedding = no_layer;
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    const Layer& layer = graph_.layers[i];
    const ParameterCount counts = kernels_[i]->parameter_count();
    const auto count = static_cast<std::size_t>(counts.weights + counts.biases);
    ORRERY_EXPECT(static_cast<std::int64_t>(count) == parameters(layer));
    steps_[i].parameters = {parameters_, count};
    parameters_ += count;
    if (layer.kind == LayerKind::embedding) embedding = i;
    if (layer.tied) {
      ORRERY_EXPECT(embedding != no_layer);
      const auto table = static_cast<std::size_t>(layer.in.channels * layer.out.channels);
      steps_[i].tied_table = {steps_[embedding].parameters.first, table};
      if (!graph_.layers[embedding].frozen) steps_[i].tied_gradient = steps_[i].tied_table;
      steps_[embedding].parameter_update = Update::add;  // the layer tied to it has added its part before
    }
    steps_[i].trains = !layer.frozen && (count > 0 || steps_[i].tied_gradient.count > 0);
    if (layer.frozen || count == 0) continue;
    const NumberRange range = steps_[i].parameters;
    if (!trainable_.empty() && trainable_.back().first + trainable_.back().count == range.first) {
      trainable_.back().count += count;
    } else {
      trainable_.push_back(range);
    }
  }
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    steps_[i].state = {parameters_ + state_, static_cast<std::size_t>(kernels_[i]->state_count())};
    state_ += steps_[i].state.count;
  }
}

void ExecutionPlan::place_blocks() {
  if (segments_.size() > 1) return;
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    const std::int64_t blocks = steps_[i].trains ? parameter_blocks(graph_.layers[i]) : 0;
    for (std::int64_t block = 0; block < blocks; ++block) blocks_.push_back({i, block});
  }
}

bool ExecutionPlan::in_blocks(std::size_t layer) const {
  return std::any_of(blocks_.begin(), blocks_.end(), [&](const ParameterBlock& at) { return at.layer == layer; });
}

void ExecutionPlan::place_outputs() {
  const std::vector<int> readers = count_readers(graph_);
  const auto shares_memory = [&](const Layer& layer, const LayerKernel& kernel) {
    if (kernel.output_storage() == OutputStorage::same_as_input) return true;
    if (kernel.in_place() == InPlace::never || !layer.input.valid()) return false;
    const std::size_t producer = layer.input.index();
    return readers[producer] == 1 && segment_of(producer) == segment_of(layer.id.index()) &&
           !kernels_[producer]->backward_reads_output() && kernels_[producer]->output_storage() == OutputStorage::own;
  };
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Layer& layer = graph_.layers[i];
    LayerSteps& steps = steps_[i];
    if (layer.input.valid()) steps.input = steps_[layer.input.index()].buffer;
    if (layer.skip.valid()) steps.second = steps_[layer.skip.index()].buffer;
    if (i == kernels_.size()) break;  // the loss
    if (shares_memory(layer, *kernels_[i])) {
      steps.buffer = steps.input;
      continue;
    }
    steps.buffer = buffers_.size();
    buffers_.push_back({.numbers = layer.out.count()});
    owner_.push_back(i);
  }
}

void ExecutionPlan::place_gradients() {
  // A gradient is wanted where it, or what comes before it, has something to train.
  std::vector<bool> wanted(steps_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Layer& layer = graph_.layers[i];
    wanted[i] = steps_[i].trains || (layer.input.valid() && wanted[layer.input.index()]) ||
                (layer.skip.valid() && wanted[layer.skip.index()]);
  }
  SlotPool pool(slots_);
  std::vector<std::optional<std::size_t>> slot_of(buffers_.size());
  const auto want = [&](LayerId producer, std::optional<std::size_t>& slot, Update& update) {
    if (!producer.valid() || !wanted[producer.index()]) return;
    const std::size_t buffer = *steps_[producer.index()].buffer;
    update = slot_of[buffer] ? Update::add : Update::overwrite;
    if (!slot_of[buffer]) slot_of[buffer] = pool.take(buffers_[buffer].numbers);
    slot = slot_of[buffer];
  };
  for (std::size_t i = steps_.size(); i-- > 0;) {
    const Layer& layer = graph_.layers[i];
    LayerSteps& steps = steps_[i];
    const bool loss = i == kernels_.size();
    if (!loss) {
      if (steps.buffer) steps.slot = slot_of[*steps.buffer];
      if (!steps.slot) continue;  // nothing after it needs it, or nothing before it trains
    }
    want(layer.input, steps.input_slot, steps.input_update);
    if (!loss && steps.input_slot == steps.slot) steps.input_update = Update::overwrite;  // in place
    want(layer.skip, steps.second_slot, steps.second_update);
    // A value joined with itself: kernels write the second operand's gradient first.
    if (steps.input_slot && steps.input_slot == steps.second_slot) std::swap(steps.input_update, steps.second_update);
    if (loss || owner_[*steps.buffer] != i || in_blocks(i)) continue;
    pool.give_back(*steps.slot);
    slot_of[*steps.buffer].reset();
  }
}

// What no other segment reads lies in memory that the segments use in turn.
void ExecutionPlan::share_segments() {
  if (segments_.size() == 1) return;
  std::vector<bool> crosses(buffers_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    for (const auto& read : {steps_[i].input, steps_[i].second}) {
      if (read && segment_of(owner_[*read]) != segment_of(i)) crosses[*read] = true;
    }
  }
  std::vector<std::int64_t> used(segments_.size());
  const auto share = [&](MemoryPlace& place, std::size_t segment) {
    constexpr std::int64_t line = cache_line_bytes / sizeof(float);
    place.shared = used[segment];
    used[segment] += (place.numbers + line - 1) / line * line;
    shared_ = std::max(shared_, used[segment]);
  };
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    if (!crosses[i]) share(buffers_[i], segment_of(owner_[i]));
  }
  for (std::size_t i = 0; i < kept_.size(); ++i) share(kept_[i], segment_of(i));
}

std::size_t ExecutionPlan::samples_per_slice() const {
  constexpr std::int64_t budget = std::int64_t{32} * 1024 * 1024;
  std::int64_t numbers = 1;
  for (const MemoryPlace& buffer : buffers_) numbers += buffer.numbers;
  for (const auto& kernel : kernels_) numbers += kernel->kept_count();
  return static_cast<std::size_t>(std::max<std::int64_t>(1, budget / numbers / std::int64_t{sizeof(float)}));
}

std::size_t ExecutionPlan::shards(std::size_t batch) const {
  return static_cast<std::size_t>(batch_shards(flops_per_sample_, shard_worth_, static_cast<std::int64_t>(batch)));
}

void ExecutionPlan::initialise(std::span<float> weights, Random& random) const {
  ORRERY_EXPECT(weights.size() == weight_count());
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    kernels_[i]->initialise(steps_[i].parameters.of(weights), random);
    kernels_[i]->initialise_state(steps_[i].state.of(weights));
  }
}

}  // namespace orrery
