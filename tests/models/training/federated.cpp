// The two halves of FedAvg.
#include <numeric>
#include <stdexcept>
#include <vector>

#include "models/training/central_trainer.hpp"
#include "models/training/synthetic.hpp"
#include "tests/catch.hpp"
#include "tests/models/kernels/small_layers.hpp"
#include "tests/models/training/threads.hpp"

namespace orrery {
namespace {

const Samples& images() {
  static const Samples samples =
      synthetic_samples({.samples = 600, .shape = {8, 8, 1}, .spread = 0.2, .noise = 0.25}, 1, "train");
  return samples;
}

LayerGraph perceptron() {
  return chain_network({8, 8, 1}, {{LayerKind::flatten, {}},
                                   {LayerKind::dense, {.channels = 24}},
                                   {LayerKind::relu, {}},
                                   {LayerKind::dense, {.channels = 10}},
                                   {LayerKind::softmax_cross_entropy, {}}});
}

std::vector<std::size_t> all_indices() {
  std::vector<std::size_t> indices(images().count());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

TEST_CASE("the average weighs each client by its samples") {
  // (100 x 1 + 300 x 4) / 400 = 3.25; (100 x 2 + 300 x 8) / 400 = 6.5.
  const std::vector<LocalResult> results{{.weights = {1, 2}, .samples = 100}, {.weights = {4, 8}, .samples = 300}};
  CHECK(weighted_average(results) == std::vector<float>{3.25F, 6.5F});
}

TEST_CASE("the average of equal weights is those weights") {
  const std::vector<float> weights = initial_weights(perceptron(), 1);
  const std::vector<LocalResult> results(7, {.weights = weights, .samples = 13});
  CHECK(weighted_average(results) == weights);
}

TEST_CASE("one client that holds everything trains exactly as centralised SGD does, bit for bit") {
  const LayerGraph graph = perceptron();
  for (const std::int64_t batch : {10, 32, 70, 600}) {
    for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum}) {
      CentralOptions options{.batch = batch, .optimizer = {.kind = kind, .learning_rate = 0.05}};
      CentralTrainer central(graph, images(), options);
      options.steps = 2 * static_cast<std::int64_t>(central.steps_per_epoch());
      while (central.steps() < options.steps) central.step();
      const LocalResult local = train_local(graph, initial_weights(graph, options.seed), images(), all_indices(),
                                            {.epochs = 2, .batch = batch, .optimizer = options.optimizer},
                                            Random::derived(options.seed, "central order"));
      INFO("batch " << batch << " " << name_of(kind));
      CHECK(local.steps == options.steps);
      CHECK(local.samples == 600);
      const std::vector<float> averaged = weighted_average(std::vector<LocalResult>{local});
      CHECK(averaged == std::vector<float>(central.weights().begin(), central.weights().end()));
    }
  }
}

TEST_CASE("batch 0 is the whole local set, and one such step is gradient descent on it") {
  const LayerGraph graph = perceptron();
  const std::vector<float> start = initial_weights(graph, 1);
  const LocalOptions options{.epochs = 3, .batch = 0, .optimizer = {.learning_rate = 0.1}};
  const LocalResult result = train_local(graph, start, images(), all_indices(), options, Random(1));
  CHECK(result.steps == 3);
  // FedSGD: averaging the clients' single steps equals one step on everything (McMahan et al. 2017, section 2).
  const LocalOptions one_step{.epochs = 1, .batch = 0, .optimizer = {.learning_rate = 0.1}};
  const LocalResult whole = train_local(graph, start, images(), all_indices(), one_step, Random(1));
  Random random(3);
  const auto parts = partition(images(), 5, PartitionKind::dirichlet, 1.0, random);
  const std::vector<std::size_t> clients{0, 1, 2, 3, 4};
  const auto average = weighted_average(train_clients(graph, start, images(), parts, clients, one_step, 1, 1));
  for (std::size_t i = 0; i < average.size(); ++i) REQUIRE(average[i] == Approx(whole.weights[i]).margin(1e-6));
}

TEST_CASE("1, 2 and 4 threads give the same clients' weights, in the order asked for") {
  const LayerGraph graph = perceptron();
  const std::vector<float> start = initial_weights(graph, 1);
  Random random(3);
  const auto parts = partition(images(), 7, PartitionKind::dirichlet, 1.0, random);
  const std::vector<std::size_t> clients{5, 0, 3, 6, 1};
  const LocalOptions options{.epochs = 2, .batch = 10, .optimizer = {.learning_rate = 0.05}};
  const auto round = [&](int threads) {
    const ThreadCount count(threads);
    return train_clients(graph, start, images(), parts, clients, options, 1, 4);
  };
  const auto one = round(1);
  for (const int threads : {2, 4}) {
    const auto many = round(threads);
    REQUIRE(many.size() == clients.size());
    for (std::size_t i = 0; i < clients.size(); ++i) {
      CHECK(one[i].samples == static_cast<std::int64_t>(parts[clients[i]].size()));
      CHECK(one[i].weights == many[i].weights);
      CHECK(one[i].train_loss == many[i].train_loss);
    }
    CHECK(weighted_average(one) == weighted_average(many));
  }
}

TEST_CASE("a client's order depends on its number and the round, not on who else takes part") {
  const LayerGraph graph = perceptron();
  const std::vector<float> start = initial_weights(graph, 1);
  Random random(3);
  const auto parts = partition(images(), 6, PartitionKind::iid, 0, random);
  const auto weights_of_client_2 = [&](const std::vector<std::size_t>& clients, std::size_t place, std::int64_t round) {
    return train_clients(graph, start, images(), parts, clients, {}, 1, round)[place].weights;
  };
  CHECK(weights_of_client_2({2}, 0, 1) == weights_of_client_2({4, 2, 0}, 1, 1));
  CHECK(weights_of_client_2({2}, 0, 1) != weights_of_client_2({2}, 0, 2));
}

TEST_CASE("a client that diverges is named with its round and step") {
  Random random(3);
  const auto parts = partition(images(), 6, PartitionKind::iid, 0, random);
  const std::vector<std::size_t> clients{4, 2};
  const LocalOptions options{.epochs = 1, .batch = 10, .optimizer = {.learning_rate = 1e30}};
  std::string message;
  try {
    train_clients(perceptron(), initial_weights(perceptron(), 1), images(), parts, clients, options, 1, 12);
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  CHECK(message ==
        "round 12, client 4: the loss is not finite at step 2: layer \"dense4\" is the first whose output is not (the "
        "weights diverged) - lower the learning rate, which is "
        "1e+30");
}

}  // namespace
}  // namespace orrery
