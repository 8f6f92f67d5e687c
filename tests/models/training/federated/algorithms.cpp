// Server steps on two parameters, worked by hand.
#include <cmath>
#include <set>
#include <string>

#include "models/training/federated/algorithm.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/federated/line.hpp"

namespace orrery {
namespace {

std::unique_ptr<FederatedAlgorithm> two_parameters(const AlgorithmOptions& options, std::size_t clients = 2,
                                                   double momentum = 0) {
  return entry_of(options.kind)
      .make({.options = options, .clients = clients, .parameters = 2, .weights = 2, .momentum = momentum});
}

// 100 samples moved by (1, -2), 300 by (3, 2): the mean by samples is (2.5, 1), the plain mean (2, 0).
std::vector<ClientUpdate> two_updates() {
  return {{.client = 0, .delta = {1, -2}, .samples = 100, .steps = 10, .learning_rate = 0.1},
          {.client = 1, .delta = {3, 2}, .samples = 300, .steps = 30, .learning_rate = 0.1}};
}

std::vector<float> after(FederatedAlgorithm& algorithm, std::vector<float> weights,
                         const std::vector<ClientUpdate>& updates) {
  algorithm.apply(weights, updates);
  return weights;
}

TEST_CASE("fedsgd, fedavg and fedprox add the mean delta by samples, and fedavg the server's share of it") {
  CHECK(after(*two_parameters({.kind = AlgorithmKind::fedsgd, .server_learning_rate = 7}), {10, 20}, two_updates()) ==
        std::vector<float>{12.5F, 21});
  CHECK(after(*two_parameters({.kind = AlgorithmKind::fedavg}), {10, 20}, two_updates()) ==
        std::vector<float>{12.5F, 21});
  CHECK(after(*two_parameters({.kind = AlgorithmKind::fedprox}), {10, 20}, two_updates()) ==
        std::vector<float>{12.5F, 21});
  CHECK(after(*two_parameters({.kind = AlgorithmKind::fedavg, .server_learning_rate = 0.5}), {10, 20}, two_updates()) ==
        std::vector<float>{11.25F, 20.5F});
}

TEST_CASE("fedavgm keeps a velocity") {
  const auto algorithm = two_parameters({.kind = AlgorithmKind::fedavgm, .server_momentum = 0.5});
  // v = (2.5, 1), then 0.5 v + (2.5, 1) = (3.75, 1.5).
  const std::vector<float> once = after(*algorithm, {10, 20}, two_updates());
  CHECK(once == std::vector<float>{12.5F, 21});
  CHECK(after(*algorithm, once, two_updates()) == std::vector<float>{16.25F, 22.5F});
}

TEST_CASE("the adaptive servers divide by the root of what they have seen") {
  // d = (2.5, 1), m = 0.1 d, v from tau^2 = 0.25; d^2 = (6.25, 1).
  struct Row {
    AlgorithmKind kind;
    double first, second;  // v
  };
  const std::vector<Row> rows = {
      {AlgorithmKind::fedadagrad, 0.25 + 6.25, 0.25 + 1},
      {AlgorithmKind::fedadam, 0.75 * 0.25 + 0.25 * 6.25, 0.75 * 0.25 + 0.25 * 1},
      {AlgorithmKind::fedyogi, 0.25 + 0.25 * 6.25, 0.25 + 0.25 * 1},  // v < d^2: grows
  };
  for (const Row& row : rows) {
    const auto algorithm =
        two_parameters({.kind = row.kind, .server_learning_rate = 2, .beta1 = 0.9, .beta2 = 0.75, .tau = 0.5});
    const std::vector<float> moved = after(*algorithm, {10, 20}, two_updates());
    CHECK(moved[0] == Approx(10 + 2 * 0.25 / (std::sqrt(row.first) + 0.5)));
    CHECK(moved[1] == Approx(20 + 2 * 0.1 / (std::sqrt(row.second) + 0.5)));
  }
}

TEST_CASE("fedyogi's v shrinks by no more than the small square that it sees") {
  // v = 4, d^2 = (0.25, 0): v = 4 - 0.25 x 0.25 = 3.9375 and 4.
  const auto algorithm = two_parameters({.kind = AlgorithmKind::fedyogi, .beta1 = 0, .beta2 = 0.75, .tau = 2});
  const auto moved = after(*algorithm, {0, 0}, {{.delta = {0.5F, 0}, .samples = 1}});
  CHECK(moved[0] == Approx(0.5 / (std::sqrt(3.9375) + 2)));
  CHECK(moved[1] == 0);
}

TEST_CASE("fednova averages changes per step, and steps the mean of the steps") {
  // (10 x 1/4 + 30 x 3/4) (1/4 (1, -2) / 10 + 3/4 (3, 2) / 30) = 25 (0.1, 0).
  const auto moved = after(*two_parameters({.kind = AlgorithmKind::fednova}), {10, 20}, two_updates());
  CHECK(moved[0] == Approx(12.5));
  CHECK(moved[1] == Approx(20).margin(1e-6));
}

TEST_CASE("fednova counts what momentum accumulates") {
  // Two steps with momentum 1/2: the first gradient counts 1 + 1/2, the second 1: 2.5. One step: 1.
  const std::vector<ClientUpdate> updates = {{.delta = {5, 0}, .samples = 1, .steps = 2},
                                             {.delta = {0, 1}, .samples = 1, .steps = 1}};
  // (2.5 / 2 + 1 / 2) (1/2 (5, 0) / 2.5 + 1/2 (0, 1) / 1) = 1.75 (1, 0.5).
  const auto moved = after(*two_parameters({.kind = AlgorithmKind::fednova}, 2, 0.5), {0, 0}, updates);
  CHECK(moved[0] == Approx(1.75));
  CHECK(moved[1] == Approx(0.875));
}

TEST_CASE("qfedavg weighs by loss") {
  // eta = 0.1, L = 10. F = 2 and 4, q = 1: F D = 2 (-10, 20) + 4 (-30, -20) = (-140, -40);
  // h = |D|^2 + L F = (500 + 20) + (1300 + 40) = 1860.
  std::vector<ClientUpdate> updates = two_updates();
  updates[0].start_loss = 2;
  updates[1].start_loss = 4;
  const auto moved = after(*two_parameters({.kind = AlgorithmKind::qfedavg, .fairness_q = 1}), {10, 20}, updates);
  CHECK(moved[0] == Approx(10 + 140.0 / 1860));
  CHECK(moved[1] == Approx(20 + 40.0 / 1860));
}

TEST_CASE("qfedavg with q = 0 is the plain mean, whatever the losses") {
  std::vector<ClientUpdate> updates = two_updates();
  updates[0].start_loss = 0;
  updates[1].start_loss = 4;
  const auto moved = after(*two_parameters({.kind = AlgorithmKind::qfedavg, .fairness_q = 0}), {10, 20}, updates);
  CHECK(moved[0] == Approx(12));
  CHECK(moved[1] == Approx(20).margin(1e-6));
}

TEST_CASE("scaffold's control variates are those of option II") {
  const auto algorithm = two_parameters({.kind = AlgorithmKind::scaffold}, 4);
  std::vector<ClientUpdate> updates = two_updates();
  for (ClientUpdate& update : updates) algorithm->finish_client(update);
  // c = 0: c_i+ = -delta / (K eta): -(1, -2) / (10 x 0.1), -(3, 2) / (30 x 0.1).
  CHECK(updates[0].control[0] == Approx(-1));
  CHECK(updates[0].control[1] == Approx(2));
  CHECK(updates[1].control[0] == Approx(-1));
  CHECK(updates[1].control[1] == Approx(-2.0 / 3));
  // Clients weigh the same: (2, 0).
  CHECK(after(*algorithm, {10, 20}, updates) == std::vector<float>{12, 20});
  // c = 2/4 of the mean (-1, 2/3) = (-1/2, 1/3). Client 0: c - c_0 = (1/2, -5/3); client 2 has no c_2 yet.
  const std::vector<double> of_client_0 = {0.5, -5.0 / 3}, of_client_2 = {-0.5, 1.0 / 3};
  for (const std::size_t i : {0U, 1U}) {
    CHECK(algorithm->local_term(0).shift[i] == Approx(of_client_0[i]));
    CHECK(algorithm->local_term(2).shift[i] == Approx(of_client_2[i]));
  }
}

TEST_CASE("fedasync mixes each model in as it comes") {
  const auto algorithm =
      two_parameters({.kind = AlgorithmKind::fedasync, .mixing = 0.5, .staleness = Staleness::polynomial});
  const Weights received = shared({8, 8});
  // 1/2 (10, 20) + 1/2 (8 + 2, 8 + 4) = (10, 16); then with 3 updates in between 0.5 x 4^-0.5 = 1/4:
  // 3/4 (10, 16) + 1/4 (8 + 6, 8) = (11, 14).
  CHECK(after(*algorithm, {10, 20},
              {{.received = received, .delta = {2, 4}}, {.received = received, .delta = {6, 0}, .staleness = 3}}) ==
        std::vector<float>{11, 14});
}

TEST_CASE("fedbuff scales stale updates down and divides by their number") {
  // staleness 0 and 3: 1/2 ((1, -2) + 1/2 (3, 2)) = (1.25, -0.5), twice that for the server's rate of 2.
  std::vector<ClientUpdate> updates = two_updates();
  updates[1].staleness = 3;
  CHECK(after(*two_parameters({.kind = AlgorithmKind::fedbuff, .server_learning_rate = 2}), {10, 20}, updates) ==
        std::vector<float>{12.5F, 19});
}

TEST_CASE("async-sgd applies every gradient whatever its age") {
  std::vector<ClientUpdate> updates = two_updates();
  updates[1].staleness = 100;
  CHECK(after(*two_parameters({.kind = AlgorithmKind::async_sgd}), {10, 20}, updates) == std::vector<float>{14, 20});
}

TEST_CASE("staleness weighs as published") {
  const AlgorithmOptions polynomial{.staleness = Staleness::polynomial, .staleness_a = 0.5};
  CHECK(staleness_weight(polynomial, 0) == 1);
  CHECK(staleness_weight(polynomial, 3) == Approx(0.5));
  const AlgorithmOptions hinge{.staleness = Staleness::hinge, .staleness_a = 10, .staleness_b = 4};
  CHECK(staleness_weight(hinge, 4) == 1);
  CHECK(staleness_weight(hinge, 6) == Approx(1.0 / 21));
  CHECK(staleness_weight({.staleness = Staleness::constant}, 1000) == 1);
}

TEST_CASE("running statistics are averaged by samples whatever the algorithm does with parameters") {
  for (const FederatedAlgorithmEntry& entry : federated_algorithms()) {
    if (entry.coordination == Coordination::asynchronous) continue;  // one update at a time there
    CAPTURE(entry.name);
    const auto algorithm = entry.make(
        {.options = {.kind = entry.kind, .server_learning_rate = 0.25}, .clients = 2, .parameters = 1, .weights = 2});
    std::vector<ClientUpdate> updates = two_updates();
    for (ClientUpdate& update : updates) {
      update.start_loss = 1;
      algorithm->finish_client(update);
    }
    CHECK(after(*algorithm, {10, 20}, updates)[1] == 21);  // (100 x -2 + 300 x 2) / 400
  }
}

TEST_CASE("a mean delta of equal updates is that update, and the order given is the order of the sum") {
  const std::vector<ClientUpdate> equal(7, {.delta = {0.1F, 0.2F, 0.3F}, .samples = 13});
  const std::vector<double> mean = mean_delta(equal, 1, 3);
  REQUIRE(mean.size() == 2);
  CHECK(static_cast<float>(mean[0]) == 0.2F);
  CHECK(static_cast<float>(mean[1]) == 0.3F);
}

TEST_CASE("every kind of algorithm stands in the table once, with its source") {
  std::set<std::string> names;
  for (const FederatedAlgorithmEntry& entry : federated_algorithms()) {
    CHECK(names.insert(entry.name).second);
    CHECK(&entry_of(entry.kind) == &entry);
    CHECK(!entry.summary.empty());
    CHECK(!entry.source.empty());
  }
  CHECK(names.size() == static_cast<std::size_t>(AlgorithmKind::split) + 1);
}

TEST_CASE("the a of hinge is 10 and that of polynomial 0.5, as published") {
  CHECK(default_staleness_a(Staleness::polynomial) == 0.5);
  CHECK(default_staleness_a(Staleness::hinge) == 10);
}

TEST_CASE("a cut network has no rate of its server step: its option would be read by nothing") {
  CHECK(entry_of(AlgorithmKind::split).options.empty());
}

}  // namespace
}  // namespace orrery
