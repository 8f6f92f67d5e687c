// Real learning on a data set, as lazily as it can be without showing.
#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>

#include "models/kernels/parallel.hpp"
#include "models/training/weights_file.hpp"
#include "scenarios/central_learning.hpp"
#include "scenarios/federated/learner.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// What has been spent. central: a step with a share of the clients drawn at random. local: every release of a client
/// is its own; the client with the most of them counts.
class PrivacyLedger {
 public:
  PrivacyLedger(const PrivacyOptions& options, double rate) : options_(options), rate_(rate) {}

  void add(std::span<const Report> reports) {
    if (options_.kind == PrivacyKind::central) accountant_.add(rate_, options_.noise_multiplier);
    for (const Report& report : reports) add_release(report.client);
  }
  /// An update has left the client, whether it goes into the model or not.
  void add_release(std::size_t client) {
    if (options_.kind == PrivacyKind::local) most_ = std::max(most_, ++releases_[client]);
  }
  [[nodiscard]] std::optional<double> epsilon() const {
    if (options_.kind == PrivacyKind::none) return std::nullopt;
    if (options_.kind == PrivacyKind::central) return accountant_.epsilon(options_.delta);
    RdpAccountant own;
    own.add(1.0, local_noise_multiplier(options_), most_);
    return own.epsilon(options_.delta);
  }

 private:
  PrivacyOptions options_;
  double rate_;
  RdpAccountant accountant_;
  std::map<std::size_t, std::int64_t> releases_;
  std::int64_t most_ = 0;
};

/// A client under way, or one whose update is known before it is needed.
struct Dispatched {
  LocalJob job;
  std::uint64_t order = 0;  // of dispatch
  std::optional<ClientUpdate> update;
};

class RealLearner final : public Learner {
 public:
  RealLearner(const Scenario& scenario, const StrategySpec& strategy, std::size_t clients, std::size_t slots)
      : options_(strategy.federated),
        data_(load_data_set(scenario.workload.dataset, scenario.seed)),
        training_(scenario.workload.network, data_.train, deal_samples(scenario, strategy, data_.train, clients),
                  training_options(scenario, strategy)),
        privacy_(strategy.federated.privacy, sampling_rate(scenario.federation, strategy.federated)) {
    for (const auto& part : training_.parts()) samples_.push_back(static_cast<std::int64_t>(part.size()));
    slots_.assign(slots, std::make_shared<const std::vector<float>>(first_weights(scenario.workload, scenario.seed)));
  }

  [[nodiscard]] const std::vector<std::int64_t>& samples() const override { return samples_; }
  [[nodiscard]] bool learns() const override { return true; }

  void dispatch(std::size_t client, std::size_t slot, std::int64_t round, int epochs) override {
    LocalJob job;
    job.client = client;
    job.round = round;
    job.attempt = attempt_in(client, round);
    job.received = slots_.at(slot);
    job.epochs = epochs;
    job.steps = options_.local_steps;
    const bool added = open_.emplace(client, Dispatched{std::move(job), dispatched_++, {}}).second;
    ORRERY_EXPECT(added);
  }
  void abandon(std::size_t client) override { open_.erase(client); }
  void discard(std::size_t client) override {
    privacy_.add_release(client);
    abandon(client);
  }

  double aggregate(std::size_t slot, std::span<const Report> reports) override {
    if (reports.empty()) return 0;
    train_for(reports);
    std::vector<ClientUpdate> updates;
    double loss = 0, samples = 0;
    for (const Report& report : reports) {
      auto open = open_.extract(report.client);
      ClientUpdate& update = updates.emplace_back(std::move(*open.mapped().update));
      update.staleness = report.staleness;
      losses_[report.client] = update.train_loss;
      loss += update.train_loss * static_cast<double>(update.samples);
      samples += static_cast<double>(update.samples);
    }
    std::vector<float> weights = *slots_.at(slot);
    training_.accept(weights, std::move(updates));
    slots_[slot] = std::make_shared<const std::vector<float>>(std::move(weights));
    privacy_.add(reports);
    return samples > 0 ? loss / samples : 0.0;
  }

  void mix(std::span<const MixedSlot> rows) override {
    std::vector<Weights> mixed;
    for (const MixedSlot& row : rows) mixed.push_back(mean_of(row.of));
    for (std::size_t i = 0; i < rows.size(); ++i) slots_.at(rows[i].slot) = mixed[i];
  }

  [[nodiscard]] std::optional<double> loss(std::size_t client) const override {
    const auto found = losses_.find(client);
    return found == losses_.end() ? std::nullopt : std::optional(found->second);
  }

