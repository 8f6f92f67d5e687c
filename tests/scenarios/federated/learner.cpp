// The seam to real learning: what is trained when must not show.
#include "scenarios/federated/learner.hpp"

#include <numeric>

#include "models/training/weights_file.hpp"
#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/threads.hpp"
#include "tests/scenarios/federated/lab.hpp"

using namespace orrery;
using namespace orrery::testing;

namespace {

FederatedLab learning_lab(AlgorithmKind kind, int rounds) {
  std::vector<LabClient> clients;
  for (int i = 0; i < 8; ++i) clients.push_back({50, 20, 0.0005 * (1 + i % 3), 0.01});
  FederatedLab lab(clients);
  lab.learn(0.05);
  lab.options().algorithm.kind = kind;
  lab.options().rounds = rounds;
  lab.options().evaluate_every = rounds;
  lab.options().local_steps = 5;
  lab.participation().clients_per_round = 4;
  return lab;
}

std::unique_ptr<Learner> learner_of(FederatedLab& lab) {
  return make_learner(lab.scenario, lab.strategy(), 8, 2);
}

}  // namespace

TEST_CASE("one thread or two, a run is the same to the last bit") {
  using enum AlgorithmKind;
  for (const AlgorithmKind kind : {fedavg, scaffold, fedasync, fedbuff, hierarchical, gossip, split}) {
    FederatedLab lab = learning_lab(kind, kind == fedasync ? 12 : 3);
    lab.options().algorithm.buffer = 3;
    lab.options().compression.kind = kind == fedavg ? CompressionKind::top_k : CompressionKind::none;
    std::string bytes[2];
    for (const int threads : {1, 2}) {
      const ThreadCount count(threads);
      const Way way = lab.run();
      check_books(way);
      REQUIRE_FALSE(way.curve.empty());
      bytes[threads - 1] = to_bytes(way);
    }
    INFO("algorithm " << entry_of(kind).name);
    CHECK((bytes[0] == bytes[1]));  // not printed
  }
}

TEST_CASE("weights move by less than a model's own norm: updates are no models") {
  // A server that takes deltas for weights, or the other way round, leaves the neighbourhood of where it was.
  FederatedLab lab = learning_lab(AlgorithmKind::fedavg, 2);
  lab.options().evaluate_every = 1;
  const Way way = lab.run();
  REQUIRE(way.curve.size() == 2);
  CHECK(way.curve[1].loss < way.curve[0].loss);
  CHECK(way.curve[1].accuracy > 0.2);
}

TEST_CASE("an abandoned update leaves no trace") {
  FederatedLab lab = learning_lab(AlgorithmKind::scaffold, 2);
  const auto one = learner_of(lab), other = learner_of(lab);
  other->dispatch(5, 0, 0, 1);
  other->abandon(5);
  for (const auto& learner : {one.get(), other.get()}) {
    learner->dispatch(1, 0, 0, 1);
    learner->dispatch(2, 0, 0, 1);
    learner->aggregate(0, std::vector{Report{1, 0}, Report{2, 0}});
  }
  CHECK(one->evaluate({}).test.loss == other->evaluate({}).test.loss);
  CHECK(one->loss(1).has_value());
  CHECK_FALSE(other->loss(5).has_value());
}

TEST_CASE("an update starts from what was downloaded, not from what is there when it arrives") {
  FederatedLab lab = learning_lab(AlgorithmKind::fedasync, 2);
  const auto early = learner_of(lab), late = learner_of(lab);
  // The same two reports in the same order; in one case the second client downloads after the first step.
  for (Learner* learner : {early.get(), late.get()}) {
    learner->dispatch(0, 0, 0, 1);
    if (learner == early.get()) learner->dispatch(1, 0, 0, 1);
    learner->aggregate(0, std::vector{Report{0, 0}});
    if (learner == late.get()) learner->dispatch(1, 0, 0, 1);
    learner->aggregate(0, std::vector{Report{1, 0}});
  }
  CHECK(early->evaluate({}).test.loss != late->evaluate({}).test.loss);
}

TEST_CASE("slots are mixed all at once") {
  FederatedLab lab = learning_lab(AlgorithmKind::fedavg, 2);
  const auto learner = learner_of(lab);
  learner->dispatch(0, 1, 0, 1);
  learner->aggregate(1, std::vector{Report{0, 0}});
  const double first = learner->evaluate({0, 1}).test.loss, second = learner->evaluate({1, 1}).test.loss;
  CHECK(first != second);
  learner->mix(std::vector{MixedSlot{0, {{1, 1.0}}}, MixedSlot{1, {{0, 1.0}}}});  // swapped
  CHECK(learner->evaluate({0, 1}).test.loss == second);
  CHECK(learner->evaluate({1, 1}).test.loss == first);
  const LearnerEvaluation mean = learner->evaluate({0, 2});
  REQUIRE(mean.consensus);
  CHECK(*mean.consensus > 0);
}

TEST_CASE("drawn epochs lie between the two, differ, and are the same for clock and learning") {
  FederatedOptions options;
  options.local_epochs = 2;
  options.most_local_epochs = 5;
  std::vector<int> hits(6, 0);
  for (std::size_t client = 0; client < 50; ++client) {
    for (std::int64_t round = 0; round < 20; ++round) {
      const int epochs = drawn_epochs(options, 1, client, round);
      REQUIRE(epochs >= 2);
      REQUIRE(epochs <= 5);
      ++hits[static_cast<std::size_t>(epochs)];
      CHECK(epochs == drawn_epochs(options, 1, client, round));
    }
  }
  for (int epochs = 2; epochs <= 5; ++epochs) CHECK(hits[static_cast<std::size_t>(epochs)] > 200);
  options.most_local_epochs = 2;
  CHECK(drawn_epochs(options, 1, 3, 4) == 2);
}

