// Whole rounds of local training and averaging on a small perceptron.
#include "models/training/federated/federated_training.hpp"

#include <numeric>
#include <stdexcept>
#include <vector>

#include "models/training/central_trainer.hpp"
#include "models/training/local_trainer.hpp"
#include "models/training/partition.hpp"
#include "sim/base/errors.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/federated/line.hpp"
#include "tests/models/training/federated/perceptron.hpp"
#include "tests/models/training/threads.hpp"

namespace orrery {
namespace {

std::vector<std::size_t> all_indices() {
  std::vector<std::size_t> indices(images().count());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

TEST_CASE("one client that holds everything trains exactly as centralised SGD does, bit for bit") {
  const LayerGraph graph = perceptron();
  const auto plan = std::make_shared<const ExecutionPlan>(graph);
  for (const std::int64_t batch : {10, 32, 70, 600}) {
    for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::momentum}) {
      CentralOptions options{.batch = batch, .optimizer = {.kind = kind, .learning_rate = 0.05}};
      CentralTrainer central(graph, images(), options);
      options.steps = 2 * static_cast<std::int64_t>(central.steps_per_epoch());
      while (central.steps() < options.steps) central.step();
      LocalTrainer trainer(plan, {.batch = batch, .optimizer = options.optimizer});
      const std::vector<float> start = initial_weights(graph, options.seed);
      const std::vector<std::size_t> indices = all_indices();
      const LocalResult local = trainer.train(
          {.start = start, .samples = images(), .indices = indices, .work = {.epochs = 2}, .learning_rate = 0.05},
          Random::derived(options.seed, "central order"));
      INFO("batch " << batch << " " << name_of(kind));
      CHECK(local.steps == options.steps);
      CHECK(local.samples == 600);
      CHECK(std::vector<float>(trainer.weights().begin(), trainer.weights().end()) ==
            std::vector<float>(central.weights().begin(), central.weights().end()));
    }
  }
}

TEST_CASE("averaging the clients' single steps on all they have equals one step on everything") {
  // FedSGD (McMahan et al. 2017, section 2).
  const LayerGraph graph = perceptron();
  const std::vector<float> start = initial_weights(graph, 1);
  FederatedTraining apart = training_of(graph, {.algorithm = {.kind = AlgorithmKind::fedsgd}}, 5);
  FederatedTraining together(graph, images(), {all_indices()}, {.algorithm = {.kind = AlgorithmKind::fedsgd}});
  std::vector<float> average = start, whole = start;
  apart.accept(average, apart.train(jobs({0, 1, 2, 3, 4}, 0, shared(start))));
  together.accept(whole, together.train(jobs({0}, 0, shared(start))));
  for (std::size_t i = 0; i < average.size(); ++i) REQUIRE(average[i] == Approx(whole[i]).margin(1e-6));
  CHECK(whole != start);
}

TEST_CASE("1, 2 and 4 threads give the same bits, with every algorithm, compression and kind of privacy") {
  const LayerGraph graph = perceptron();
  const auto three_rounds = [&](const FederatedTrainingOptions& options, int threads) {
    const ThreadCount count(threads);
    FederatedTraining training = training_of(graph, options, 7);
    std::vector<float> weights = initial_weights(graph, 1);
    for (std::int64_t round = 0; round < 3; ++round) {
      training.accept(weights, training.train(jobs({5, 0, 3, 6, 1}, round, shared(weights))));
    }
    weights.push_back(static_cast<float>(training.evaluate(weights, images()).loss));
    return weights;
  };
  std::vector<FederatedTrainingOptions> all;
  for (const FederatedAlgorithmEntry& entry : federated_algorithms())
    all.push_back({.algorithm = {.kind = entry.kind}});
  for (const CompressionEntry& entry : compressions()) all.push_back({.compression = {.kind = entry.kind}});
  for (const PrivacyKind kind : {PrivacyKind::central, PrivacyKind::local}) {
    all.push_back({.privacy = {.kind = kind, .noise_multiplier = 0.01}, .expected_clients = 5});
  }
  all.push_back({.secure = SecureAggregationOptions{}, .expected_clients = 5});
  all.push_back({.personal_layers = {"dense4"}});
  for (FederatedTrainingOptions& options : all) {
    options.local.optimizer.learning_rate = 0.05;
    CAPTURE(entry_of(options.algorithm.kind).name, static_cast<int>(options.compression.kind));
    const std::vector<float> one = three_rounds(options, 1);
    CHECK(one == three_rounds(options, 2));
    CHECK(one == three_rounds(options, 4));
  }
}

TEST_CASE("a client's training depends on its number, the round and the attempt, not on who else takes part") {
  const LayerGraph graph = perceptron();
  const Weights start = shared(initial_weights(graph, 1));
  FederatedTraining training = training_of(graph, {}, 6);
  const auto delta_of = [&](std::vector<LocalJob> all, std::size_t place) { return training.train(all)[place].delta; };
  const std::vector<float> alone = delta_of(jobs({2}, 1, start), 0);
  CHECK(alone == delta_of(jobs({4, 2, 0}, 1, start), 1));
  CHECK(alone != delta_of(jobs({2}, 2, start), 0));
  std::vector<LocalJob> again = jobs({2}, 1, start);
  again[0].attempt = 1;
  CHECK(alone != delta_of(again, 0));
}

TEST_CASE("scratch space keeps nothing of the last round: momentum, terms and batches begin anew") {
  const LayerGraph graph = perceptron();
  const Weights start = shared(initial_weights(graph, 1));
  const FederatedTrainingOptions options{.local = {.optimizer = {.kind = OptimizerKind::momentum}},
                                         .algorithm = {.kind = AlgorithmKind::fedprox}};
  FederatedTraining used = training_of(graph, options, 6), fresh = training_of(graph, options, 6);
  REQUIRE(used.train(jobs({0, 1, 2, 3, 4, 5}, 0, start, 3)).size() == 6);
  CHECK(used.train(jobs({2}, 1, start))[0].delta == fresh.train(jobs({2}, 1, start))[0].delta);
}

TEST_CASE("the learning rate follows its schedule over rounds") {
  const LayerGraph graph = perceptron();
  const Weights start = shared(initial_weights(graph, 1));
  FederatedTraining training =
      training_of(graph, {.schedule = {.kind = ScheduleKind::step, .every = 2, .factor = 0.5}}, 6);
  CHECK(training.train(jobs({0}, 1, start))[0].learning_rate == 0.1);
  CHECK(training.train(jobs({0}, 2, start))[0].learning_rate == 0.05);
  CHECK(training.train(jobs({0}, 4, start))[0].learning_rate == 0.025);
}

TEST_CASE("an update that never arrives changes nothing on its client") {
  const LayerGraph graph = perceptron();
  std::vector<FederatedTrainingOptions> all(3);
  all[0].algorithm.kind = AlgorithmKind::scaffold;
  all[1].compression.kind = CompressionKind::top_k;
  all[2].personal_layers = {"dense4"};
  for (const FederatedTrainingOptions& options : all) {
    FederatedTraining without = training_of(graph, options, 6), with = training_of(graph, options, 6);
    std::vector<float> first = initial_weights(graph, 1), second = first;
    without.accept(first, without.train(jobs({1}, 0, shared(first))));
    const std::vector<ClientUpdate> both = with.train(jobs({0, 1}, 0, shared(second)));  // client 0 is lost on the way
    with.accept(second, {both.back()});
    REQUIRE(first == second);
    CHECK(without.train(jobs({0, 1}, 1, shared(first)))[0].delta ==
          with.train(jobs({0, 1}, 1, shared(first)))[0].delta);
  }
}

TEST_CASE("losses are those of training on each client's samples") {
  const Samples samples = points({{2, 1}, {0, 3}, {1, 1}});
  const LayerGraph graph = line();
  const FederatedTraining training(graph, samples, {{0, 1}, {2}}, {});
  const std::vector<float> weights = {1, 0};
  // Errors 1, -3 and 0: (1 + 9) / 2 and 0.
  const std::vector<std::size_t> clients = {1, 0};
  CHECK(training.losses(clients, weights) == std::vector<double>{0, 5});
}

TEST_CASE("bytes of a round of plain averaging are 4 per number each way, 2 in half precision") {
  const LayerGraph network = load_network("2nn");
  CHECK(update_bytes(network, {}).down == Bytes(796840));
  CHECK(update_bytes(network, {}).up == Bytes(796840));
  CHECK(update_bytes(network, {}).numbers == 199210);
  CHECK(update_bytes(load_network("fedavg-cnn"), {}).up == Bytes(6653480));
  CHECK(update_bytes(network, {.local = {.storage = Storage::bf16}}).up == Bytes(398420));
  // Control variates travel beside both.
  CHECK(update_bytes(network, {.algorithm = {.kind = AlgorithmKind::scaffold}}).down == Bytes(2 * 796840));
  CHECK(update_bytes(network, {.algorithm = {.kind = AlgorithmKind::scaffold}}).up == Bytes(2 * 796840));
  // Without the last layer, 200 x 10 + 10 numbers.
  CHECK(update_bytes(network, {.personal_layers = {"dense3"}}).up == Bytes(4 * (199210 - 2010)));
  // Running statistics count: 2 per channel of every batch normalisation.
  const LayerGraph normalised = load_network("resnet-small");
  const ExecutionPlan plan(normalised);
  CHECK(plan.weight_count() > plan.parameter_count());
  CHECK(update_bytes(normalised, {}).up == Bytes(4.0 * static_cast<double>(plan.weight_count())));
}

TEST_CASE("in half precision a client gets rounded weights and sends a rounded change") {
  const LayerGraph graph = perceptron();
  FederatedTraining training = training_of(graph, {.local = {.storage = Storage::bf16}}, 6);
  const auto update = training.train(jobs({0}, 0, shared(initial_weights(graph, 1))))[0];
  std::vector<float> rounded = update.delta;
  round_to_bf16(std::span<float>(rounded));
  CHECK(update.delta == rounded);
}

std::string failure(const LayerGraph& graph, const FederatedTrainingOptions& options, double rate) {
  FederatedTrainingOptions diverging = options;
  diverging.local.optimizer.learning_rate = rate;
  try {
    FederatedTraining training = training_of(graph, diverging, 6);
    static_cast<void>(training.train(jobs({4, 2}, 12, shared(initial_weights(graph, 1)))));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "none";
}

TEST_CASE("a client that diverges is named with its round and step") {
  CHECK(failure(perceptron(), {}, 1e30) ==
        "round 12, client 4: the loss is not finite at step 2: layer \"dense4\" is the first whose output is not (the "
        "weights diverged) - lower the learning rate, which is 1e+30");
}

TEST_CASE("options that exclude each other are refused, all at once") {
  CHECK(failure(perceptron(),
                {.algorithm = {.kind = AlgorithmKind::scaffold},
                 .compression = {.kind = CompressionKind::top_k},
                 .privacy = {.kind = PrivacyKind::central},
                 .secure = SecureAggregationOptions{.bits = 2},
                 .expected_clients = 10},
                0.1) ==
        "privacy: scaffold cannot be private (control variates are sent without noise) - take fedavg, fedprox, fedavgm "
        "or fedadam\n"
        "secure_aggregation: scaffold sends more than updates (the cost of masking its control variates is not "
        "modelled) - take fedavg, fedprox or fednova\n"
        "secure_aggregation: a ring of 2 bits cannot hold the sum of 10 clients (every client needs a value on either "
        "side of 0) - raise ring_bits or take fewer clients per round\n"
        "secure_aggregation: compressed updates cannot be masked (masks are dense numbers of the ring, which "
        "ring_bits makes smaller) - take compression = \"none\" and fewer ring_bits");
  CHECK(failure(perceptron(),
                {.local = {.optimizer = {.kind = OptimizerKind::adam}}, .algorithm = {.kind = AlgorithmKind::fednova}},
                0.1) ==
        "optimizer: fednova does not know how adam accumulates gradients (its normalisation is for sgd and momentum) - "
        "take one of these");
  CHECK(failure(load_network("resnet-small"), {.privacy = {.kind = PrivacyKind::local}}, 0.1) ==
        "privacy: resnet-small has batch normalisation (its running statistics would be sent without noise) - take a "
        "network without it");
  CHECK(failure(perceptron(),
                {.algorithm = {.kind = AlgorithmKind::fedasync},
                 .privacy = {.kind = PrivacyKind::central},
                 .secure = SecureAggregationOptions{}},
                0.1) ==
        "privacy: fedasync has no central noise (it goes onto a sum of clients' updates of equal weight at one server) "
        "- take local noise, or fedavg, fedprox, fedavgm, fedadam or fedbuff\n"
        "secure_aggregation: fedasync has no rounds (masks cancel in the sum of a round's clients alone) - take an "
        "algorithm with rounds");
  CHECK(failure(perceptron(),
                {.algorithm = {.kind = AlgorithmKind::gossip}, .compression = {.kind = CompressionKind::top_k}}, 0.1) ==
        "compression: gossip mixes whole models (neighbours would mix what was never sent: compressed gossip "
        "(CHOCO-SGD) is an algorithm of its own) - take compression = \"none\"");
  CHECK(failure(perceptron(), {.secure = SecureAggregationOptions{.bits = 8}, .expected_clients = 50}, 0.1) ==
        "secure_aggregation: a ring of 8 bits leaves steps of 2 to the sum of 50 clients (little of an update is left "
        "with fewer than 127 values on either side of 0) - raise ring_bits or take fewer clients per round");
  // 1,810 numbers, each up to half of 4 / 163 = 0.0245 away: 0.52 together.
  CHECK(
      failure(perceptron(),
              {.privacy = {.kind = PrivacyKind::central, .clip = 0.5},
               .secure = SecureAggregationOptions{.bits = 14},
               .expected_clients = 50},
              0.1) ==
      "secure_aggregation: rounding to the ring could make an update longer than the clip of 0.5 (half a step in each "
      "of its numbers is as long as that already) - raise ring_bits or lower ring_range");
  CHECK(
      failure(perceptron(), {.algorithm = {.kind = AlgorithmKind::qfedavg}, .privacy = {.kind = PrivacyKind::local}},
              0.1) ==
      "privacy: qfedavg cannot be private (clients' losses are sent without noise) - take fedavg, fedprox, fedavgm or "
      "fedadam");
}

}  // namespace
}  // namespace orrery
