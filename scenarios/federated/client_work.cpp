#include "scenarios/federated/client_work.hpp"

#include <cmath>

#include "models/cost/memory.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

Seconds graph_time(const LayerGraph& graph, Pass pass, double batch, const CostModel& cost, const Device& device) {
  const std::vector<bool> has_backward = needs_gradient(graph);
  Seconds sum;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    if (pass != Pass::backward || has_backward[i]) sum += cost.time(graph.layers[i], pass, batch, device);
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
  const auto passes = [&](Pass pass) {
    Seconds once = graph_time(graph, pass, batch, cost, device) * whole;
    if (rest > 0) once += graph_time(graph, pass, rest, cost, device);
    return once * (epochs * slowdown);
  };
  work.forward = passes(Pass::forward);
  work.backward = passes(Pass::backward);
  work.optimizer = passes(Pass::optimizer);
  work.flops = training_flops(graph) * (samples * epochs);
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