TEST_CASE("privacy is amplified by sampling only where clients are a random sample of everybody") {
  FederatedLab lab = learning_lab(AlgorithmKind::fedavg, 1);
  const auto rate = [&lab] { return sampling_rate(lab.scenario.federation, lab.options()); };
  CHECK(rate() == 0.5);
  lab.participation().over_selection = 1.25;
  CHECK(rate() == 0.625);
  lab.participation().selection = Selection::round_robin;
  CHECK(rate() == 1);
  lab.participation().selection = Selection::random;
  lab.group(7).availability.kind = AvailabilityKind::on_off;
  CHECK(rate() == 1);
  lab.group(7).availability.kind = AvailabilityKind::always;
  lab.options().algorithm.kind = AlgorithmKind::fedbuff;
  CHECK(rate() == 1);
}

TEST_CASE("epsilon of clients that are not a random sample is larger") {
  FederatedLab lab = learning_lab(AlgorithmKind::fedavg, 1);
  lab.options().privacy.kind = PrivacyKind::central;
  const double sampled = *lab.run().curve.back().epsilon;
  lab.participation().selection = Selection::round_robin;
  CHECK(*lab.run().curve.back().epsilon > sampled);
}

TEST_CASE("epsilon grows with every noisy round, and stands in the curve") {
  FederatedLab lab = learning_lab(AlgorithmKind::fedavg, 3);
  lab.options().evaluate_every = 1;
  CHECK_FALSE(lab.run().curve.front().epsilon.has_value());
  lab.options().privacy.kind = PrivacyKind::central;
  const Way central = lab.run();
  REQUIRE(central.curve.size() == 3);
  CHECK(*central.curve[0].epsilon > 0);
  CHECK(*central.curve[1].epsilon > *central.curve[0].epsilon);
  lab.options().privacy.kind = PrivacyKind::local;
  // Of the client asked most often: no more than three releases, and without amplification more than the server's
  // noise.
  CHECK(*lab.run().curve[2].epsilon > *central.curve[2].epsilon);
}

TEST_CASE("a noisy update that arrives counts as released, used or not, a lost one does not") {
  FederatedLab lab = learning_lab(AlgorithmKind::fedavg, 1);
  lab.options().privacy.kind = PrivacyKind::local;
  const auto learner = learner_of(lab);
  const auto spent_on = [&](auto end) {
    learner->dispatch(0, 0, 0, 1);
    (learner.get()->*end)(0);
    return learner->epsilon().value_or(0);
  };
  const double before = learner->epsilon().value_or(0);
  CHECK(spent_on(&Learner::abandon) == before);
  CHECK(spent_on(&Learner::discard) > before);
}

TEST_CASE("without learning clients hold equal parts, or parts of log-normal sizes") {
  FederatedLab lab(std::vector<LabClient>(7));
  lab.scenario.workload.dataset_samples = 100;
  const auto equal = make_counting_learner(lab.scenario, lab.strategy(), 7);
  CHECK(equal->samples() == std::vector<std::int64_t>{14, 14, 14, 15, 14, 14, 15});
  lab.options().partition.kind = PartitionKind::quantity;
  const auto skewed = make_counting_learner(lab.scenario, lab.strategy(), 7);
  const auto& sizes = skewed->samples();
  CHECK(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) == 100);
  CHECK(*std::max_element(sizes.begin(), sizes.end()) > 20);
  CHECK_FALSE(skewed->learns());
}

TEST_CASE("the last global weights are saved") {
  FederatedLab lab = learning_lab(AlgorithmKind::fedavg, 1);
  const ScratchFolder folder;
  lab.strategy().save_weights = (folder.path() / "last.weights").string();
  const Way way = lab.run();
  CHECK(way.error == "");
  const ExecutionPlan plan(lab.scenario.workload.network);
  std::vector<float> weights(plan.weight_count());
  Problems problems;
  read_weights(lab.strategy().save_weights, plan, {}, weights, problems);
  CHECK(problems.empty());
}

TEST_CASE("a way comes through the pipe with its trips, steps and histograms as they were") {
  FederatedLab lab = learning_lab(AlgorithmKind::fedavg, 2);
  lab.options().privacy.kind = PrivacyKind::central;
  const Way way = lab.run();
  const std::string bytes = to_bytes(way);
  const Way again = way_from_bytes(bytes);
  CHECK(to_bytes(again) == bytes);
  CHECK_THROWS_AS(way_from_bytes(bytes.substr(0, bytes.size() - 1)), std::runtime_error);
  REQUIRE(again.federated.trips.size() == way.federated.trips.size());
  CHECK(again.federated.trips.back().end == way.federated.trips.back().end);
  CHECK(again.federated.trips.back().upload == way.federated.trips.back().upload);
  CHECK(again.federated.steps.size() == 2);
  CHECK(again.federated.steps[1].end == way.federated.steps[1].end);
  CHECK(again.federated.lines[0].name == "server");
  CHECK(again.histograms == way.histograms);
  CHECK(again.samples == way.samples);
  CHECK(again.seed == way.seed);
  CHECK(again.curve.back().epsilon == way.curve.back().epsilon);
  CHECK_FALSE(again.curve.back().consensus.has_value());
  REQUIRE(way.histograms.size() == 8);
  CHECK(std::accumulate(way.histograms[3].begin(), way.histograms[3].end(), 0) == way.samples[3]);
}
