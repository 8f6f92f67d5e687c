#include "analysis/metrics/step_figures.hpp"

#include <vector>

#include "analysis/metrics/federated_time.hpp"
#include "sim/base/errors.hpp"

namespace orrery {
namespace {

std::optional<FlopsPerSecond> peak_of(const Device& device, Precision precision) {
  try {
    return device.peak_for(precision);
  } catch (const Infeasible&) {
    return std::nullopt;
  }
}

/// Sum over devices, each for this share of the time.
std::optional<FlopsPerSecond> plus(std::optional<FlopsPerSecond> sum, std::optional<FlopsPerSecond> peak,
                                   double share) {
  if (!sum || !peak) return std::nullopt;
  return *sum + *peak * share;
}

/// Client-seconds online by group.
std::vector<Seconds> online_by_group(const FederatedRun& run, const Population& population) {
  std::vector<Seconds> online(population.groups.size());
  for (const Trip& trip : run.trips) {
    online[population.clients[static_cast<std::size_t>(trip.client)].group] += online_time(trip);
  }
  return online;
}

/// Of the messages that crossed the wide area, each counted once.
Bytes wide_bytes(const FederatedRun& run, const Population& population, const FederationSite& site) {
  std::vector<bool> wide;
  for (const ClientGroup& group : population.groups) {
    wide.push_back(trip_scope(population, site, group) == LinkScope::wan);
  }
  Bytes bytes;
  for (const Trip& trip : run.trips) {
    if (wide[population.clients[static_cast<std::size_t>(trip.client)].group]) bytes += sent_bytes(trip, site);
  }
  if (backhaul_scope(population, site) == LinkScope::wan) {
    for (const ServerStep& step : run.steps) bytes += step.backhaul;
  }
  return bytes;
}

}  // namespace

StepFigures central_step(const Way& way, Precision precision) {
  StepFigures step;
  step.time = with_stragglers(step_time(way.records), way.straggler_share);
  step.devices = way.devices_used();
  step.peak = FlopsPerSecond{};
  for (std::size_t rank = 0; rank < way.placement.size(); ++rank) {
    const Device& device = way.devices[way.placement[rank].index()];
    step.peak = plus(step.peak, peak_of(device, precision), way.copies_of(RankId(rank)));
  }
  Flops executed;
  Bytes sent;
  for (const Activity& activity : way.records.activities) {
    executed += activity.flops * way.copies_of(activity.rank);
    sent += activity.bytes * way.copies_of(activity.rank);
  }
  if (way.layout) executed = way.layout->hardware_flops;
  // What processors executed beyond the model's FLOPs is not counted.
  if (!way.measured) step.executed = executed;
  step.traffic = traffic(way.platform, links_of_all(way));
  if (way.layout) {
    step.traffic.intra_node += way.layout->beside_node;
    step.traffic.inter_node += way.layout->beside_network;
  }
  step.bottleneck = bottleneck(wires(way.platform, way.records.links), way.records.makespan);
  if (step.devices > 0) step.bytes_per_device = sent.value() / step.devices;
  if (way.layout) step.bytes_per_device = way.layout->sent_per_device.value();
  return step;
}

StepFigures cosimulated_step(const Way& way, Precision precision, const Population& population,
                             const FederationSite& site, const FederatedTotals& totals) {
  const FederatedRun& run = way.federated;
  StepFigures step;
  if (run.steps.empty()) return step;
  const auto steps = static_cast<double>(run.steps.size());
  const Seconds duration = run.steps.back().end - run.steps.front().begin;
  step.time = mean_server_step(run);
  const std::vector<Seconds> online = online_by_group(run, population);
  step.peak = FlopsPerSecond{};
  for (std::size_t group = 0; group < online.size() && duration > Seconds{}; ++group) {
    const double share = online[group] / duration;
    step.devices += share;
    if (share > 0) step.peak = plus(step.peak, peak_of(population.groups[group].device, precision), share);
  }
  if (!way.measured && run.flops_per_sample > Flops{}) step.executed = run.flops_per_sample * way.samples_per_step;
  const Bytes wide = wide_bytes(run, population, site);
  step.traffic.wan = wide / steps;
  // Both are sums of the same messages in another order: what is left of their rounding is no byte.
  const Bytes near = totals.sent - wide;
  if (near > totals.sent * 1e-12) step.traffic.inter_node = near / steps;
  step.bottleneck = bottleneck(wires(run, wide > Bytes{} ? LinkScope::wan : LinkScope::inter_node), duration);
  if (totals.trips.selected > 0) step.bytes_per_device = totals.up.value() / static_cast<double>(totals.trips.selected);
  return step;
}

}  // namespace orrery
