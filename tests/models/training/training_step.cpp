// One update of the weights: clipping, accumulation, frozen layers, LAMB's layers, bf16.
#include "models/training/training_step.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "models/kernels/bfloat16.hpp"
#include "models/networks/layer_patterns.hpp"
#include "models/training/central_trainer.hpp"
#include "models/training/gradient_norm.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"
#include "tests/models/training/run_network.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<float>;

LayerGraph two_layers() {
  return small_network(network_text("[1, 1, 6]", "3",
                                    "{ name = \"one\", kind = \"dense\", units = 5 },\n"
                                    "{ name = \"relu\", kind = \"relu\" },\n"
                                    "{ name = \"two\", kind = \"dense\", units = 3 },\n"
                                    "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
}

/// Weights after one step from RunNetwork's.
Numbers after_step(const LayerGraph& graph, const Samples& samples, const TrainingOptions& options) {
  Numbers weights = RunNetwork(graph).weights;
  TrainingStep step(std::make_shared<const ExecutionPlan>(graph), options);
  step.run(weights, whole(samples));
  return weights;
}

/// The same, from the whole gradient and the optimizer alone.
Numbers expected_step(const LayerGraph& graph, const Samples& samples, const OptimizerOptions& options,
                      std::vector<NumberRange> layers) {
  RunNetwork network(graph);
  const Numbers gradients = network.gradients(samples);
  Numbers weights = network.weights;
  Optimizer(options, std::move(layers)).step(weights, gradients);
  return weights;
}

void check_close(const Numbers& a, const Numbers& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    CHECK(a[i] == Approx(b[i]).epsilon(1e-5).margin(1e-7));
  }
}

const std::vector<NumberRange> both_layers = {{0, 35}, {35, 18}};  // 6 x 5 + 5, 5 x 3 + 3

TEST_CASE("a step is the mean gradient and the optimizer's update, layer by layer for LAMB") {
  const LayerGraph graph = two_layers();
  const Samples samples = random_samples(graph, 7, 1);
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::nesterov, OptimizerKind::lamb}) {
    INFO(name_of(kind));
    const OptimizerOptions options{.kind = kind, .weight_decay = 0.1};
    check_close(after_step(graph, samples, {.optimizer = options}),
                expected_step(graph, samples, options, both_layers));
  }
}

TEST_CASE("clipping gives the whole gradient the norm asked for, and leaves a short one alone") {
  const LayerGraph graph = two_layers();
  const Samples samples = random_samples(graph, 7, 1);
  RunNetwork network(graph);
  const Numbers gradients = network.gradients(samples);
  const double norm = std::sqrt(sum_of_squares(gradients));
  const auto moved = [&](double clip_norm) {
    const Numbers after = after_step(graph, samples, {.optimizer = {.learning_rate = 1, .clip_norm = clip_norm}});
    Numbers difference(after.size());
    for (std::size_t i = 0; i < after.size(); ++i) difference[i] = network.weights[i] - after[i];
    return difference;
  };
  CHECK(std::sqrt(sum_of_squares(moved(norm / 4))) == Approx(norm / 4).epsilon(1e-4));
  Numbers quarter = gradients;
  for (float& number : quarter) number /= 4;
  check_close(moved(norm / 4), quarter);
  check_close(moved(norm * 4), gradients);
}

TEST_CASE("a gradient without a norm cannot be clipped: the step is named") {
  const LayerGraph graph = two_layers();
  Samples samples = random_samples(graph, 4, 1);
  for (float& input : samples.inputs) input *= 1e38F;  // products of it overflow backward, the loss may not
  Numbers weights(53, 0.0F);                           // outputs 0, loss log 3
  TrainingStep step(std::make_shared<const ExecutionPlan>(graph), {.optimizer = {.clip_norm = 1}});
  for (std::size_t i = 30; i < 35; ++i) weights[i] = 1.0F;  // the first layer's biases: its units are on
  for (std::size_t i = 35; i < 53; ++i) weights[i] = i % 2 == 0 ? 1e3F : -1e3F;
  std::string error;
  try {
    step.run(weights, whole(samples));
  } catch (const std::runtime_error& problem) {
    error = problem.what();
  }
  CHECK(error ==
        "the norm of the gradients is not finite at step 1 (there is nothing to clip them to) - lower the learning "
        "rate, which is 0.1");
}

TEST_CASE("accumulated parts make the step of the whole batch, however unequal") {
  const LayerGraph graph = two_layers();
  const Samples samples = random_samples(graph, 7, 1);
  const Numbers whole_step = after_step(graph, samples, {});
  for (const int parts : {2, 3, 7, 20}) {
    CAPTURE(parts);
    check_close(after_step(graph, samples, {.accumulation = parts}), whole_step);
  }
}

