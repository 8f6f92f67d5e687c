#include "analysis/validation/rerun_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "models/training/federated/federated_training.hpp"
#include "models/training/partition.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

constexpr int known_clients = 100;

PartitionOptions partition_of(const PublishedRow& row) {
  PartitionOptions options;
  const auto& all = partitions();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& e) { return e.name == row.partition; });
  if (found == all.end()) throw std::invalid_argument("row " + row.name + ": no partition is called " + row.partition);
  options.kind = found->kind;
  return options;
}

FederatedTrainingOptions training_options_of(const PublishedRow& row, double learning_rate, std::uint64_t seed) {
  FederatedTrainingOptions options;
  options.local.batch = row.local_batch;
  options.local.optimizer.kind = OptimizerKind::sgd;
  options.local.optimizer.learning_rate = learning_rate;
  options.expected_clients = row.clients_per_round;
  options.seed = seed;
  return options;
}

/// Federated averaging at one learning rate.
class Federation {
 public:
  Federation(const PublishedRow& row, const LayerGraph& graph, const DataSet& data, double learning_rate,
             std::uint64_t seed)
      : row_(row),
        data_(data),
        seed_(seed),
        training_(graph, data.train, parts(row, data, seed), training_options_of(row, learning_rate, seed)),
        weights_(initial_weights(graph, seed)) {}

  [[nodiscard]] double accuracy() const { return training_.evaluate(weights_, data_.test).accuracy; }

  void round(std::int64_t number) {
    const auto received = std::make_shared<const std::vector<float>>(weights_);
    std::vector<LocalJob> jobs;
    for (const std::size_t client : chosen(number)) {
      LocalJob job;
      job.client = client;
      job.round = number;
      job.received = received;
      job.epochs = row_.local_epochs;
      jobs.push_back(std::move(job));
    }
    training_.accept(weights_, training_.train(jobs));
  }

 private:
  static std::vector<std::vector<std::size_t>> parts(const PublishedRow& row, const DataSet& data, std::uint64_t seed) {
    Random random = Random::derived(seed, "partition");
    return partition(data.train, known_clients, partition_of(row), random);
  }

  [[nodiscard]] std::vector<std::size_t> chosen(std::int64_t round) const {
    Random random = Random::derived(seed_, "selection", static_cast<std::uint64_t>(round));
    std::vector<std::size_t> clients(known_clients);
    std::iota(clients.begin(), clients.end(), std::size_t{0});
    random.shuffle(clients);
    clients.resize(row_.clients_per_round);
    std::sort(clients.begin(), clients.end());
    return clients;
  }

  const PublishedRow& row_;
  const DataSet& data_;
  std::uint64_t seed_;
  FederatedTraining training_;
  std::vector<float> weights_;
};

struct Attempt {
  std::optional<double> rounds;
  double accuracy = 0;
};

/// Up to `most` rounds. A rate at which the loss is no number any more reaches nothing.
Attempt attempt(Federation federation, const PublishedRow& row, std::int64_t most, const RerunProgress& progress) {
  const auto every = std::max<std::int64_t>(1, static_cast<std::int64_t>(row.published_rounds) / 100);
  std::vector<RoundAccuracy> curve = {{0, federation.accuracy()}};
  Attempt result;
  try {
    for (std::int64_t round = 1; round <= most; ++round) {
      federation.round(round - 1);
      if (round % every != 0 && round != most) continue;
      curve.push_back({static_cast<double>(round), federation.accuracy()});
      result.accuracy = std::max(result.accuracy, curve.back().accuracy);
      if (progress) {
        progress(static_cast<double>(round) / static_cast<double>(most),
                 fmt::format("round {}, accuracy {:.4f}", round, curve.back().accuracy));
      }
      if (curve.back().accuracy >= row.target_accuracy) break;
    }
  } catch (const std::runtime_error&) {
    return result;
  }
  result.rounds = rounds_to_target(curve, row.target_accuracy);
  return result;
}

}  // namespace

std::optional<double> rounds_to_target(const std::vector<RoundAccuracy>& curve, double target) {
  RoundAccuracy before{};
  for (const RoundAccuracy& point : curve) {
    if (point.accuracy >= target) {
      if (before.round == point.round) return point.round;  // the first point already
      const double share = (target - before.accuracy) / (point.accuracy - before.accuracy);
      return before.round + share * (point.round - before.round);
    }
    before = {point.round, std::max(before.accuracy, point.accuracy)};
  }
  return std::nullopt;
}

RerunRow rerun_row(const PublishedRow& row, const DataSet& data, std::uint64_t seed, const RerunProgress& progress) {
  const LayerGraph graph = load_network(row.network);
  RerunRow best{row.name, seed, {}, 0, 0};
  auto most = static_cast<std::int64_t>(std::ceil(row.band_high * row.published_rounds));
  for (std::size_t index = 0; index < row.learning_rates.size(); ++index) {
    const double rate = row.learning_rates[index];
    const RerunProgress report = [&](double share, const std::string& detail) {
      if (!progress) return;
      progress((static_cast<double>(index) + share) / static_cast<double>(row.learning_rates.size()),
               fmt::format("learning rate {}, {}", number_text(rate), detail));
    };
    const Attempt tried = attempt(Federation(row, graph, data, rate, seed), row, most, report);
    const bool is_better =
        tried.rounds ? !best.rounds || *tried.rounds < *best.rounds : !best.rounds && tried.accuracy > best.accuracy;
    if (!is_better) continue;
    best.rounds = tried.rounds;
    best.learning_rate = rate;
    best.accuracy = tried.accuracy;
    if (best.rounds) most = static_cast<std::int64_t>(std::ceil(*best.rounds));
  }
  return best;
}

}  // namespace orrery
