// Layers that stay on their clients (FedPer).
#include <algorithm>

#include "models/training/federated/sent_numbers.hpp"
#include "sim/base/errors.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/federated/line.hpp"
#include "tests/models/training/federated/perceptron.hpp"

namespace orrery {
namespace {

TEST_CASE("the numbers of a model are sent or personal, once, and where the execution plan has them") {
  for (const char* name : {"2nn", "resnet-small", "char-lstm", "gpt-mini"}) {
    CAPTURE(name);
    const LayerGraph graph = load_network(name);
    const ExecutionPlan plan(graph);
    const SentNumbers all = sent_numbers(graph, {});
    CHECK(count_of(all.parameters) == plan.parameter_count());
    CHECK(count_of(all.statistics) == plan.weight_count() - plan.parameter_count());
    CHECK(all.personal.empty());
    for (std::size_t i = 0; i < plan.kernels(); ++i) {
      if (plan.steps(i).parameters.count == 0 || graph.layers[i].tied) continue;
      const SentNumbers without = sent_numbers(graph, {graph.layers[i].name});
      std::vector<NumberRange> expected = {plan.steps(i).parameters};
      if (plan.steps(i).state.count > 0) expected.push_back(plan.steps(i).state);
      REQUIRE(without.personal == expected);
      REQUIRE(count_of(without.parameters) == plan.parameter_count() - plan.steps(i).parameters.count);
    }
  }
}

TEST_CASE("numbers that are gathered and scattered come back to their places") {
  const std::vector<float> all = {0, 1, 2, 3, 4, 5, 6};
  const std::vector<NumberRange> runs = {{1, 2}, {5, 1}};
  const std::vector<float> some = gathered(all, runs);
  CHECK(some == std::vector<float>{1, 2, 5});
  std::vector<float> back(7, 9.0F);
  scatter(some, runs, back);
  CHECK(back == std::vector<float>{9, 1, 2, 9, 9, 5, 9});
}

std::string refusal(const LayerGraph& graph, const std::vector<std::string>& patterns) {
  try {
    sent_numbers(graph, patterns);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "none";
}

TEST_CASE("a pattern that no layer with weights matches is refused, and so is a model of nothing but personal layers") {
  CHECK(refusal(load_network("2nn"), {"dense33", "relu1", "dense1"}) ==
        "personal_layers: no layer with weights is called \"dense33\" - did you mean \"dense3\"?\n"
        "personal_layers: no layer with weights is called \"relu1\" - known: dense1, dense2, dense3");
  CHECK(
      refusal(load_network("2nn"), {"dense*"}) ==
      "personal_layers: every layer is personal (nothing is left to learn together) - keep at least one layer common");
}

TEST_CASE("personal layers are neither sent nor averaged, and every client goes on with its own") {
  const LayerGraph graph = perceptron();
  FederatedTraining training = training_of(graph, {.personal_layers = {"dense4"}}, 4);
  const NumberRange last = training.plan()->steps(3).parameters;
  const std::vector<float> start = initial_weights(graph, 1);
  std::vector<float> weights = start;
  const auto first = training.train(jobs({0, 1}, 0, shared(weights)));
  for (const ClientUpdate& update : first) {
    for (std::size_t i = 0; i < last.count; ++i) REQUIRE(update.delta[last.first + i] == 0);
  }
  CHECK(first[0].kept.personal != first[1].kept.personal);
  training.accept(weights, first);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const bool personal = i >= last.first && i < last.first + last.count;
    if (personal) REQUIRE(weights[i] == start[i]);
  }
  // From the same common weights a client that has its own layer goes on from there, one without from the start.
  const auto second = training.train(jobs({0}, 0, shared(start)));
  FederatedTraining fresh = training_of(graph, {.personal_layers = {"dense4"}}, 4);
  CHECK(second[0].delta != fresh.train(jobs({0}, 0, shared(start)))[0].delta);
}

TEST_CASE("frozen layers go down with the model, never up, and get neither noise nor a share of the clip") {
  LayerGraph graph = perceptron();
  for (Layer& layer : graph.layers) layer.frozen = layer.name == "dense2";
  constexpr double all = 64 * 24 + 24 + 24 * 10 + 10, last = 24 * 10 + 10;
  const SentNumbers numbers = sent_numbers(graph, {});
  CHECK(numbers.frozen == std::vector<NumberRange>{{0, 64 * 24 + 24}});
  CHECK(numbers.parameters == std::vector<NumberRange>{{64 * 24 + 24, 250}});
  const UpdateBytes bytes = update_bytes(graph, {});
  CHECK(bytes.down == Bytes(4 * all));
  CHECK(bytes.up == Bytes(4 * last));
  CHECK(bytes.numbers == 250);
  CHECK(bytes.model_numbers == 1810);
  CHECK(update_bytes(graph, {.compression = {.kind = CompressionKind::sign}}).up == Bytes(32 + 4));  // ceil(250 / 8)
  const UpdateBytes control = update_bytes(graph, {.algorithm = {.kind = AlgorithmKind::scaffold}});
  CHECK(control.down == Bytes(4 * (all + last)));
  CHECK(control.up == Bytes(4 * 2 * last));

  for (const PrivacyKind kind : {PrivacyKind::central, PrivacyKind::local}) {
    FederatedTraining training = training_of(graph, {.privacy = {.kind = kind}, .expected_clients = 2}, 4);
    const std::vector<float> start = initial_weights(graph, 1);
    std::vector<float> weights = start;
    training.accept(weights, training.train(jobs({0, 1}, 0, shared(start))));
    for (std::size_t i = 0; i < weights.size(); ++i) REQUIRE((weights[i] == start[i]) == (i < 1560));
  }
  CHECK(refusal(graph, {"dense4"}) ==
        "personal_layers: every layer is personal or frozen (nothing is left to learn together) - keep at least one "
        "layer common");
}

TEST_CASE("an evaluation of personal models weighs classes as each client holds them") {
  // Two clients whose last layer says one class whatever it sees: client 0 always class 0, client 1 always class 1.
  // Client 0 holds 3 samples of class 0 and 1 of class 1: 3/4 right. Client 1 holds classes 0 and 1 once: 1/2. Mean
  // 5/8.
  const LayerGraph graph = chain_network({1, 1, 1}, {{LayerKind::dense, {.channels = 1}},
                                                     {LayerKind::dense, {.channels = 2}},
                                                     {LayerKind::softmax_cross_entropy, {}}});
  Samples train;
  train.labels = {0, 0, 0, 1, 0, 1};
  train.inputs = std::vector<float>(6, 0.0F);
  Samples test;  // three of class 0, one of class 1: its own mix does not count
  test.labels = {0, 0, 1, 0};
  test.inputs = std::vector<float>(4, 0.0F);
  FederatedTraining training(graph, train, {{0, 1, 2, 3}, {4, 5}}, {.personal_layers = {"dense2"}});
  std::vector<float> weights(6, 0.0F);  // w, b; 2 weights, 2 biases
  // Without personal layers yet: the one model, which takes class 0 when both score the same: 3 of 4.
  CHECK(training.evaluate(weights, test).accuracy == Approx(0.75));
  std::vector<ClientUpdate> updates(2);
  for (std::size_t client = 0; client < 2; ++client) {
    updates[client].client = client;
    updates[client].samples = 1;
    updates[client].delta.resize(6);
    updates[client].kept.personal = {0, 0, client == 0 ? 5.0F : 0.0F, client == 0 ? 0.0F : 5.0F};
  }
  training.accept(weights, updates);
  const Evaluation both = training.evaluate(weights, test);
  CHECK(both.accuracy == Approx(0.625));
  // Right: log(1 + e^-5); wrong: 5 more.
  CHECK(both.loss == Approx(std::log1p(std::exp(-5.0)) + 5 * (0.25 + 0.5) / 2));
}

}  // namespace
}  // namespace orrery
