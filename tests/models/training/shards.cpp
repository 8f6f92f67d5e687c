// Shards of a batch: the same bits on any number of threads, the whole batch where a layer needs it, no memory twice.
#include <memory>
#include <vector>

#include "models/training/central_trainer.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/small_layers.hpp"
#include "tests/models/training/count_allocations.hpp"
#include "tests/models/training/run_network.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

// Enough work per sample for four shards of a batch of 16 (see ExecutionPlan::shards), with every kind of layer that
// speaks of the whole batch or draws at random.
const std::string wide_network = network_text("[16, 16, 3]", "4", R"(
  { name = "one", kind = "convolution", filters = 32, kernel = 3, padding = 1, bias = false },
  { name = "norm", kind = "batch_norm" },
  { name = "relu", kind = "relu" },
  { name = "two", kind = "convolution", filters = 32, kernel = 3, padding = 1 },
  { name = "norm2", kind = "batch_norm" },
  { name = "sum", kind = "residual_add", skip = "relu" },
  { name = "drop", kind = "dropout", rate = 0.25 },
  { name = "mean", kind = "global_average_pool" },
  { name = "head", kind = "dense", units = 4 },
  { name = "loss", kind = "softmax_cross_entropy" },
)");

Numbers weights_after(const LayerGraph& graph, const Samples& samples, const TrainingOptions& options, int steps) {
  const auto plan = std::make_shared<const ExecutionPlan>(graph);
  TrainingStep step(plan, options);
  Numbers weights(plan->weight_count());
  Random random(5);
  plan->initialise(weights, random);
  for (int i = 0; i < steps; ++i) step.run(weights, whole(samples));
  return weights;
}

TEST_CASE("a batch is cut by its work, not by the threads that share it") {
  // 2NN: 196,800 weights and 400 biases whose gradients come in blocks, 2,010 numbers more: a shard must be worth 33.2
  // MFLOP, which 27.9 samples are.
  const ExecutionPlan small(load_network("2nn"));
  CHECK(small.shards(10) == 1);
  CHECK(small.shards(64) == 2);
  CHECK(small.shards(256) == 4);
  const ExecutionPlan wide(small_network(wide_network));
  CHECK(wide.shards(1) == 1);
  CHECK(wide.shards(16) == 4);
}

TEST_CASE("weights and running statistics are the same bits for any number of threads, and every time") {
  const LayerGraph graph = small_network(wide_network);
  const Samples samples = random_samples(graph, 16, 11);
  const Numbers alone = weights_after(graph, samples, {.workers = 1}, 3);
  CHECK(weights_after(graph, samples, {.workers = 1}, 3) == alone);
  CHECK(weights_after(graph, samples, {.workers = 2}, 3) == alone);
  CHECK(weights_after(graph, samples, {.workers = 5}, 3) == alone);
}

TEST_CASE("batch normalisation sees the whole batch, however many shards it is cut into") {
  // The first 16 samples twice: means, variances and so every output are those of the samples once.
  const LayerGraph graph = small_network(wide_network);
  Samples once = random_samples(graph, 4, 11), many = once;
  for (int i = 0; i < 3; ++i) {
    many.inputs.insert(many.inputs.end(), once.inputs.begin(), once.inputs.end());
    many.labels.insert(many.labels.end(), once.labels.begin(), once.labels.end());
  }
  LayerGraph still = graph;
  for (Layer& layer : still.layers) layer.rate = 0;
  RunNetwork network(still);
  REQUIRE(network.plan().shards(16) > network.plan().shards(4));
  const Numbers first = network.gradients(once);
  const double loss = network.result.loss_sum;
  const Numbers second = network.gradients(many);
  CHECK(network.result.loss_sum == Approx(4 * loss).epsilon(1e-6));
  for (std::size_t i = 0; i < first.size(); ++i) REQUIRE(second[i] == Approx(first[i]).margin(1e-5));
}

