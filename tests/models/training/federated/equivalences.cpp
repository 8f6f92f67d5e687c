// Where one algorithm becomes another.
#include <functional>
#include <vector>

#include "tests/catch.hpp"
#include "tests/models/training/federated/line.hpp"
#include "tests/models/training/federated/perceptron.hpp"

namespace orrery {
namespace {

enum class Sizes : std::uint8_t { equal, unequal };

/// The weights after three rounds of clients 4, 0 and 2 with two local epochs.
std::vector<float> learned(const AlgorithmOptions& algorithm, Sizes sizes = Sizes::unequal) {
  static const LayerGraph graph = perceptron();
  Random random(3);
  const PartitionKind kind = sizes == Sizes::equal ? PartitionKind::iid : PartitionKind::dirichlet_classes;
  FederatedTraining training(graph, images(), partition(images(), 6, {.kind = kind, .alpha = 1.0}, random),
                             {.local = {.optimizer = {.learning_rate = 0.05}}, .algorithm = algorithm});
  std::vector<float> weights = initial_weights(graph, 1);
  for (std::int64_t round = 0; round < 3; ++round) {
    training.accept(weights, training.train(jobs({4, 0, 2}, round, shared(weights), 2)));
  }
  return weights;
}

void check_close(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) REQUIRE(a[i] == Approx(b[i]).margin(2e-6));
}

TEST_CASE("fedprox without its term is fedavg, bit for bit, and with it is not") {
  const std::vector<float> average = learned({});
  CHECK(learned({.kind = AlgorithmKind::fedprox, .proximal_mu = 0}) == average);
  CHECK(learned({.kind = AlgorithmKind::fedprox, .proximal_mu = 1}) != average);
}

TEST_CASE("fedavgm without momentum is fedavg, bit for bit") {
  CHECK(learned({.kind = AlgorithmKind::fedavgm, .server_momentum = 0}) == learned({}));
}

TEST_CASE("hierarchical, gossip and split average as fedavg does, bit for bit") {
  for (const AlgorithmKind kind : {AlgorithmKind::hierarchical, AlgorithmKind::gossip, AlgorithmKind::split}) {
    CHECK(learned({.kind = kind}) == learned({}));
  }
}

TEST_CASE("qfedavg with q = 0 is fedavg where clients are of one size") {
  check_close(learned({.kind = AlgorithmKind::qfedavg, .fairness_q = 0}, Sizes::equal), learned({}, Sizes::equal));
}

TEST_CASE("fednova is fedavg where clients make the same number of steps") {
  check_close(learned({.kind = AlgorithmKind::fednova}, Sizes::equal), learned({}, Sizes::equal));
}

TEST_CASE("fedbuff with the updates of a round and none stale is fedavg where clients are of one size") {
  check_close(learned({.kind = AlgorithmKind::fedbuff, .buffer = 3}, Sizes::equal), learned({}, Sizes::equal));
}

TEST_CASE("fedasync that takes a whole model takes the last client's") {
  const LayerGraph graph = perceptron();
  FederatedTraining training = training_of(graph, {.algorithm = {.kind = AlgorithmKind::fedasync, .mixing = 1}}, 6);
  std::vector<float> weights = initial_weights(graph, 1);
  const Weights received = shared(weights);
  const std::vector<ClientUpdate> updates = training.train(jobs({4, 0}, 0, received));
  training.accept(weights, updates);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    REQUIRE(weights[i] == Approx((*received)[i] + updates[1].delta[i]).margin(1e-6));
  }
}

TEST_CASE("scaffold with one client of one is fedavg: there is nothing to correct") {
  const LayerGraph graph = perceptron();
  const auto alone = [&](AlgorithmKind kind) {
    std::vector<std::size_t> everything(images().count());
    for (std::size_t i = 0; i < everything.size(); ++i) everything[i] = i;
    FederatedTraining training(graph, images(), {everything}, {.algorithm = {.kind = kind}});
    std::vector<float> weights = initial_weights(graph, 1);
    for (std::int64_t round = 0; round < 3; ++round) {
      training.accept(weights, training.train(jobs({0}, round, shared(weights))));
    }
    return weights;
  };
  check_close(alone(AlgorithmKind::scaffold), alone(AlgorithmKind::fedavg));
}

TEST_CASE("compressions that leave everything leave fedavg") {
  const LayerGraph graph = perceptron();
  const auto with = [&](const CompressionOptions& compression) {
    FederatedTraining training = training_of(graph, {.compression = compression}, 6);
    std::vector<float> weights = initial_weights(graph, 1);
    training.accept(weights, training.train(jobs({4, 0, 2}, 0, shared(weights))));
    return weights;
  };
  const std::vector<float> plain = with({});
  CHECK(with({.kind = CompressionKind::top_k, .keep = 1}) == plain);
  CHECK(with({.kind = CompressionKind::random_k, .keep = 1}) == plain);
  check_close(with({.kind = CompressionKind::low_rank, .rank = 100}), plain);
}

TEST_CASE("a clip that is never reached, and no noise, leave fedavg, so does a fine ring") {
  const LayerGraph graph = perceptron();
  const auto with = [&](FederatedTrainingOptions options) {
    options.expected_clients = 3;
    Random random(3);
    FederatedTraining training(graph, images(), partition(images(), 6, {.kind = PartitionKind::iid}, random), options);
    std::vector<float> weights = initial_weights(graph, 1);
    training.accept(weights, training.train(jobs({4, 0, 2}, 0, shared(weights))));
    return weights;
  };
  const std::vector<float> plain = with({});
  for (const PrivacyKind kind : {PrivacyKind::central, PrivacyKind::local}) {
    check_close(with({.privacy = {.kind = kind, .clip = 1e3, .noise_multiplier = 0}}), plain);
  }
  check_close(with({.secure = SecureAggregationOptions{}}), plain);
}

}  // namespace
}  // namespace orrery
