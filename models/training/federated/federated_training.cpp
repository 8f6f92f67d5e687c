#include "models/training/federated/federated_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "models/kernels/parallel.hpp"
#include "models/training/federated/client_loss.hpp"
#include "models/training/federated/personal_models.hpp"
#include "models/training/federated/sent_numbers.hpp"
#include "models/training/federated/upload.hpp"
#include "models/training/local_trainer.hpp"
#include "models/training/row_numbers.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

bool has_momentum(const OptimizerOptions& optimizer) {
  return optimizer.kind == OptimizerKind::momentum || optimizer.kind == OptimizerKind::nesterov;
}

LocalOptions local_options(const FederatedTrainingOptions& options) {
  LocalOptions local = options.local;
  if (options.algorithm.kind == AlgorithmKind::fedsgd) local.batch = 0;
  return local;
}

LocalWork local_work(AlgorithmKind kind, int epochs, std::int64_t steps) {
  if (kind == AlgorithmKind::fedsgd || kind == AlgorithmKind::async_sgd) return {.epochs = 1, .steps = 1};
  return {epochs, steps};
}

std::string attempt_of(const LocalJob& job) {
  return job.attempt == 0 ? fmt::format("round {}", job.round)
                          : fmt::format("round {}, attempt {}", job.round, job.attempt);
}

}  // namespace

struct FederatedTraining::Impl {
  Impl(const LayerGraph& graph, const Samples& train, std::vector<std::vector<std::size_t>> parts_of,
       FederatedTrainingOptions options_of);

  ClientUpdate train_one(const LocalJob& job, const LocalTerm& term, std::size_t worker);
  /// What the client trains from: the received weights as they arrive, with its own personal layers in them.
  std::span<const float> start_of(const LocalJob& job, std::vector<float>& scratch) const;
  void reserve(std::size_t workers);
  [[nodiscard]] const ClientState& state_of(std::size_t client) const;
  void add_central_noise(std::vector<ClientUpdate>& updates) const;

  const Samples& samples;
  std::vector<std::vector<std::size_t>> parts;
  FederatedTrainingOptions options;
  std::shared_ptr<const ExecutionPlan> plan;
  SentNumbers numbers;
  Upload upload;
  UpdateBytes bytes;
  std::unique_ptr<FederatedAlgorithm> algorithm;
  std::unordered_map<std::size_t, ClientState> states;  // of the clients that have one
  std::uint64_t server_steps = 0;
  // Scratch space, one per worker
  std::vector<LocalTrainer> trainers;
  std::vector<ClientLoss> loss_meters;
  std::vector<std::vector<float>> starts;
};

FederatedTraining::Impl::Impl(const LayerGraph& graph, const Samples& train,
                              std::vector<std::vector<std::size_t>> parts_of, FederatedTrainingOptions options_of)
    : samples(train),
      parts(std::move(parts_of)),
      options(std::move(options_of)),
      plan(std::make_shared<const ExecutionPlan>(graph, options.local.recompute)),
      numbers(sent_numbers(graph, options.personal_layers)),
      upload(graph, numbers, options),
      bytes(update_bytes(graph, options)) {
  require_compatible(graph, options);
  require_rows(graph, samples);
  const OptimizerOptions& optimizer = options.local.optimizer;
  algorithm = entry_of(options.algorithm.kind)
                  .make({.options = options.algorithm,
                         .clients = parts.size(),
                         .parameters = plan->parameter_count(),
                         .weights = plan->weight_count(),
                         .learning_rate = optimizer.learning_rate,
                         .momentum = has_momentum(optimizer) ? optimizer.momentum : 0.0});
}

void FederatedTraining::Impl::reserve(std::size_t workers) {
  const LocalOptions local = local_options(options);
  while (trainers.size() < workers) {
    trainers.emplace_back(plan, local);
    loss_meters.emplace_back(plan);
  }
  starts.resize(trainers.size());
}

const ClientState& FederatedTraining::Impl::state_of(std::size_t client) const {
  static const ClientState none;
  const auto found = states.find(client);
  return found == states.end() ? none : found->second;
}

std::span<const float> FederatedTraining::Impl::start_of(const LocalJob& job, std::vector<float>& scratch) const {
  const std::vector<float>& personal = state_of(job.client).personal;
  const bool rounded = options.local.storage == Storage::bf16;
  if (personal.empty() && !rounded) return *job.received;
  scratch = *job.received;
  if (rounded) round_to_bf16(std::span<float>(scratch));
  if (!personal.empty()) scatter(personal, numbers.personal, scratch);
  return scratch;
}