TEST_CASE("adding gradients to the weights at once is plain SGD") {
  const LayerGraph graph = two_hidden_layers(16);
  const Samples samples = random_samples(graph, 10, 3);
  const TrainingOptions options{.optimizer = {.kind = OptimizerKind::sgd, .learning_rate = 0.05}};
  TrainingOptions separate = options;
  separate.update = UpdateStyle::separate;
  const Numbers fast = weights_after(graph, samples, options, 5), slow = weights_after(graph, samples, separate, 5);
  for (std::size_t i = 0; i < fast.size(); ++i) REQUIRE(fast[i] == Approx(slow[i]).margin(1e-6));
}

TEST_CASE("gradients accumulated over micro-steps are those of the whole batch") {
  const LayerGraph graph = two_hidden_layers(16);
  const Samples samples = random_samples(graph, 12, 3);
  const TrainingOptions whole_batch{.optimizer = {.learning_rate = 0.05}, .update = UpdateStyle::separate};
  TrainingOptions parts = whole_batch;
  parts.accumulation = 3;
  const Numbers one = weights_after(graph, samples, whole_batch, 3), three = weights_after(graph, samples, parts, 3);
  for (std::size_t i = 0; i < one.size(); ++i) REQUIRE(three[i] == Approx(one[i]).margin(1e-6));
}

std::int64_t numbers_held(const ExecutionPlan& plan) {
  std::int64_t numbers = plan.shared_numbers();
  for (const auto& places : {plan.buffers(), plan.kept()}) {
    for (const MemoryPlace& place : places) numbers += place.shared ? 0 : place.numbers;
  }
  return numbers;
}

TEST_CASE("recomputation holds less and gives the same bits") {
  for (const std::string name : {"resnet-small", "gpt-mini", "fedavg-cnn"}) {
    INFO(name);
    const LayerGraph graph = load_network(name);
    const Samples samples = random_samples(graph, 4, 11);
    std::vector<Numbers> gradients;
    std::vector<std::int64_t> held;
    for (const Recompute recompute : {Recompute::none, Recompute::full}) {
      const auto plan = std::make_shared<const ExecutionPlan>(graph, recompute);
      BatchRunner runner(plan, 1);
      Numbers weights(plan->weight_count());
      Random random(5);
      plan->initialise(weights, random);
      runner.run(weights, whole(samples), {.divisor = 4, .seed = 9});
      const auto gradient = runner.gradient(0, plan->parameter_count());
      gradients.emplace_back(gradient.begin(), gradient.end());
      held.push_back(numbers_held(*plan));
    }
    CHECK(gradients[0] == gradients[1]);
    CHECK(static_cast<double>(held[1]) < 0.8 * static_cast<double>(held[0]));
  }
}

TEST_CASE("gradients are told of as soon as every shard has them, last layers first") {
  const LayerGraph graph = small_network(wide_network);
  const Samples samples = random_samples(graph, 16, 11);
  const auto plan = std::make_shared<const ExecutionPlan>(graph);
  BatchRunner runner(plan, 2), reference(plan, 1);
  Numbers weights(plan->weight_count());
  Random random(5);
  plan->initialise(weights, random);
  Numbers copy = weights;
  reference.run(copy, whole(samples), {.divisor = 16});
  const auto expected = reference.gradient(0, plan->parameter_count());
  std::vector<std::pair<std::size_t, std::size_t>> told;
  runner.set_gradients_ready({3, 8}, [&](std::size_t first, std::size_t end) {
    told.emplace_back(first, end);
    const std::size_t begin = plan->steps(first).parameters.first;
    const NumberRange last = plan->steps(end - 1).parameters;
    const auto gradient = runner.gradient(begin, last.first + last.count - begin);
    for (std::size_t i = 0; i < gradient.size(); ++i) REQUIRE(gradient[i] == expected[begin + i]);
  });
  runner.run(weights, whole(samples), {.divisor = 16});
  CHECK(told == std::vector<std::pair<std::size_t, std::size_t>>{{8, 9}, {3, 8}, {0, 3}});
}

