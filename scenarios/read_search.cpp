// [search]: lists of values for the keys of a hybrid strategy, limits and the objective.
#include "scenarios/read_hybrid.hpp"

namespace orrery {
namespace {

constexpr Range count{1.0, 1e6};

/// Several of the names of an enumeration.
template <class Enum>
std::vector<Enum> choose_some(TomlTable& table, std::string_view key, const Names<Enum>& names) {
  std::vector<Enum> chosen;
  const std::vector<std::string> known = texts_of(names);
  for (const std::string& text : table.texts(key)) {
    if (std::find(known.begin(), known.end(), text) == known.end()) {
      table.problem(key, "unknown name \"" + text + "\"", {}, did_you_mean(text, known));
    } else {
      chosen.push_back(value_of(names, text, names.front().value));
    }
  }
  return chosen;
}

SearchLimits read_limits(TomlTable table) {
  SearchLimits limits;
  limits.memory_GiB = table.number("memory_GiB", positive);
  limits.step_s = table.number("step_s", positive);
  limits.cost = table.number("cost", positive);
  limits.energy_J = table.number("energy_J", positive);
  table.finish();
  return limits;
}

std::vector<ExpertSplit> read_expert_splits(TomlTable& table, const LayerGraph& network) {
  static const Names<ExpertSplit> splits = {{"1", ExpertSplit::whole}, {"tp", ExpertSplit::tp}};
  std::vector<ExpertSplit> chosen = choose_some(table, "etp", splits);
  if (!chosen.empty() && !may_have_experts(network)) {
    table.problem("etp", "has no effect", network.name + " has no experts", "remove it");
  }
  return chosen;
}

}  // namespace

std::string_view name_of(Objective objective) {
  switch (objective) {
    case Objective::time:
      return "time";
    case Objective::cost:
      return "cost";
    case Objective::energy:
      return "energy";
  }
  return "";
}

SearchSpec read_search(TomlTable table, const std::vector<StrategySpec>& strategies, const LayerGraph& network) {
  static const Names<Objective> objectives = {
      {"time", Objective::time}, {"cost", Objective::cost}, {"energy", Objective::energy}};
  static const Names<SequenceParallel> switches = {{"off", SequenceParallel::off}, {"on", SequenceParallel::on}};
  constexpr Range stages{0.0, 3.0};
  SearchSpec search;
  std::vector<std::string> hybrids;
  for (const StrategySpec& strategy : strategies) {
    if (strategy.kind == StrategyKind::hybrid) hybrids.push_back(strategy.name);
  }
  if (hybrids.empty()) {
    table.problem("strategy", "nothing can be varied", "no strategy is kind = \"hybrid\"",
                  "add one: its cluster and its other keys hold for every layout");
  } else {
    search.strategy = table.choice("strategy", hybrids, hybrids.front());
  }
  search.dp = table.integers("dp", count);
  search.tp = table.integers("tp", layout_degree);
  search.pp = table.integers("pp", layout_degree);
  search.cp = table.integers("cp", layout_degree);
  search.ep = table.integers("ep", layout_degree);
  search.etp = read_expert_splits(table, network);
  search.zero_stage = table.integers("zero_stage", stages);
  search.microbatch = table.integers("microbatch", layout_microbatch);
  search.interleave = table.integers("interleave", layout_degree);
  search.recompute = choose_some(table, "recompute", hybrid_recomputes());
  search.schedule = choose_some(table, "schedule", hybrid_schedules());
  search.sequence_parallel = choose_some(table, "sequence_parallel", switches);
  search.objective = choose(table, "objective", objectives, search.objective);
  search.top = static_cast<int>(table.integer("top", search.top, count));
  if (auto limits = table.table("limits")) search.limits = read_limits(*limits);
  table.finish();
  return search;
}

}  // namespace orrery
