// What a layout is judged for: a network, a batch, devices, wires and software, with every constant at hand.
#pragma once

#include <cstdint>

#include "models/cost/cost_model.hpp"
#include "models/networks/layer_graph.hpp"
#include "topologies/cluster.hpp"
#include "topologies/device_law.hpp"
#include "topologies/fabric_law.hpp"

namespace orrery {

struct TrainingJob {
  LayerGraph network;
  std::int64_t batch = 1;  // samples per optimizer step
  Precision precision = Precision::bf16;
  OptimizerKind optimizer = OptimizerKind::adam;
  ClusterDescription cluster;  // device, nodes, wires
  FrameworkProfile framework;
  DeviceLaw device_law;
  FabricLaw node_law, network_law;
  double capacity_factor = 0;     // mixture of experts: slots per expert / mean tokens per expert; 0: no limit
  double expert_imbalance = 1.0;  // busiest rank's tokens / mean
  double length_variation = 0;    // variable sequence lengths: standard deviation / mean of a micro-batch's tokens
  double computed_tokens = 1.0;   // share of the tokens that are computed (padding left out)
  double head_tokens = 1.0;       // share of the tokens that reach the head (BERT: masked positions)
};

}  // namespace orrery
