#include "scenarios/strategy_options.hpp"

#include <algorithm>

#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string owners_text(const StrategyOption& option) {
  std::vector<std::string> names;
  for (const StrategyKind kind : option.kinds) names.emplace_back(name_of(kind));
  return "kind = " + join(names, " | ");
}

}  // namespace

const std::vector<StrategyOption>& strategy_options() {
  using enum StrategyKind;
  using enum ValueType;
  using Kinds = std::vector<StrategyKind>;
  static const Kinds everyone = {single, data, model, pipeline, hybrid, local_sgd, async, federated};
  static const Kinds shared_out = {data, model, pipeline, local_sgd};
  static const Kinds served = {async, federated};
  static const Kinds alone = {local_sgd, async, federated};
  static const std::vector<StrategyOption> options = {
      {"precision", text, everyone},
      {"recompute", text, everyone},
      {"cluster", table, {single, data, model, pipeline, hybrid, local_sgd, async}},
      {"devices", number, {data, model, pipeline, hybrid, local_sgd, async}},
      {"accumulation", number, {single, data, model}},
      {"collective", text, {data, model, local_sgd}},
      {"fidelity", text, shared_out},
      {"segments", number, shared_out},
      {"bucket_MiB", number, {data}},
      {"overlap", boolean, {data}},
      {"split", text, {model}},
      {"schedule", text, {pipeline, hybrid}},
      {"microbatches", number, {pipeline}},
      // hybrid: read_hybrid.cpp
      {"dp", number, {hybrid}},
      {"tp", number, {hybrid}},
      {"pp", number, {hybrid}},
      {"cp", number, {hybrid}},
      {"ep", number, {hybrid}},
      {"etp", number, {hybrid}},
      {"order", texts, {hybrid}},
      {"microbatch", number, {hybrid}},
      {"interleave", number, {hybrid}},
      {"chunks", text, {hybrid}},
      {"sequence_parallel", boolean, {hybrid}},
      {"zero_stage", number, {hybrid}},
      {"zero_group", number, {hybrid}},
      {"offload", text, {hybrid}},
      {"balance", text, {hybrid}},
      {"outer", table, {hybrid}},
      {"capacity_factor", number, {hybrid}},
      {"expert_imbalance", number, {hybrid}},
      {"length_variation", number, {hybrid}},
      {"computed_tokens", number, {hybrid}},
      {"head_tokens", number, {hybrid}},
      {"jitter", number, {hybrid}},
      {"straggler", table, {hybrid}},
      {"input", table, {hybrid}},
      {"fold", text, {hybrid}},
      {"local_steps", number, {local_sgd, federated}},
      {"save_weights", text, alone},
      // async and federated: read_cosimulated.cpp
      {"steps", number, {async}},
      {"evaluate_every", number, served},
      {"evaluation_time", text, served},
      {"local_batch", number, served},
      {"optimizer", text, served},
      {"learning_rate", number, served},
      {"momentum", number, served},
      {"weight_decay", number, served},
      {"clip_norm", number, served},
      {"learning_rate_schedule", table, served},
      {"server_learning_rate", number, served},
      {"staleness", text, served},
      {"staleness_a", number, served},
      {"staleness_b", number, served},
      {"compression", text, served},
      {"keep", number, served},
      {"levels", number, served},
      {"rank", number, served},
      {"error_feedback", boolean, served},
      {"algorithm", text, {federated}},
      {"proximal_mu", number, {federated}},
      {"server_momentum", number, {federated}},
      {"beta1", number, {federated}},
      {"beta2", number, {federated}},
      {"tau", number, {federated}},
      {"fairness_q", number, {federated}},
      {"mixing", number, {federated}},
      {"buffer", number, {federated}},
      {"partition", text, {federated}},
      {"alpha", number, {federated}},
      {"shards_per_client", number, {federated}},
      {"sigma", number, {federated}},
      {"rounds", number, {federated}},
      {"clients_per_round", number, {federated}},
      {"over_selection", number, {federated}},
      {"deadline_s", number, {federated}},
      {"min_reports", number, {federated}},
      {"selection", text, {federated}},
      {"candidates", number, {federated}},
      {"offline", text, {federated}},
      {"local_epochs", number, {federated}},
      {"most_local_epochs", number, {federated}},
      {"privacy", text, {federated}},
      {"update_clip", number, {federated}},
      {"noise_multiplier", number, {federated}},
      {"delta", number, {federated}},
      {"secure_aggregation", boolean, {federated}},
      {"secure_threshold", number, {federated}},
      {"ring_bits", number, {federated}},
      {"ring_range", number, {federated}},
      {"personal_layers", texts, {federated}},
      {"edges", number, {federated}},
      {"edge_rounds", number, {federated}},
      {"edge_device", text, {federated}},
      {"edge_link", text, {federated}},
      {"topology", text, {federated}},
      {"degree", number, {federated}},
      {"cut_layer", text, {federated}},
  };
  return options;
}

void refuse_foreign_options(TomlTable& table, StrategyKind kind) {
  const std::string why = fmt::format("this strategy is kind = {}", name_of(kind));
  for (const StrategyOption& option : strategy_options()) {
    if (std::find(option.kinds.begin(), option.kinds.end(), kind) == option.kinds.end()) {
      refuse(table, option.key, option.type, owners_text(option), why);
    }
  }
}

}  // namespace orrery
