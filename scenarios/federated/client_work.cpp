#include "scenarios/federated/client_work.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/cost/memory.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

/// Layers whose forward pass runs again: the activations of the last segment are still there.
std::vector<bool> run_again(const LayerGraph& graph, Recompute recompute) {
  if (recompute == Recompute::none) return std::vector<bool>(graph.layers.size(), false);
  std::vector<bool> again = in_segments_with_backward(graph);
  std::fill(again.begin() + static_cast<std::ptrdiff_t>(recompute_segments(graph).back()), again.end(), false);
  return again;
}

Flops flops_of(const LayerGraph& graph, Flops LayerCost::*pass, const std::vector<bool>& layers) {
  Flops sum;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    if (layers[i]) sum += layer_cost(graph.layers[i]).*pass;
  }
  return sum;
}

}  // namespace

LocalBatches local_batches(std::int64_t samples, std::int64_t batch, int epochs, std::int64_t steps) {
  LocalBatches batches;
  if (samples <= 0) return batches;
  const std::int64_t whole = batch == 0 ? samples : std::min(batch, samples);
  const std::int64_t per_epoch = samples / whole, rest = samples % whole;
  const std::int64_t epoch_steps = per_epoch + (rest > 0 ? 1 : 0);
  const std::int64_t full = steps > 0 ? steps / epoch_steps : epochs;
  const std::int64_t more = steps > 0 ? steps % epoch_steps : 0;
  batches.batch = static_cast<double>(whole);
  batches.rest = static_cast<double>(rest);
  batches.wholes = static_cast<double>(full * per_epoch + std::min(more, per_epoch));
  batches.rests = static_cast<double>(rest > 0 ? full : 0);
  return batches;
}

LocalTimes local_times(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost,
                       const LocalBatches& batches, const Device& device) {
  const LayerGraph& graph = scenario.workload.network;
  LocalTimes work;
  const std::vector<bool> all(graph.layers.size(), true), backward = needs_gradient(graph);
  const std::vector<bool> again = run_again(graph, strategy.recompute);
  const auto add = [&](double batch, double count) {
    if (count <= 0) return;
    const ProcessTimes step = process_times(cost.times(graph, device, {batch}), 0, graph.layers.size(), again);
    const double passed = step.backward + step.again > Seconds() ? step.again / (step.backward + step.again) : 0.0;
    work.forward += (step.forward + step.late_forward) * count;
    work.recompute += (step.again + step.late_backward * passed) * count;
    work.backward += (step.backward + step.late_backward * (1.0 - passed)) * count;
    work.optimizer += (step.update + step.late_update) * count;
  };
  add(batches.batch, batches.wholes);
  add(batches.rest, batches.rests);
  work.flops = (flops_of(graph, &LayerCost::forward, all) + flops_of(graph, &LayerCost::forward, again) +
                flops_of(graph, &LayerCost::backward, backward)) *
               batches.samples();
  return work;
}

Seconds aggregation_time(std::int64_t numbers, const CostModel& cost, std::size_t models, const Device& server) {
  if (server.memory_bandwidth <= BytesPerSecond{}) {
    throw Infeasible(server.id + " cannot serve: its memory bandwidth, which averaging needs, is unknown");
  }
  const Bytes moved =
      bytes_per_number(Precision::fp32) * (static_cast<double>(numbers) * static_cast<double>(models + 1));
  return moved / (server.memory_bandwidth * cost.framework().memory_efficiency.value);
}

Bytes model_bytes(const UpdateBytes& bytes, const FederatedTrainingOptions& options) {
  const bool halves = options.local.storage == Storage::bf16;
  return Bytes((halves ? 2.0 : 4.0) * static_cast<double>(bytes.model_numbers));
}

ClientWork::ClientWork(const FederatedJob& job) : job_(job), parameters_(parameters(job.scenario.workload.network)) {
  const LayerGraph& graph = job.scenario.workload.network;
  const FederatedTrainingOptions options = training_options(job.scenario, job.strategy);
  bytes_ = update_bytes(graph, options);
  flops_ = update_flops(graph, options);
  if (options.secure) {
    secure_ = secure_aggregation_cost(*options.secure, sharing_clients(options), 0, bytes_.numbers);
  }
  describe_typical();
}

void ClientWork::describe_typical() {
  const std::vector<std::int64_t>& samples = job_.learner.samples();
  const std::int64_t sum = std::accumulate(samples.begin(), samples.end(), std::int64_t{0});
  const auto clients = static_cast<std::int64_t>(samples.size());
  const LocalBatches mean = batches(std::max<std::int64_t>(1, sum / clients), job_.options().local_epochs);
  typical_ = local_times(job_.scenario, job_.strategy, job_.cost, mean, job_.population.groups.at(0).device);
  flops_per_sample_ = typical_.flops / mean.samples();
}

