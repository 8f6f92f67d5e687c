#include "scenarios/federated/learner.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/cost/memory.hpp"

namespace orrery {
namespace {

class CountingLearner final : public Learner {
 public:
  explicit CountingLearner(std::vector<std::int64_t> samples) : samples_(std::move(samples)) {}

  [[nodiscard]] const std::vector<std::int64_t>& samples() const override { return samples_; }
  [[nodiscard]] bool learns() const override { return false; }
  void dispatch(std::size_t /*client*/, std::size_t /*slot*/, std::int64_t /*round*/, int /*epochs*/) override {}
  void abandon(std::size_t /*client*/) override {}
  double aggregate(std::size_t /*slot*/, std::span<const Report> /*reports*/) override { return 0; }
  void mix(std::span<const MixedSlot> /*rows*/) override {}
  [[nodiscard]] std::optional<double> loss(std::size_t /*client*/) const override { return std::nullopt; }
  LearnerEvaluation evaluate(SlotRange /*slots*/) override { return {}; }
  [[nodiscard]] std::optional<double> epsilon() const override { return std::nullopt; }
  [[nodiscard]] std::vector<std::vector<std::int32_t>> histograms() const override { return {}; }
  [[nodiscard]] std::int64_t test_samples() const override { return 0; }
  void save(const std::string& /*file*/) const override {}

 private:
  std::vector<std::int64_t> samples_;
};

std::size_t clients_per_step(const FederatedOptions& options) {
  const AlgorithmOptions& algorithm = options.algorithm;
  if (entry_of(algorithm.kind).coordination != Coordination::asynchronous) {
    return static_cast<std::size_t>(options.participation.clients_per_round);
  }
  return algorithm.kind == AlgorithmKind::fedbuff ? static_cast<std::size_t>(algorithm.buffer) : 1;
}

}  // namespace

FederatedTrainingOptions training_options(const Scenario& scenario, const StrategySpec& strategy) {
  const FederatedOptions& asked = strategy.federated;
  FederatedTrainingOptions options;
  options.local.batch = asked.local_batch;
  options.local.optimizer = strategy.optimizer;
  options.local.optimizer.schedule = {};
  // Any format of two bytes travels as bf16 does; learning refuses the others.
  const bool halves = bytes_per_parameter(strategy.precision, strategy.optimizer.kind).weights == 2;
  options.local.storage = halves ? Storage::bf16 : Storage::fp32;
  options.local.recompute = strategy.recompute;
  options.schedule = strategy.optimizer.schedule;
  options.schedule.total = asked.rounds;
  options.algorithm = asked.algorithm;
  options.compression = asked.compression;
  options.privacy = asked.privacy;
  options.secure = asked.secure;
  options.personal_layers = asked.personal_layers;
  options.expected_clients = clients_per_step(asked);
  options.asked_clients = asked_clients(asked.participation);
  options.seed = scenario.seed;
  return options;
}

double sampling_rate(const FederationSpec& federation, const FederatedOptions& options) {
  const auto always = [](const ClientGroup& group) { return group.availability.kind == AvailabilityKind::always; };
  const bool is_sample = entry_of(options.algorithm.kind).coordination == Coordination::rounds &&
                         options.participation.selection == Selection::random &&
                         std::all_of(federation.groups.begin(), federation.groups.end(), always);
  if (!is_sample) return 1.0;
  return std::min(1.0, static_cast<double>(asked_clients(options.participation)) / federation.clients());
}

std::vector<std::vector<std::size_t>> deal_samples(const Scenario& scenario, const StrategySpec& strategy,
                                                   const Samples& samples, std::size_t clients) {
  Random random = Random::derived(scenario.seed, "partition");
  return partition(samples, static_cast<int>(clients), strategy.federated.partition, random);
}

int drawn_epochs(const FederatedOptions& options, std::uint64_t seed, std::size_t client, std::int64_t round) {
  const int spread = options.most_local_epochs - options.local_epochs;
  if (spread <= 0) return options.local_epochs;
  constexpr std::uint64_t most_clients = 1U << 24U;  // a client and a round in one index
  Random random = Random::derived(seed, "local epochs", static_cast<std::uint64_t>(round) * most_clients + client);
  return options.local_epochs + static_cast<int>(random.below(static_cast<std::size_t>(spread) + 1));
}

std::unique_ptr<Learner> make_counting_learner(const Scenario& scenario, const StrategySpec& strategy,
                                               std::size_t clients) {
  const std::int64_t total = scenario.workload.dataset_samples;
  std::vector<std::int64_t> sizes;
  sizes.reserve(clients);
  if (strategy.federated.partition.kind == PartitionKind::quantity) {
    Samples unread;  // only their number matters
    unread.labels.resize(static_cast<std::size_t>(total));
    for (const auto& part : deal_samples(scenario, strategy, unread, clients)) {
      sizes.push_back(static_cast<std::int64_t>(part.size()));
    }
  } else {
    const auto count = static_cast<std::int64_t>(clients);
    for (std::int64_t c = 0; c < count; ++c) sizes.push_back(total * (c + 1) / count - total * c / count);
  }
  return std::make_unique<CountingLearner>(std::move(sizes));
}

}  // namespace orrery
