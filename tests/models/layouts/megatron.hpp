// The models of Korthikanti et al. 2022 and Narayanan et al. 2021 on their cluster, for tests.
#pragma once

#include <string>

#include "models/layouts/step_prediction.hpp"
#include "models/networks/transformer.hpp"
#include "sim/base/files.hpp"

namespace orrery::testing {

struct MegatronModel {
  std::int64_t layers, hidden, heads;
};
inline constexpr MegatronModel megatron_22b{48, 6144, 64}, megatron_175b{96, 12288, 96}, megatron_530b{105, 20480, 128},
    megatron_1t{128, 25600, 160};

inline LayerGraph megatron_graph(const MegatronModel& model) {
  TransformerShape shape;
  shape.name = "megatron";
  shape.layers = model.layers, shape.hidden = model.hidden, shape.heads = model.heads;
  shape.vocabulary = 51200, shape.tokens = 2048;
  shape.dropout = 0.1;
  return transformer_graph(shape);
}

/// On DGX A100 80 GB with eight HDR NICs; `devices` in nodes of 8.
inline TrainingJob megatron_job(const MegatronModel& model, std::int64_t batch, int devices,
                                const std::string& framework = "megatron-2021") {
  Problems problems;
  const Catalogue catalogue = read_catalogue(data_directory() / "topologies" / "catalogue", problems);
  const auto folder = data_directory() / "topologies" / "catalogue";
  TrainingJob job;
  job.network = megatron_graph(model);
  job.batch = batch;
  job.precision = Precision::fp16;
  job.cluster = describe_system(*catalogue.system("selene"), catalogue, (devices + 7) / 8);
  for (const FrameworkProfile& profile : read_frameworks(problems)) {
    if (profile.id == framework) job.framework = profile;
  }
  job.device_law = DeviceLaws::read(folder, problems).of(job.cluster.device);
  const FabricLaws fabrics = FabricLaws::read(folder, problems);
  job.node_law = fabrics.of(*job.cluster.node_link);
  job.network_law = fabrics.of(*job.cluster.network_link);
  problems.throw_if_any();
  return job;
}

/// Four blocks with eight experts, two per token; a sample for each of `devices`.
inline TrainingJob experts_job(int devices, const std::string& framework = "modern") {
  TrainingJob job = megatron_job({4, 1024, 16}, devices, devices, framework);
  TransformerShape shape;
  shape.name = "experts";
  shape.layers = 4, shape.hidden = 1024, shape.heads = 16, shape.vocabulary = 51200, shape.tokens = 2048;
  shape.experts = 8, shape.experts_per_token = 2, shape.expert_ffn = 2048;
  job.network = transformer_graph(shape);
  return job;
}

}  // namespace orrery::testing
