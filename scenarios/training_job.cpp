#include "scenarios/training_job.hpp"

#include <algorithm>

#include "sim/base/files.hpp"

namespace orrery {

namespace {

NodeLaws laws_of(const NodeGroup& nodes, const DeviceLaws& devices, const FabricLaws& fabrics) {
  NodeLaws laws;
  laws.device_law = devices.of(nodes.device);
  if (nodes.network_link) laws.network_law = fabrics.of(*nodes.network_link);
  laws.node_law = nodes.node_link ? fabrics.of(*nodes.node_link) : laws.network_law;
  return laws;
}

/// At the slower of the loader's two rates; none given: no time.
Seconds load_of_sample(const InputOptions& input, double stored_bytes) {
  const double prepared = input.samples_per_s > 0 ? 1.0 / input.samples_per_s : 0.0;
  const double copied = input.host_GBps > 0 ? stored_bytes / (input.host_GBps * giga) : 0.0;
  return Seconds(std::max(prepared, copied));
}

}  // namespace

TrainingJob training_job(const Scenario& scenario, const StrategySpec& strategy) {
  Problems problems;
  const auto folder = data_directory() / "topologies" / "catalogue";
  DeviceLaws devices = DeviceLaws::read(folder, problems);
  FabricLaws fabrics = FabricLaws::read(folder, problems);
  problems.throw_if_any();
  for (const ConstantsFile& file : scenario.workload.constants) overlay(file, devices), overlay(file, fabrics);
  const ClusterDescription& cluster = strategy.cluster.description;
  const HybridOptions& hybrid = strategy.hybrid;
  TrainingJob job;
  job.network = scenario.workload.network;
  job.batch = scenario.workload.batch;
  job.precision = strategy.precision;
  job.optimizer = scenario.workload.optimizer.kind;
  job.cluster = cluster;
  job.framework = scenario.workload.framework;
  static_cast<NodeLaws&>(job) = laws_of(cluster, devices, fabrics);
  for (const NodeGroup& group : cluster.more) job.more_laws.push_back(laws_of(group, devices, fabrics));
  if (hybrid.jitter > 0) job.framework.straggler_per_doubling = Ranged();  // of drawn times the slowest shows by itself
  job.capacity_factor = hybrid.capacity_factor;
  job.expert_imbalance = hybrid.expert_imbalance;
  job.length_variation = hybrid.length_variation;
  job.load_of_sample = load_of_sample(hybrid.input, scenario.workload.stored_bytes_per_sample);
  job.computed_tokens = hybrid.computed_tokens;
  job.head_tokens = hybrid.head_tokens;
  return job;
}

}  // namespace orrery
