// What a layout is judged for: a network, a batch, devices, wires and software, with every constant at hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/cost/cost_model.hpp"
#include "models/networks/layer_graph.hpp"
#include "topologies/cluster.hpp"
#include "topologies/device_law.hpp"
#include "topologies/fabric_law.hpp"

namespace orrery {

/// Laws of the devices and wires of one group of nodes.
struct NodeLaws {
  DeviceLaw device_law;
  FabricLaw node_law, network_law;
};

struct TrainingJob : NodeLaws {
  LayerGraph network;
  std::int64_t batch = 1;  // samples per optimizer step
  Precision precision = Precision::bf16;
  OptimizerKind optimizer = OptimizerKind::adam;
  ClusterDescription cluster;       // devices, nodes, wires; the laws above are those of its first group of nodes
  std::vector<NodeLaws> more_laws;  // of cluster.more
  FrameworkProfile framework;
  double capacity_factor = 0;     // mixture of experts: slots per expert / mean tokens per expert; 0: no limit
  double expert_imbalance = 1.0;  // busiest rank's tokens / mean
  double length_variation = 0;    // variable sequence lengths: standard deviation / mean of a micro-batch's tokens
  Seconds load_of_sample;         // that the loader of a replica takes, one micro-batch ahead
  double computed_tokens = 1.0;   // share of the tokens that are computed (padding left out)
  double head_tokens = 1.0;       // share of the tokens that reach the head (BERT: masked positions)
};

/// The same job on a cluster whose nodes are all of this group's kind.
TrainingJob job_on_group(const TrainingJob& job, std::size_t group);

}  // namespace orrery
