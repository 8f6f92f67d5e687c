// What algorithms add to the gradients of local steps, on a line through points.
#include <cmath>

#include "models/training/local_trainer.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/federated/line.hpp"

namespace orrery {
namespace {

LocalResult train_line(LocalTrainer& trainer, const Samples& samples, const std::vector<float>& start,
                       const StepTerm& term, std::int64_t steps) {
  const std::vector<std::size_t> first = {0};
  return trainer.train({.start = start,
                        .samples = samples,
                        .indices = first,
                        .work = {.steps = steps},
                        .learning_rate = 0.1,
                        .term = term},
                       Random(1));
}

TEST_CASE("a local step on one point is gradient descent by hand") {
  const Samples samples = points({{2, 1}});
  LocalTrainer trainer(std::make_shared<const ExecutionPlan>(line()), {});
  // e = 1 x 2 + 0 - 1 = 1, gradient 2 (2, 1) = (4, 2).
  CHECK(train_line(trainer, samples, {1, 0}, {}, 1).train_loss == 1);
  CHECK(trainer.weights()[0] == Approx(0.6));
  CHECK(trainer.weights()[1] == Approx(-0.2));
}

TEST_CASE("the proximal term pulls towards where the client started") {
  const Samples samples = points({{2, 1}});
  LocalTrainer trainer(std::make_shared<const ExecutionPlan>(line()), {});
  const std::vector<float> start = {1, 0};
  train_line(trainer, samples, start, {.proximal = 0.5, .anchor = start}, 2);
  // The first step as without it: (0.6, -0.2). There e = 0: the second step is -0.1 x 0.5 (0.6 - 1, -0.2 - 0).
  CHECK(trainer.weights()[0] == Approx(0.62));
  CHECK(trainer.weights()[1] == Approx(-0.19));
}

TEST_CASE("a shift corrects every step, whatever clipping, decay and momentum make of the gradient") {
  const Samples samples = points({{2, 1}});
  const std::vector<float> shift = {-4, 3};
  LocalTrainer plain(std::make_shared<const ExecutionPlan>(line()), {});
  train_line(plain, samples, {1, 0}, {.shift = shift}, 1);
  CHECK(plain.weights()[0] == Approx(1.0));   // 1 - 0.1 (4 - 4)
  CHECK(plain.weights()[1] == Approx(-0.5));  // 0 - 0.1 (2 + 3)
  OptimizerOptions other;
  SECTION("clipping") {
    other.clip_norm = 1;
  }
  SECTION("decay") {
    other.weight_decay = 0.5;
  }
  SECTION("momentum") {
    other.kind = OptimizerKind::momentum;
  }
  LocalTrainer with(std::make_shared<const ExecutionPlan>(line()), {.optimizer = other});
  LocalTrainer without(std::make_shared<const ExecutionPlan>(line()), {.optimizer = other});
  train_line(with, samples, {1, 0}, {.shift = shift}, 1);
  train_line(without, samples, {1, 0}, {}, 1);
  CHECK(with.weights()[0] == Approx(without.weights()[0] + 0.4));
  CHECK(with.weights()[1] == Approx(without.weights()[1] - 0.3));
}

TEST_CASE("clipping sees the proximal term: it belongs to what is minimised") {
  const Samples samples = points({{2, 1}});
  const std::vector<float> start = {1, 0}, anchor = {2, -2};
  LocalTrainer trainer(std::make_shared<const ExecutionPlan>(line()), {.optimizer = {.clip_norm = 1}});
  train_line(trainer, samples, start, {.proximal = 1, .anchor = anchor}, 1);
  // (4, 2) + (1 - 2, 0 + 2) = (3, 4), clipped to (0.6, 0.8).
  CHECK(trainer.weights()[0] == Approx(0.94));
  CHECK(trainer.weights()[1] == Approx(-0.08));
}

TEST_CASE("the next client of a trainer begins without the last one's term") {
  const Samples samples = points({{2, 1}});
  LocalTrainer trainer(std::make_shared<const ExecutionPlan>(line()), {});
  const std::vector<float> shift = {100, 100};
  train_line(trainer, samples, {1, 0}, {.shift = shift}, 1);
  train_line(trainer, samples, {1, 0}, {}, 1);
  CHECK(trainer.weights()[0] == Approx(0.6));
}

// Two clients with one point each, both at x = 1: F_0 = (w + b - 1)^2, F_1 = (w + b - 5)^2. From (0, 0) with rate 0.1
// client 0 steps by 0.2 (1, 1), client 1 by 1.0 (1, 1).
std::vector<std::vector<std::size_t>> one_each() {
  return {{0}, {1}};
}
FederatedTrainingOptions line_options(AlgorithmKind kind) {
  return {
      .local = {.batch = 1, .optimizer = {.learning_rate = 0.1}}, .algorithm = {.kind = kind}, .expected_clients = 2};
}

TEST_CASE("two clients' first round by hand, with every algorithm that averages") {
  const Samples samples = points({{1, 1}, {1, 5}});
  const LayerGraph graph = line();
  for (const AlgorithmKind kind : {AlgorithmKind::fedsgd, AlgorithmKind::fedavg, AlgorithmKind::fedprox,
                                   AlgorithmKind::scaffold, AlgorithmKind::fednova, AlgorithmKind::fedavgm}) {
    FederatedTraining training(graph, samples, one_each(), line_options(kind));
    std::vector<float> weights = {0, 0};
    const auto updates = training.train(jobs({0, 1}, 0, shared(weights)));
    CHECK(updates[0].delta[0] == Approx(0.2));
    CHECK(updates[1].delta[0] == Approx(1.0));
    CHECK(updates[0].train_loss == Approx(1));
    CHECK(updates[1].train_loss == Approx(25));
    training.accept(weights, updates);
    CAPTURE(entry_of(kind).name);
    CHECK(weights[0] == Approx(0.6));
    CHECK(weights[1] == Approx(0.6));
  }
}

TEST_CASE("scaffold's second round steps every client along the common gradient") {
  const Samples samples = points({{1, 1}, {1, 5}});
  const LayerGraph graph = line();
  FederatedTraining training(graph, samples, one_each(), line_options(AlgorithmKind::scaffold));
  std::vector<float> weights = {0, 0};
  training.accept(weights, training.train(jobs({0, 1}, 0, shared(weights))));
  // w + b = 1.2: gradients 2 (0.2) = 0.4 and 2 (-3.8) = -7.6, each corrected by c - c_i: c_0 = -2, c_1 = -10, c = -6:
  // 0.4 - 4 = -3.6 and -7.6 + 4 = -3.6: no drift at all.
  const auto updates = training.train(jobs({0, 1}, 1, shared(weights)));
  for (const ClientUpdate& update : updates) {
    CHECK(update.delta[0] == Approx(0.36));
    CHECK(update.delta[1] == Approx(0.36));
  }
}

TEST_CASE("what is sent is a change of weights: a round of vanishing steps leaves the model where it is") {
  // Gradients or models sent in the place of changes would replace the model or double it.
  const Samples samples = points({{1, 1}, {1, 5}});
  const LayerGraph graph = line();
  for (const FederatedAlgorithmEntry& entry : federated_algorithms()) {
    // The adaptive servers move by their own rate whatever the size of the changes: tau keeps them still here.
    FederatedTrainingOptions options = line_options(entry.kind);
    options.local.optimizer.learning_rate = 1e-9;
    options.algorithm.tau = 1;
    FederatedTraining training(graph, samples, one_each(), options);
    std::vector<float> weights = {300, -400};
    training.accept(weights, training.train(jobs({0, 1}, 0, shared(weights))));
    CAPTURE(entry.name);
    CHECK(std::hypot(weights[0], weights[1]) == Approx(500).epsilon(1e-5));
    CHECK(weights[0] == Approx(300).epsilon(1e-5));
  }
}

TEST_CASE("fedsgd and async-sgd make one gradient step whatever is asked for") {
  const Samples samples = points({{1, 1}, {1, 5}, {1, 3}});
  const LayerGraph graph = line();
  for (const AlgorithmKind kind : {AlgorithmKind::fedsgd, AlgorithmKind::async_sgd}) {
    FederatedTraining training(graph, samples, {{0, 1, 2}}, line_options(kind));
    const auto updates = training.train(jobs({0}, 0, shared({0, 0}), 5));
    CHECK(updates[0].steps == 1);
  }
  // The mean gradient over (1, 5, 3): -6.
  FederatedTraining training(graph, samples, {{0, 1, 2}}, line_options(AlgorithmKind::fedsgd));
  CHECK(training.train(jobs({0}, 0, shared({0, 0})))[0].delta[0] == Approx(0.6));
}

}  // namespace
}  // namespace orrery