  LearnerEvaluation evaluate(SlotRange slots) override {
    if (slots.count == 1) return {training_.evaluate(*slots_.at(slots.first), data_.test), {}};
    std::vector<SlotShare> all;
    for (std::size_t i = 0; i < slots.count; ++i)
      all.push_back({slots.first + i, 1.0 / static_cast<double>(slots.count)});
    const Weights mean = mean_of(all);
    double squares = 0;
    for (const SlotShare& one : all) {
      const std::vector<float>& weights = *slots_[one.slot];
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const double distance = double{weights[i]} - double{(*mean)[i]};
        squares += distance * distance;
      }
    }
    return {training_.evaluate(*mean, data_.test), std::sqrt(squares / static_cast<double>(slots.count))};
  }

  [[nodiscard]] std::optional<double> epsilon() const override { return privacy_.epsilon(); }
  [[nodiscard]] std::vector<std::vector<std::int32_t>> histograms() const override {
    return label_histograms(data_.train, training_.parts(), data_.classes);
  }
  [[nodiscard]] std::int64_t test_samples() const override { return static_cast<std::int64_t>(data_.test.count()); }
  void save(const std::string& file) const override { write_weights(file, *training_.plan(), *slots_[0]); }

 private:
  void train_for(std::span<const Report> reports) {
    std::vector<Dispatched*> needed;
    for (const Report& report : reports) {
      Dispatched& open = open_.at(report.client);
      if (!open.update) needed.push_back(&open);
    }
    if (needed.empty()) return;
    std::vector<Dispatched*> jobs = needed;
    add_ahead(jobs);
    try {
      train(jobs);
    } catch (const std::runtime_error&) {
      if (jobs.size() == needed.size()) throw;
      train(needed);  // what another client's training runs into is not known yet
    }
  }

  /// How often the client has been sent before in this round.
  std::int64_t attempt_in(std::size_t client, std::int64_t round) {
    auto& [last_round, attempts] = attempts_.try_emplace(client, round, 0).first->second;
    if (last_round != round) attempts = 0;
    last_round = round;
    return attempts++;
  }

  /// As many of those under way, first come first, as there are threads to spare.
  void add_ahead(std::vector<Dispatched*>& jobs) {
    if (jobs.size() >= default_workers()) return;
    std::vector<Dispatched*> others;
    for (auto& [client, open] : open_) {
      if (!open.update && std::find(jobs.begin(), jobs.end(), &open) == jobs.end()) others.push_back(&open);
    }
    std::sort(others.begin(), others.end(),
              [](const Dispatched* a, const Dispatched* b) { return a->order < b->order; });
    others.resize(std::min(others.size(), default_workers() - jobs.size()));
    jobs.insert(jobs.end(), others.begin(), others.end());
  }

  void train(const std::vector<Dispatched*>& dispatched) {
    std::vector<LocalJob> jobs;
    for (const Dispatched* one : dispatched) jobs.push_back(one->job);
    std::vector<ClientUpdate> updates = training_.train(jobs);
    for (std::size_t i = 0; i < updates.size(); ++i) dispatched[i]->update = std::move(updates[i]);
  }

  [[nodiscard]] Weights mean_of(const std::vector<SlotShare>& shares) const {
    if (shares.size() == 1 && shares[0].share == 1.0) return slots_.at(shares[0].slot);
    std::vector<double> sum(slots_[0]->size());
    for (const SlotShare& one : shares) {
      const std::vector<float>& weights = *slots_.at(one.slot);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += one.share * weights[i];
    }
    return std::make_shared<const std::vector<float>>(sum.begin(), sum.end());
  }

  const FederatedOptions& options_;
  DataSet data_;
  FederatedTraining training_;
  PrivacyLedger privacy_;
  std::vector<std::int64_t> samples_;
  std::vector<Weights> slots_;
  std::map<std::size_t, Dispatched> open_;                                 // by client
  std::map<std::size_t, std::pair<std::int64_t, std::int64_t>> attempts_;  // by client: last round, dispatches in it
  std::map<std::size_t, double> losses_;
  std::uint64_t dispatched_ = 0;
};

}  // namespace

std::unique_ptr<Learner> make_learner(const Scenario& scenario, const StrategySpec& strategy, std::size_t clients,
                                      std::size_t slots) {
  ORRERY_EXPECT(!scenario.workload.dataset.empty());
  return std::make_unique<RealLearner>(scenario, strategy, clients, slots);
}

}  // namespace orrery
