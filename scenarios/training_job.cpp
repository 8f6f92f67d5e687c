#include "scenarios/training_job.hpp"

#include "sim/base/files.hpp"

namespace orrery {

TrainingJob training_job(const Scenario& scenario, const StrategySpec& strategy) {
  Problems problems;
  const auto folder = data_directory() / "topologies" / "catalogue";
  const DeviceLaws devices = DeviceLaws::read(folder, problems);
  const FabricLaws fabrics = FabricLaws::read(folder, problems);
  problems.throw_if_any();
  const ClusterDescription& cluster = strategy.cluster.description;
  const HybridOptions& hybrid = strategy.hybrid;
  TrainingJob job;
  job.network = scenario.workload.network;
  job.batch = scenario.workload.batch;
  job.precision = strategy.precision;
  job.optimizer = scenario.workload.optimizer.kind;
  job.cluster = cluster;
  job.framework = scenario.workload.framework;
  job.device_law = devices.of(cluster.device);
  if (cluster.network_link) job.network_law = fabrics.of(*cluster.network_link);
  job.node_law = cluster.node_link ? fabrics.of(*cluster.node_link) : job.network_law;
  job.capacity_factor = hybrid.capacity_factor;
  job.expert_imbalance = hybrid.expert_imbalance;
  job.length_variation = hybrid.length_variation;
  job.computed_tokens = hybrid.computed_tokens;
  job.head_tokens = hybrid.head_tokens;
  return job;
}

}  // namespace orrery
