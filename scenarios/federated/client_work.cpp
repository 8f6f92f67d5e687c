#include "scenarios/federated/client_work.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

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

/// Seconds of one batch, over the layers that have the pass.
Seconds batch_time(const LayerGraph& graph, Pass pass, const std::vector<bool>& layers, double batch,
                   const CostModel& cost, const Device& device) {
  Seconds sum;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    if (layers[i]) sum += cost.time(graph.layers[i], pass, batch, device);
  }
  return sum;
}

Flops flops_of(const LayerGraph& graph, Flops LayerCost::*pass, const std::vector<bool>& layers) {
  Flops sum;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    if (layers[i]) sum += layer_cost(graph.layers[i]).*pass;
  }
  return sum;
}

}  // namespace

LocalWork local_work(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost, double samples,
                     const Device& device, double slowdown) {
  const LayerGraph& graph = scenario.workload.network;
  LocalWork work;
  if (samples <= 0) return work;
  const double batch =
      strategy.local_batch == 0 ? samples : std::fmin(static_cast<double>(strategy.local_batch), samples);
  const double whole = std::floor(samples / batch);
  const double rest = samples - whole * batch;
  const double epochs = strategy.local_epochs;
  const std::vector<bool> all(graph.layers.size(), true), backward = needs_gradient(graph);
  const std::vector<bool> again = run_again(graph, strategy.recompute);
  const auto passes = [&](Pass pass, const std::vector<bool>& layers) {
    Seconds once = batch_time(graph, pass, layers, batch, cost, device) * whole;
    if (rest > 0) once += batch_time(graph, pass, layers, rest, cost, device);
    return once * (epochs * slowdown);
  };
  work.forward = passes(Pass::forward, all);
  work.recompute = passes(Pass::forward, again);
  work.backward = passes(Pass::backward, backward);
  work.optimizer = passes(Pass::optimizer, all);
  work.forward_flops = flops_of(graph, &LayerCost::forward, all) * (samples * epochs);
  work.recompute_flops = flops_of(graph, &LayerCost::forward, again) * (samples * epochs);
  work.backward_flops = flops_of(graph, &LayerCost::backward, backward) * (samples * epochs);
  return work;
}

Seconds aggregation_time(const Scenario& scenario, const CostModel& cost, std::size_t clients, const Device& server) {
  if (server.memory_bandwidth <= BytesPerSecond{}) {
    throw Infeasible(server.id + " cannot serve: its memory bandwidth, which averaging needs, is unknown");
  }
  const auto numbers = static_cast<double>(parameters(scenario.workload.network));
  const Bytes moved = bytes_per_number(Precision::fp32) * (numbers * static_cast<double>(clients + 1));
  return moved / (server.memory_bandwidth * cost.framework().memory_efficiency);
}

Bytes model_bytes(const Scenario& scenario, const StrategySpec& strategy) {
  const double per_number = bytes_per_parameter(strategy.precision, strategy.optimizer.kind).weights;
  return Bytes(per_number * static_cast<double>(parameters(scenario.workload.network)));
}

}  // namespace orrery
