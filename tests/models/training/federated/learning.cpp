// What the algorithms are for, seen on clients that hold two classes each.
#include <numeric>
#include <optional>
#include <stdexcept>

#include "tests/catch.hpp"
#include "tests/models/training/federated/line.hpp"
#include "tests/models/training/federated/perceptron.hpp"
#include "tests/models/training/published_data.hpp"

namespace orrery {
namespace {

Samples many_images(std::size_t count, const char* purpose) {
  return synthetic_samples({.samples = count, .shape = {8, 8, 1}, .spread = 0.2, .noise = 0.25}, 1, purpose);
}

struct Rounds {
  std::size_t clients_per_round = 5;  // of 100, each with 30 samples in two shards
  std::int64_t rounds = 24;
  int epochs = 5;
};

double accuracy_after(const FederatedTrainingOptions& options, const Rounds& run) {
  static const LayerGraph graph = perceptron();
  static const Samples train = many_images(3000, "train"), test = many_images(1000, "test");
  Random split(3), draw(1);
  FederatedTraining training(graph, train, partition(train, 100, {.kind = PartitionKind::shards}, split), options);
  std::vector<float> weights = initial_weights(graph, 1);
  std::vector<std::size_t> clients(100);
  std::iota(clients.begin(), clients.end(), std::size_t{0});
  for (std::int64_t round = 0; round < run.rounds; ++round) {
    draw.shuffle(clients);
    const std::vector<std::size_t> chosen(clients.begin(),
                                          clients.begin() + static_cast<std::ptrdiff_t>(run.clients_per_round));
    training.accept(weights, training.train(jobs(chosen, round, shared(weights), run.epochs)));
  }
  return training.evaluate(weights, test).accuracy;
}

FederatedTrainingOptions with(const AlgorithmOptions& algorithm) {
  return {.local = {.batch = 10, .optimizer = {.learning_rate = 0.1}}, .algorithm = algorithm};
}

TEST_CASE("clients of two classes: correcting drift, and momentum or Adam on the server, learn faster than fedavg") {
  const Rounds everyone{.clients_per_round = 100, .rounds = 6};
  const double average = accuracy_after(with({}), everyone);
  CHECK(average > 0.5);
  CHECK(average < 0.9);
  CHECK(accuracy_after(with({.kind = AlgorithmKind::scaffold}), everyone) > average + 0.1);
  CHECK(accuracy_after(with({.kind = AlgorithmKind::fedavgm}), everyone) > average + 0.1);
  CHECK(accuracy_after(with({.kind = AlgorithmKind::fedadam, .server_learning_rate = 0.03}), everyone) >
        average + 0.05);
}

TEST_CASE("adaptive servers learn with the defaults that a scenario gets when it names the algorithm alone") {
  const Rounds everyone{.clients_per_round = 100, .rounds = 6};
  for (const AlgorithmKind kind : {AlgorithmKind::fedadagrad, AlgorithmKind::fedadam, AlgorithmKind::fedyogi}) {
    const AlgorithmOptions options = default_options(kind);
    CAPTURE(entry_of(kind).name);
    CHECK(options.kind == kind);
    CHECK(options.server_learning_rate == 0.03);
    CHECK(options.beta1 == (kind == AlgorithmKind::fedadagrad ? 0.0 : 0.9));
    CHECK(accuracy_after(with(options), everyone) > 0.5);
  }
  CHECK(default_options(AlgorithmKind::fedavg).server_learning_rate == 1.0);
}

// 10 of 100 clients per round, each with 30 images of two kinds of clothes; nothing when training diverged.
std::optional<double> on_fashion_mnist(const DataSet& data, AlgorithmKind kind, double rate, std::int64_t rounds) {
  static const LayerGraph graph = two_hidden_layers(32);
  Random choice(1), split_random(3), draw(1);
  const Samples train = split(data.train, 3000, choice).train;
  FederatedTraining training(graph, train, partition(train, 100, {.kind = PartitionKind::shards}, split_random),
                             {.local = {.optimizer = {.learning_rate = rate}}, .algorithm = {.kind = kind}});
  std::vector<float> weights = initial_weights(graph, 1);
  std::vector<std::size_t> clients(100);
  std::iota(clients.begin(), clients.end(), std::size_t{0});
  try {
    for (std::int64_t round = 1; round <= rounds; ++round) {
      draw.shuffle(clients);
      const std::vector<std::size_t> chosen(clients.begin(), clients.begin() + 10);
      training.accept(weights, training.train(jobs(chosen, round, shared(weights), 2)));
    }
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
  return training.evaluate(weights, data.test).accuracy;
}

TEST_CASE("SCAFFOLD with few of many clients: steadier than FedAvg with small steps, collapsed with large ones") {
  const std::optional<DataSet> data = published_data("fashion-mnist");
  if (!data) return;
  const auto learned = [&](AlgorithmKind kind, double rate, std::int64_t rounds) {
    return on_fashion_mnist(*data, kind, rate, rounds);
  };
  // When this was written: 0.74 against 0.55, then 0.10 against 0.57.
  CHECK(learned(AlgorithmKind::scaffold, 0.02, 60).value() > learned(AlgorithmKind::fedavg, 0.02, 60).value() + 0.05);
  CHECK(learned(AlgorithmKind::fedavg, 0.2, 30).value() > 0.4);
  CHECK(learned(AlgorithmKind::scaffold, 0.2, 30).value_or(0.1) < 0.2);
}

TEST_CASE("FedAvg needs fewer rounds than FedSGD, and a mild proximal term does little harm") {
  const double average = accuracy_after(with({}), {.rounds = 40});
  CHECK(average > 0.8);
  CHECK(accuracy_after(with({.kind = AlgorithmKind::fedsgd}), {.rounds = 40}) < 0.6);
  CHECK(accuracy_after(with({.kind = AlgorithmKind::fedprox, .proximal_mu = 0.01}), {.rounds = 40}) > average - 0.05);
}

TEST_CASE("clients with a last layer of their own do better on their two classes than one model on all") {
  FederatedTrainingOptions personal = with({});
  personal.personal_layers = {"dense4"};
  CHECK(accuracy_after(personal, {.rounds = 24}) > accuracy_after(with({}), {.rounds = 24}) + 0.1);
}

TEST_CASE("top-k needs its error feedback, a hundredth of the numbers still learns with it") {
  FederatedTrainingOptions options = with({});
  options.compression = {.kind = CompressionKind::top_k, .keep = 0.01};
  const double fed_back = accuracy_after(options, {.clients_per_round = 100, .rounds = 20});
  options.compression.error_feedback = ErrorFeedback::off;
  const double lost = accuracy_after(options, {.clients_per_round = 100, .rounds = 20});
  CHECK(fed_back > 0.5);
  CHECK(fed_back > lost);
}

TEST_CASE("noise costs accuracy: none at all, a little and much") {
  FederatedTrainingOptions options = with({});
  options.expected_clients = 50;
  options.privacy = {.kind = PrivacyKind::central, .clip = 1};
  const Rounds half{.clients_per_round = 50, .rounds = 30};
  options.privacy.noise_multiplier = 0;
  const double clear = accuracy_after(options, half);
  options.privacy.noise_multiplier = 0.3;
  const double little = accuracy_after(options, half);
  options.privacy.noise_multiplier = 30;
  const double much = accuracy_after(options, half);
  CHECK(clear > 0.7);
  CHECK(little > clear - 0.15);
  CHECK(much < 0.4);
}

}  // namespace
}  // namespace orrery