/// fedsgd: the whole local set in one batch, once; async_sgd: one batch.
LocalBatches ClientWork::batches(std::int64_t samples, int epochs) const {
  const FederatedOptions& options = job_.options();
  const AlgorithmKind kind = options.algorithm.kind;
  if (kind == AlgorithmKind::fedsgd) return local_batches(samples, 0, 1, 0);
  return local_batches(samples, options.local_batch, epochs,
                       kind == AlgorithmKind::async_sgd ? 1 : options.local_steps);
}

double ClientWork::samples_trained(std::size_t client, int epochs) const {
  return batches_of(client, epochs).samples();
}

LocalBatches ClientWork::batches_of(std::size_t client, int epochs) const {
  return batches(job_.learner.samples()[client], epochs);
}

Bytes ClientWork::model_bytes() const {
  return orrery::model_bytes(bytes_, training_options(job_.scenario, job_.strategy));
}

double ClientWork::slowdown(std::size_t client) const {
  const ClientGroup& group = job_.population.group(client);
  return group.speed_sigma == 0.0 ? group.slowdown : double{job_.population.clients[client].slowdown};
}

std::optional<Seconds> ClientWork::measured_per_sample(std::size_t client) const {
  const ClientGroup& group = job_.population.group(client);
  if (group.capacities.empty() && group.per_sample) return *group.per_sample * slowdown(client);
  const float own = job_.population.clients[client].per_sample_s;
  return own > 0 ? std::optional(Seconds(own)) : std::nullopt;
}

Seconds ClientWork::training(std::size_t client, int epochs) {
  const Client& one = job_.population.clients[client];
  const ClientGroup& group = job_.population.groups[one.group];
  const std::int64_t samples = job_.learner.samples()[client];
  const LocalBatches work = batches(samples, epochs);
  const Seconds overhead = group.step_overhead * work.steps();
  const double before = flops_.forward_epochs * static_cast<double>(samples);  // samples of forward passes alone
  if (const auto per_sample = measured_per_sample(client)) {
    return *per_sample * (work.samples() + before * forward_share()) + overhead;
  }
  const auto [found, is_new] = training_.try_emplace({one.group, samples, epochs});
  if (is_new) {
    found->second = local_times(job_.scenario, job_.strategy, job_.cost, work, group.device).total() +
                    evaluation(samples, group.device) * flops_.forward_epochs;
  }
  return found->second * slowdown(client) + overhead;
}

double ClientWork::forward_share() const {
  const LayerGraph& graph = job_.scenario.workload.network;
  const std::vector<bool> all(graph.layers.size(), true);
  return flops_of(graph, &LayerCost::forward, all) / flops_per_sample_;
}

Seconds ClientWork::packing(std::size_t client) const {
  const Device& device = job_.population.group(client).device;
  return (over_updates(flops_.client, 1, device) + secure_.client_compute) * slowdown(client);
}

Itinerary ClientWork::trip(std::size_t client, int epochs, Seconds round_trip) {
  Itinerary itinerary;
  itinerary.first = {{Leg::Kind::download, bytes_.down, {}},
                     {Leg::Kind::compute, {}, training(client, epochs) + packing(client)},
                     {Leg::Kind::wait, {}, round_trip * static_cast<double>(secure_.round_trips)},
                     {Leg::Kind::upload, bytes_.up, {}}};
  return itinerary;
}

/// A kernel over updates: its operations at the fp32 peak, or reading and writing them, whichever is longer.
Seconds ClientWork::over_updates(Flops flops, double updates, const Device& device) const {
  if (flops <= Flops{}) return {};
  const Seconds computing = flops * updates / device.peak_for(Precision::fp32);
  if (device.memory_bandwidth <= BytesPerSecond{}) return computing;
  const Bytes moved = bytes_per_number(Precision::fp32) * (2.0 * updates * static_cast<double>(bytes_.numbers));
  return std::max(computing, moved / (device.memory_bandwidth * job_.cost.framework().memory_efficiency.value));
}

Seconds ClientWork::aggregation(std::size_t reports, std::size_t dropped, const Device& server) const {
  if (reports == 0) return {};
  const FederatedAlgorithmEntry& algorithm = entry_of(job_.options().algorithm.kind);
  const auto of_reports = static_cast<std::size_t>(1 + algorithm.extra_models) * reports;
  const auto kept = static_cast<std::size_t>(algorithm.models_kept);
  Seconds time = aggregation_time(parameters_, job_.cost, of_reports + 2 * kept, server) +
                 over_updates(flops_.server, static_cast<double>(reports), server);
  if (job_.options().secure) {
    const SecureAggregationCost cost =
        secure_aggregation_cost(*job_.options().secure, reports + dropped, dropped, bytes_.numbers);
    time += cost.server_compute;
  }
  return time;
}

Seconds ClientWork::evaluation(std::int64_t samples, const Device& server) const {
  const LayerGraph& graph = job_.scenario.workload.network;
  if (samples <= 0) return {};
  const LayerTimes times = job_.cost.times(graph, server, {static_cast<double>(samples)});
  const ProcessTimes pass = process_times(times, 0, graph.layers.size(), {});
  return pass.forward + pass.late_forward;
}

}  // namespace orrery
