#include "scenarios/federated/split_work.hpp"

#include <algorithm>

#include "models/cost/layer_cost.hpp"
#include "scenarios/strategies/stages.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

std::int64_t parameters_in(const LayerGraph& graph, std::size_t first, std::size_t end) {
  std::int64_t sum = 0;
  for (std::size_t i = first; i < end; ++i) sum += parameters(graph.layers[i]);
  return sum;
}

bool both_train(const LayerGraph& graph, std::size_t cut) {
  return parameters_in(graph, 0, cut) > 0 && parameters_in(graph, cut, graph.layers.size()) > 0;
}

}  // namespace

std::size_t first_server_layer(const LayerGraph& graph, const std::string& cut_layer) {
  std::size_t best = 0;
  double fewest = 0;
  for (std::size_t cut = 1; cut < graph.layers.size(); ++cut) {
    if (!cut_layer.empty() && graph.layers[cut - 1].name != cut_layer) continue;
    if (!both_train(graph, cut)) continue;
    const double crossing = numbers_across(graph, cut, Pass::forward) + numbers_across(graph, cut, Pass::backward);
    if (best == 0 || crossing < fewest) {
      best = cut;
      fewest = crossing;
    }
  }
  if (best > 0) return best;
  throw Infeasible("network " + graph.name + " cannot be split" +
                   (cut_layer.empty() ? std::string() : " behind layer " + cut_layer) +
                   ": client and server both need layers with weights");
}

SplitBytes split_bytes(const LayerGraph& graph, const StrategySpec& strategy) {
  const std::size_t cut = first_server_layer(graph, strategy.federated.cut_layer);
  const Bytes width = bytes_in_memory(strategy.precision);
  return {.first_server_layer = cut,
          .client_layers = width * static_cast<double>(parameters_in(graph, 0, cut)),
          .up_per_sample = width * numbers_across(graph, cut, Pass::forward),
          .down_per_sample = width * numbers_across(graph, cut, Pass::backward)};
}

SplitShares client_shares(const LayerGraph& graph, std::size_t first_server_layer) {
  const std::vector<bool> trained = needs_gradient(graph);
  Flops all, forward, backward;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const LayerCost cost = layer_cost(graph.layers[i]);
    const Flops back = trained[i] ? cost.backward : Flops{};
    all += cost.forward + back;
    if (i >= first_server_layer) continue;
    forward += cost.forward;
    backward += back;
  }
  return {forward / all, backward / all};
}

SplitWork::SplitWork(const FederatedJob& job, const ClientWork& work)
    : job_(job),
      work_(work),
      bytes_(split_bytes(job.scenario.workload.network, job.strategy)),
      shares_(client_shares(job.scenario.workload.network, bytes_.first_server_layer)) {}

SplitWork::Halves SplitWork::halves(Span layers, double samples, const Device& device) const {
  const LayerTimes times = job_.cost.times(job_.scenario.workload.network, device, {samples});
  const ProcessTimes half = process_times(times, layers.first, layers.end, {});
  return {half.forward + half.late_forward, half.backward + half.late_backward + half.update + half.late_update};
}

Seconds SplitWork::server_batch(double samples) const {
  const Span layers{bytes_.first_server_layer, job_.scenario.workload.network.layers.size()};
  const Halves both = halves(layers, samples, job_.population.server);
  return both.forward + both.backward;
}

Seconds SplitWork::server(const LocalBatches& batches) const {
  Seconds sum = server_batch(batches.batch) * batches.wholes;
  if (batches.rests > 0) sum += server_batch(batches.rest) * batches.rests;
  return sum;
}

SplitWork::Halves SplitWork::client_batch(std::size_t client, double samples) const {
  const auto per_sample = work_.measured_per_sample(client);
  Halves halves = per_sample ? measured_batch(*per_sample, samples) : priced_batch(client, samples);
  halves.forward += job_.population.group(client).step_overhead;
  return halves;
}

SplitWork::Halves SplitWork::priced_batch(std::size_t client, double samples) const {
  const Halves priced = halves({0, bytes_.first_server_layer}, samples, job_.population.group(client).device);
  const double slowdown = work_.slowdown(client);
  return {priced.forward * slowdown, priced.backward * slowdown};
}

/// The measured figure is of the whole network: the client takes its layers' part of it.
SplitWork::Halves SplitWork::measured_batch(Seconds per_sample, double samples) const {
  return {per_sample * (samples * shares_.forward), per_sample * (samples * shares_.backward)};
}

std::vector<Leg> SplitWork::batch(std::size_t client, double samples) const {
  const Halves halves = client_batch(client, samples);
  return {{Leg::Kind::compute, {}, halves.forward},
          {Leg::Kind::upload, bytes_.up_per_sample * samples, {}},
          {Leg::Kind::wait, {}, server_batch(samples)},
          {Leg::Kind::download, bytes_.down_per_sample * samples, {}},
          {Leg::Kind::compute, {}, halves.backward}};
}

Itinerary SplitWork::turn(std::size_t client, const LocalBatches& batches) const {
  Itinerary turn;
  turn.first = {{Leg::Kind::download, bytes_.client_layers, {}}};
  turn.repeated = batch(client, batches.batch);
  turn.repeats = static_cast<std::size_t>(batches.wholes);
  for (std::size_t rest = 0; rest < static_cast<std::size_t>(batches.rests); ++rest) {
    const std::vector<Leg> legs = batch(client, batches.rest);
    turn.last.insert(turn.last.end(), legs.begin(), legs.end());
  }
  turn.last.push_back({Leg::Kind::upload, bytes_.client_layers, {}});
  return turn;
}

}  // namespace orrery
