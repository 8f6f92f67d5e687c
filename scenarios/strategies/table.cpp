// The table of strategies: a new one is one file and one line here.
#include "scenarios/plan.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

Plan plan_model(const Job& job) {
  return job.strategy.split == Split::tensor ? plan_tensor(job) : plan_layers(job);
}

}  // namespace

const std::vector<StrategyEntry>& strategies() {
  static const std::vector<StrategyEntry> table = {
      {StrategyKind::single, "single", "the whole network on one device", plan_single},
      {StrategyKind::data, "data", "every device holds the whole network and a part of the batch", plan_data},
      {StrategyKind::model, "model",
       "every device holds a part of the network: split = tensor cuts each layer, split = layers gives each device "
       "whole "
       "layers, one device at work at a time",
       plan_model},
      {StrategyKind::pipeline, "pipeline",
       "whole layers on different devices, micro-batches follow each other through them", plan_pipeline},
      {StrategyKind::hybrid, "hybrid",
       "replicas, tensor, pipeline, context and expert parallelism, sharded states and recomputation at once",
       plan_hybrid},
      {StrategyKind::local_sgd, "local-sgd",
       "every device makes several steps on its own, then all average their weights", plan_local_sgd},
      {StrategyKind::async, "async",
       "every device sends its gradients to a parameter server and goes on without waiting for the others", nullptr},
      {StrategyKind::federated, "federated",
       "clients train on their own data; a server, edges or neighbours make one model of theirs", nullptr},
  };
  return table;
}

const StrategyEntry& entry_of(StrategyKind kind) {
  for (const StrategyEntry& entry : strategies()) {
    if (entry.kind == kind) return entry;
  }
  contract_failed("every StrategyKind has an entry", __FILE__, __LINE__);
}

std::string_view name_of(StrategyKind kind) {
  return entry_of(kind).name;
}

bool is_cosimulated(StrategyKind kind) {
  return entry_of(kind).plan == nullptr;
}

bool learns_alone(StrategyKind kind) {
  return is_cosimulated(kind) || kind == StrategyKind::local_sgd;
}

}  // namespace orrery