TEST_CASE("a loss that is no number stops the training, naming step and layer") {
  const LayerGraph graph = two_hidden_layers(16);
  Samples samples = random_samples(graph, 10, 3);
  for (float& input : samples.inputs) input = 1e30F;
  std::string message;
  try {
    weights_after(graph, samples, {.optimizer = {.learning_rate = 0.5}}, 3);
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  CHECK(message ==
        "the loss is not finite at step 2: layer \"dense2\" is the first whose output is not (the weights diverged) - "
        "lower the learning rate, which is 0.5");
}

struct Memory {
  std::size_t calls = 0;    // for memory during one step, by all but oneDNN
  std::ptrdiff_t kept = 0;  // pieces more after it than before
  Allocations onednn{};     // what oneDNN's library asks for
};

/// Of the most frugal step from the third to the eighth: libraries that prepare themselves for a shape, and for a
/// thread that a busy machine lets in late, have done so.
Memory memory_of_a_step(const LayerGraph& graph, const TrainingOptions& options) {
  const Samples samples = random_samples(graph, 8, 3);
  const auto plan = std::make_shared<const ExecutionPlan>(graph);
  TrainingStep step(plan, options);
  Numbers weights(plan->weight_count());
  Random random(5);
  plan->initialise(weights, random);
  step.run(weights, whole(samples));
  step.run(weights, whole(samples));
  Memory least{.calls = static_cast<std::size_t>(-1), .kept = 1 << 30};
  for (int i = 0; i < 6; ++i) {
    const std::size_t calls = allocations();
    const std::ptrdiff_t held = live_allocations();
    const Allocations of_onednn = allocations_of_onednn();
    step.run(weights, whole(samples));
    least.calls = std::min(least.calls, allocations() - calls);
    least.kept = std::min(least.kept, live_allocations() - held);
    least.onednn = {allocations_of_onednn().calls - of_onednn.calls, allocations_of_onednn().bytes - of_onednn.bytes};
  }
  return least;
}

TEST_CASE("a step of layers without products asks for no memory") {
  const LayerGraph graph = small_network(network_text("[8, 8, 16]", "16", R"(
  { name = "norm", kind = "batch_norm" },
  { name = "relu", kind = "relu" },
  { name = "depthwise", kind = "convolution", filters = 16, groups = 16, kernel = 3, padding = 1 },
  { name = "pool", kind = "max_pool", kernel = 2 },
  { name = "drop", kind = "dropout", rate = 0.5 },
  { name = "average", kind = "average_pool", kernel = 2 },
  { name = "tokens", kind = "pixels_to_tokens" },
  { name = "place", kind = "position_embedding" },
  { name = "layer_norm", kind = "layer_norm" },
  { name = "gelu", kind = "gelu" },
  { name = "again", kind = "residual_add", skip = "layer_norm" },
  { name = "mean", kind = "global_average_pool" },
  { name = "loss", kind = "softmax_cross_entropy" },
)"));
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw, OptimizerKind::lamb}) {
    CHECK(memory_of_a_step(graph, {.optimizer = {.kind = kind, .clip_norm = 1.0}, .workers = 2}).calls == 0);
  }
}

TEST_CASE("a step asks for no memory, but for what oneDNN takes inside its products and gives back") {
  for (const std::string name : {"2nn", "lenet5", "fedavg-cnn", "resnet-small", "mobilenet-small", "lstm-rows",
                                 "gru-rows", "transformer-small", "gpt-mini", "vit-tiny"}) {
    const LayerGraph graph = load_network(name);
    for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam}) {
      const Memory memory = memory_of_a_step(graph, {.optimizer = {.kind = kind}, .workers = 2});
      INFO(name << "; oneDNN: " << memory.onednn.calls << " calls for " << memory.onednn.bytes << " bytes");
      CHECK(memory.calls == 0);
      CHECK(memory.kept == 0);
      // One for each of the products: of three layers forward, of their weights' and of two inputs' gradients.
      if (name == "2nn") CHECK(memory.onednn.calls <= 8);
    }
  }
}

}  // namespace
}  // namespace orrery