ClientUpdate FederatedTraining::Impl::train_one(const LocalJob& job, const LocalTerm& term, std::size_t worker) {
  LocalTrainer& trainer = trainers[worker];
  const std::span<const float> start = start_of(job, starts[worker]);
  const std::vector<std::size_t>& own = parts.at(job.client);
  ClientUpdate update;
  update.client = job.client;
  update.received = job.received;
  update.learning_rate = options.local.optimizer.learning_rate * rate_share(options.schedule, job.round);
  if (options.algorithm.kind == AlgorithmKind::qfedavg) {
    update.start_loss = loss_meters[worker].mean(start, samples, own);
  }
  const std::string attempt = attempt_of(job);
  const LocalResult result = trainer.train({.start = start,
                                            .samples = samples,
                                            .indices = own,
                                            .work = local_work(options.algorithm.kind, job.epochs, job.steps),
                                            .learning_rate = update.learning_rate,
                                            .term = {term.proximal, start, term.shift}},
                                           Random::derived(options.seed, "local order, " + attempt, job.client));
  update.train_loss = result.train_loss;
  update.samples = result.samples;
  update.steps = result.steps;
  const std::span<const float> trained = trainer.weights();
  update.delta.resize(trained.size());
  for (std::size_t i = 0; i < trained.size(); ++i) update.delta[i] = trained[i] - start[i];
  if (!numbers.personal.empty()) {
    update.kept.personal = gathered(trained, numbers.personal);
    for (const NumberRange& run : numbers.personal) std::ranges::fill(run.of(std::span(update.delta)), 0.0F);
  }
  algorithm->finish_client(update);
  upload.send(update, state_of(job.client).residual,
              {.noise = Random::derived(options.seed, "local noise, " + attempt, job.client),
               .compression = Random::derived(options.seed, "compression, " + attempt, job.client)});
  return update;
}

// Makes the algorithm's mean over all clients of a step the sum of the updates and the noise over expected_clients: the
// noise comes as one more update of the same weight, and all are scaled.
void FederatedTraining::Impl::add_central_noise(std::vector<ClientUpdate>& updates) const {
  ClientUpdate& noise = updates.emplace_back();
  Random random = Random::derived(options.seed, "noise", server_steps);
  std::vector<float> drawn(count_of(numbers.parameters));
  add_noise(drawn, options.privacy.noise_multiplier * options.privacy.clip, random);
  noise.delta.resize(plan->weight_count());
  scatter(drawn, numbers.parameters, noise.delta);
  const auto factor = static_cast<float>(updates.size()) / static_cast<float>(options.expected_clients);
  for (ClientUpdate& update : updates) {
    update.samples = 1;
    for (float& number : update.delta) number *= factor;
  }
}

FederatedTraining::FederatedTraining(const LayerGraph& graph, const Samples& train,
                                     std::vector<std::vector<std::size_t>> parts,
                                     const FederatedTrainingOptions& options)
    : impl_(std::make_unique<Impl>(graph, train, std::move(parts), options)) {}
FederatedTraining::~FederatedTraining() = default;

const std::vector<std::vector<std::size_t>>& FederatedTraining::parts() const {
  return impl_->parts;
}
const std::shared_ptr<const ExecutionPlan>& FederatedTraining::plan() const {
  return impl_->plan;
}

std::vector<ClientUpdate> FederatedTraining::train(std::span<const LocalJob> jobs) const {
  const std::size_t workers = std::min(jobs.size(), default_workers());
  impl_->reserve(workers);
  std::vector<LocalTerm> terms;
  for (const LocalJob& job : jobs) {
    ORRERY_EXPECT(job.received && job.received->size() == impl_->plan->weight_count());
    terms.push_back(impl_->algorithm->local_term(job.client));
  }
  std::vector<ClientUpdate> updates(jobs.size());
  for_each_task(jobs.size(), workers, [&](std::size_t task, std::size_t worker) {
    try {
      updates[task] = impl_->train_one(jobs[task], terms[task], worker);
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(
          fmt::format("round {}, client {}: {}", jobs[task].round, jobs[task].client, error.what()));
    }
  });
  return updates;
}

std::vector<double> FederatedTraining::losses(std::span<const std::size_t> clients,
                                              std::span<const float> weights) const {
  const std::size_t workers = std::min(clients.size(), default_workers());
  impl_->reserve(workers);
  std::vector<double> losses(clients.size());
  for_each_task(clients.size(), workers, [&](std::size_t task, std::size_t worker) {
    losses[task] = impl_->loss_meters[worker].mean(weights, impl_->samples, impl_->parts.at(clients[task]));
  });
  return losses;
}

void FederatedTraining::accept(std::vector<float>& weights, std::vector<ClientUpdate> updates) {
  ORRERY_EXPECT(!updates.empty() && weights.size() == impl_->plan->weight_count());
  if (impl_->options.privacy.kind == PrivacyKind::central) impl_->add_central_noise(updates);
  impl_->algorithm->apply(weights, updates);
  ++impl_->server_steps;
  for (ClientUpdate& update : updates) {
    if (!update.kept.residual.empty()) impl_->states[update.client].residual = std::move(update.kept.residual);
    if (!update.kept.personal.empty()) impl_->states[update.client].personal = std::move(update.kept.personal);
  }
}

Evaluation FederatedTraining::evaluate(std::span<const float> weights, const Samples& test) const {
  std::vector<PersonalModel> models;
  for (std::size_t client = 0; client < impl_->parts.size() && !impl_->states.empty(); ++client) {
    const std::vector<float>& personal = impl_->state_of(client).personal;
    if (!personal.empty()) models.push_back({personal, impl_->parts[client]});
  }
  const Storage storage = impl_->options.local.storage;
  if (models.empty()) return orrery::evaluate(impl_->plan, weights, test, storage);
  return evaluate_personal({impl_->plan, weights, impl_->numbers.personal, storage}, models, impl_->samples, test);
}

}  // namespace orrery