TEST_CASE("parts of several shards each, and of different numbers of shards, add up") {
  // 2nn has two shards from 56 samples on: parts of 55, 56, 55 and 56 samples have one and two.
  const LayerGraph graph = load_network("2nn");
  const Samples samples = random_samples(graph, 222, 1);
  REQUIRE(ExecutionPlan(graph).shards(55) == 1);
  REQUIRE(ExecutionPlan(graph).shards(56) == 2);
  const Numbers whole_step = after_step(graph, samples, {}), parts = after_step(graph, samples, {.accumulation = 4});
  double largest = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(parts[i] - whole_step[i])));
  }
  CHECK(largest < 1e-6);
}

TEST_CASE("frozen layers keep every bit, and the others learn as they would with them") {
  const Samples samples = random_samples(two_layers(), 7, 1);
  LayerGraph frozen = two_layers();
  REQUIRE(freeze(frozen, "one") == 1);
  const Numbers before = RunNetwork(frozen).weights;
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw, OptimizerKind::lamb}) {
    INFO(name_of(kind));
    const TrainingOptions options{.optimizer = {.kind = kind, .weight_decay = 0.1}};
    const Numbers after = after_step(frozen, samples, options), free = after_step(two_layers(), samples, options);
    CHECK(std::equal(after.begin(), after.begin() + 35, before.begin()));
    CHECK(std::equal(after.begin() + 35, after.end(), free.begin() + 35));
    CHECK_FALSE(std::equal(after.begin() + 35, after.end(), before.begin() + 35));
  }
}

TEST_CASE("in bf16 the layers see rounded weights, and small updates are not lost on the float32 ones") {
  const LayerGraph graph = two_layers();
  const Samples samples = random_samples(graph, 7, 1);
  RunNetwork network(graph);
  const Numbers masters = network.weights;
  const TrainingOptions options{.optimizer = {.learning_rate = 1e-5}, .storage = Storage::bf16};
  const Numbers after = after_step(graph, samples, options);
  round_to_bf16(std::span<float>(network.weights));
  const Numbers gradients = network.gradients(samples);  // of the rounded weights; its activations are not rounded
  double largest = 0, error = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const double step = (static_cast<double>(masters[i]) - static_cast<double>(after[i])) / 1e-5;
    largest = std::max(largest, std::abs(static_cast<double>(gradients[i])));
    error = std::max(error, std::abs(step - static_cast<double>(gradients[i])));
  }
  // A bfloat16 is right to 2^-9; a few roundings follow each other, and a float32 weight steps by 2^-24 / 1e-5.
  CHECK(error < 0.03 * largest + 0.01);
  CHECK(after != masters);
  for (std::size_t i = 0; i < 30; ++i) CHECK(round_to_bf16(after[i]) == round_to_bf16(masters[i]));
  // ... since they are below half a step of bfloat16: without float32 weights nothing would have been learned.
}

TEST_CASE("a bf16 pass rounds every activation and every gradient of one") {
  const LayerGraph graph = two_layers();
  const Samples samples = random_samples(graph, 3, 1);
  const auto plan = std::make_shared<const ExecutionPlan>(graph);
  Numbers weights = RunNetwork(graph).weights, gradients(plan->parameter_count());
  round_to_bf16(std::span<float>(weights));
  ShardRunner runner(plan);
  runner.set_storage(Storage::bf16);
  runner.start(weights, whole(samples), {.batch_samples = 3});
  runner.forward(0, plan->kernels(), {});
  runner.loss();
  runner.loss_gradient(3);
  const auto is_rounded = [](std::span<const float> numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](float number) { return number == round_to_bf16(number); });
  };
  CHECK(is_rounded(runner.output(0)));
  CHECK(is_rounded(runner.output(2)));
  CHECK(is_rounded(runner.output_gradient(2)));
  runner.backward(1, plan->kernels(), gradients, Update::overwrite, {});
  CHECK(is_rounded(runner.output_gradient(0)));
  CHECK_FALSE(is_rounded(gradients));  // sums stay float32 until they are complete
}

TEST_CASE("rounded or not, running statistics stay float32 and move") {
  const LayerGraph graph = small_network(network_text("[4, 4, 2]", "3",
                                                      "{ name = \"norm\", kind = \"batch_norm\" },\n"
                                                      "{ name = \"flatten\", kind = \"flatten\" },\n"
                                                      "{ name = \"dense\", kind = \"dense\", units = 3 },\n"
                                                      "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
  const Samples samples = random_samples(graph, 5, 1);
  const Numbers plain = after_step(graph, samples, {}),
                rounded = after_step(graph, samples, {.storage = Storage::bf16});
  const std::size_t state = ExecutionPlan(graph).parameter_count();
  REQUIRE(plain.size() == state + 4);
  CHECK(std::equal(plain.begin() + static_cast<std::ptrdiff_t>(state), plain.end(),
                   rounded.begin() + static_cast<std::ptrdiff_t>(state)));
  CHECK(plain[state] != 0.0F);
}

}  // namespace
}  // namespace orrery
