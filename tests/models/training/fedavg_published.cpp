// The FedAvg paper's rows that a test can afford: rounds to a target accuracy on real data. Some twenty seconds each.
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "models/training/federated/federated_training.hpp"
#include "models/training/partition.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/published_data.hpp"

namespace orrery {
namespace {

struct Target {
  double learning_rate = 0.1, accuracy = 0;
  std::int64_t first_evaluated = 1, last_round = 0;  // no accuracy is looked at before the first
};

// 100 clients, 10 of them drawn per round (C 0.1), one local epoch, batches of 10, samples dealt at random: table 1 of
// McMahan et al. 2017. The first round whose test accuracy reaches the target; nothing when none does.
std::optional<std::int64_t> rounds_to(const Target& target, const DataSet& data, std::uint64_t seed) {
  const LayerGraph graph = load_network("2nn");
  Random split = Random::derived(seed, "partition"), draw = Random::derived(seed, "selection");
  FederatedTraining training(graph, data.train, partition(data.train, 100, {.kind = PartitionKind::iid}, split),
                             {.local = {.batch = 10, .optimizer = {.learning_rate = target.learning_rate}},
                              .expected_clients = 10,
                              .seed = seed});
  std::vector<float> weights = initial_weights(graph, seed);
  std::vector<std::size_t> clients(100);
  std::iota(clients.begin(), clients.end(), std::size_t{0});
  for (std::int64_t round = 1; round <= target.last_round; ++round) {
    draw.shuffle(clients);
    const auto received = std::make_shared<const std::vector<float>>(weights);
    std::vector<LocalJob> jobs;
    for (const std::size_t client : std::span(clients).first(10)) {
      jobs.push_back({.client = client, .round = round, .received = received});
    }
    training.accept(weights, training.train(jobs));
    if (round < target.first_evaluated) continue;
    if (training.evaluate(weights, data.test).accuracy >= target.accuracy) return round;
  }
  return std::nullopt;
}

TEST_CASE("2NN on MNIST by FedAvg reaches 97 % within 0.25 to 1.1 of the published 87 rounds") {
  const std::optional<DataSet> data = published_data("mnist");
  if (!data) return;
  // Seeds 1, 2 and 3 gave 47, 45 and 44 rounds when this was written.
  const auto rounds = rounds_to({.learning_rate = 0.1, .accuracy = 0.97, .last_round = 96}, *data, 1);
  REQUIRE(rounds.has_value());
  std::cerr << "2NN on MNIST, FedAvg: 97 % after " << *rounds << " rounds (published: 87)\n";
  CHECK(*rounds >= 22);  // 0.25 x 87 = 21.75
  CHECK(*rounds <= 95);  // 1.1 x 87 = 95.7
}

TEST_CASE("2NN on Fashion-MNIST by FedAvg reaches 88 % within 180 to 260 rounds") {
  const std::optional<DataSet> data = published_data("fashion-mnist");
  if (!data) return;
  // From round 150 on every round is looked at, so that too early a success shows. Seeds 1, 2 and 3 gave 188, 197 and
  // 201 rounds when this was written; the one in the middle is kept.
  const Target target{.learning_rate = 0.05, .accuracy = 0.88, .first_evaluated = 150, .last_round = 260};
  const auto rounds = rounds_to(target, *data, 2);
  REQUIRE(rounds.has_value());
  std::cerr << "2NN on Fashion-MNIST, FedAvg: 88 % after " << *rounds << " rounds (reference: 220 to 223)\n";
  CHECK(*rounds >= 180);
  CHECK(*rounds <= 260);
}

}  // namespace
}  // namespace orrery
