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
  static const std::vector<StrategyOption> options = {
      {"devices", ValueType::number, {data, model, pipeline}},
      {"cluster", ValueType::table, {single, data, model, pipeline}},
      {"precision", ValueType::text, {single, data, model, pipeline, federated}},
      {"recompute", ValueType::text, {single, data, model, pipeline, federated}},
      {"accumulation", ValueType::number, {single, data, model}},
      {"collective", ValueType::text, {data, model}},
      {"bucket_MiB", ValueType::number, {data}},
      {"overlap", ValueType::boolean, {data}},
      {"split", ValueType::text, {model}},
      {"schedule", ValueType::text, {pipeline}},
      {"microbatches", ValueType::number, {pipeline}},
      {"clients_per_round", ValueType::number, {federated}},
      {"local_epochs", ValueType::number, {federated}},
      {"local_batch", ValueType::number, {federated}},
      {"rounds", ValueType::number, {federated}},
      {"evaluate_every", ValueType::number, {federated}},
      {"selection", ValueType::text, {federated}},
      {"optimizer", ValueType::text, {federated}},
      {"learning_rate", ValueType::number, {federated}},
      {"momentum", ValueType::number, {federated}},
      {"weight_decay", ValueType::number, {federated}},
      {"clip_norm", ValueType::number, {federated}},
      {"learning_rate_schedule", ValueType::table, {federated}},
      {"save_weights", ValueType::text, {federated}},
      {"fidelity", ValueType::text, {data, model, pipeline}},
      {"segments", ValueType::number, {data, model, pipeline}},
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
