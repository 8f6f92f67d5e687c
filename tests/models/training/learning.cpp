// Centralised training: it learns, and the same weights come out whatever the number of threads.
#include <omp.h>

#include <vector>

#include "models/training/central_trainer.hpp"
#include "models/training/synthetic.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/small_layers.hpp"
#include "tests/models/training/threads.hpp"

namespace orrery {
namespace {

DataSet small_images(std::size_t train, std::size_t test) {
  const SyntheticOptions options{.samples = train, .shape = {12, 12, 1}, .spread = 0.2, .noise = 0.25};
  SyntheticOptions test_options = options;
  test_options.samples = test;
  return {
      "small", options.shape, 10, synthetic_samples(options, 1, "train"), synthetic_samples(test_options, 1, "test"),
      145};
}

LayerGraph small_convolutional_network() {
  return chain_network({12, 12, 1}, {{LayerKind::convolution, {.channels = 16, .kernel = 5, .padding = 2}},
                                     {LayerKind::relu, {}},
                                     {LayerKind::max_pool, {.kernel = 2, .stride = 2}},
                                     {LayerKind::flatten, {}},
                                     {LayerKind::dense, {.channels = 32}},
                                     {LayerKind::relu, {}},
                                     {LayerKind::dense, {.channels = 10}},
                                     {LayerKind::softmax_cross_entropy, {}}});
}

std::vector<float> trained_weights(const LayerGraph& graph, const Samples& samples, const CentralOptions& options) {
  CentralTrainer trainer(graph, samples, options);
  for (std::int64_t step = 0; step < options.steps; ++step) trainer.step();
  return {trainer.weights().begin(), trainer.weights().end()};
}

TEST_CASE("a perceptron learns the synthetic images to 98 % in 300 steps, an untrained one guesses") {
  const DataSet data = load_data_set("synthetic", 1);
  const LayerGraph graph = two_hidden_layers(64);
  CHECK(evaluate(graph, initial_weights(graph, 1), data.test).accuracy < 0.3);
  const CentralOptions options{.batch = 64, .steps = 300, .evaluate_every = 150, .optimizer = {.learning_rate = 0.1}};
  std::vector<std::int64_t> reported;
  const auto points = train_central(graph, data, options, [&](const CentralPoint& at) { reported.push_back(at.step); });
  REQUIRE(points.size() == 2);
  CHECK(reported == std::vector<std::int64_t>{150, 300});
  CHECK(points.back().test.accuracy > 0.98);
  CHECK(points.back().train_loss < points.front().train_loss);
  CHECK(points.back().epoch == Approx(300.0 / 94));  // 6,000 samples: 93 batches of 64 and one of 48
}

TEST_CASE("a convolutional network learns with every optimizer") {
  const DataSet data = small_images(2000, 500);
  const auto [kind, rate] = GENERATE(table<OptimizerKind, double>({{OptimizerKind::sgd, 0.1},
                                                                   {OptimizerKind::momentum, 0.02},
                                                                   {OptimizerKind::nesterov, 0.02},
                                                                   {OptimizerKind::adam, 0.002},
                                                                   {OptimizerKind::adamw, 0.002},
                                                                   {OptimizerKind::lamb, 0.01},
                                                                   {OptimizerKind::adadelta, 1.0}}));
  const CentralOptions options{
      .batch = 32, .steps = 250, .evaluate_every = 250, .optimizer = {.kind = kind, .learning_rate = rate}};
  INFO(name_of(kind));
  CHECK(train_central(small_convolutional_network(), data, options, {}).back().test.accuracy > 0.8);
}

TEST_CASE("a convolutional network learns in bf16, with a schedule and clipped gradients") {
  const DataSet data = small_images(2000, 500);
  OptimizerOptions optimizer{.kind = OptimizerKind::nesterov, .learning_rate = 0.05, .clip_norm = 1};
  optimizer.schedule = {.kind = ScheduleKind::cosine, .warm_up = 20, .total = 250};
  const CentralOptions options{
      .batch = 32, .steps = 250, .evaluate_every = 250, .optimizer = optimizer, .storage = Storage::bf16};
  CHECK(train_central(small_convolutional_network(), data, options, {}).back().test.accuracy > 0.8);
}

TEST_CASE("training stops at the first evaluation that reaches the target") {
  const CentralOptions options{.batch = 64, .steps = 300, .evaluate_every = 20, .target_accuracy = 0.5};
  const auto points = train_central(two_hidden_layers(64), load_data_set("synthetic", 1), options, {});
  CHECK(points.back().test.accuracy >= 0.5);
  CHECK(points.back().step < 300);
  for (std::size_t i = 0; i + 1 < points.size(); ++i) CHECK(points[i].test.accuracy < 0.5);
}

TEST_CASE("1, 2 and 4 threads train to the same weights, bit for bit") {
  const DataSet data = small_images(700, 10);
  const LayerGraph graph = small_convolutional_network();
  const CentralOptions options{.batch = 700, .optimizer = {.kind = OptimizerKind::adam, .learning_rate = 0.01}};
  std::vector<std::vector<float>> weights;
  for (const int threads : {1, 2, 4}) {
    const ThreadCount count(threads);
    CentralTrainer trainer(graph, data.train, options);
    for (int step = 0; step < 5; ++step) trainer.step();
    weights.emplace_back(trainer.weights().begin(), trainer.weights().end());
  }
  CHECK(weights[0] != initial_weights(graph, options.seed));
  CHECK(weights[0] == weights[1]);
  CHECK(weights[0] == weights[2]);
}

TEST_CASE("1, 2 and 4 threads evaluate to the same accuracy and loss, bit for bit") {
  const DataSet data = small_images(10, 1700);
  const LayerGraph graph = small_convolutional_network();
  std::vector<Evaluation> results;
  for (const int threads : {1, 2, 4}) {
    const ThreadCount count(threads);
    results.push_back(evaluate(graph, initial_weights(graph, 1), data.test));
  }
  for (const Evaluation& result : results) {
    CHECK(result.accuracy == results[0].accuracy);
    CHECK(result.loss == results[0].loss);
  }
}

TEST_CASE("the seed decides the first weights and the order of the samples") {
  const DataSet data = small_images(300, 10);
  const auto trained = [&](std::uint64_t seed) {
    return trained_weights(small_convolutional_network(), data.train, {.batch = 10, .steps = 3, .seed = seed});
  };
  CHECK(trained(1) == trained(1));
  CHECK(trained(1) != trained(2));
}

TEST_CASE("a learning rate that lets the weights diverge is an error that names the step") {
  const DataSet data = small_images(300, 10);
  std::string message;
  try {
    trained_weights(small_convolutional_network(), data.train,
                    {.batch = 10, .steps = 100, .optimizer = {.learning_rate = 1e30}});
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  CHECK(message ==
        "the loss is not finite at step 2: layer \"dense5\" is the first whose output is not (the weights diverged) - "
        "lower the learning rate, which is 1e+30");
}

}  // namespace
}  // namespace orrery
