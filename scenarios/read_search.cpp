// [search]: lists of values for the keys of a hybrid strategy, limits and the objective.
#include "scenarios/read_hybrid.hpp"

namespace orrery {
namespace {

constexpr Range count{1.0, 1e6};

/// Lists of values to try. An empty one would leave nothing to try, where no list at all means every value.
class ValueLists {
 public:
  ValueLists(TomlTable& table, const Problems& problems) : table_(table), problems_(problems) {}

  std::vector<std::int64_t> integers(std::string_view key, Range range) {
    const std::size_t before = problems_.all().size();
    std::vector<std::int64_t> values = table_.integers(key, range);
    if (values.empty()) refuse_empty(key, before);
    return values;
  }

  /// Several of the names of an enumeration.
  template <class Enum>
  std::vector<Enum> choose_some(std::string_view key, const Names<Enum>& names) {
    const std::size_t before = problems_.all().size();
    std::vector<Enum> chosen;
    const std::vector<std::string> known = texts_of(names);
    for (const std::string& text : table_.texts(key)) {
      if (std::find(known.begin(), known.end(), text) == known.end()) {
        table_.problem(key, "unknown name \"" + text + "\"", {}, did_you_mean(text, known));
      } else {
        chosen.push_back(value_of(names, text, names.front().value));
      }
    }
    if (chosen.empty()) refuse_empty(key, before);
    return chosen;
  }

 private:
  /// `before`: problems before the list was read; a list of wrong values is told already.
  void refuse_empty(std::string_view key, std::size_t before) {
    if (!table_.has(key) || problems_.all().size() > before) return;
    table_.problem(key, "is an empty list", "no layout would be left to judge", "name values, or leave it out");
  }

  TomlTable& table_;
  const Problems& problems_;
};

SearchLimits read_limits(TomlTable table) {
  SearchLimits limits;
  limits.memory_GiB = table.number("memory_GiB", positive);
  limits.step_s = table.number("step_s", positive);
  limits.cost = table.number("cost", positive);
  limits.energy_J = table.number("energy_J", positive);
  table.finish();
  return limits;
}

std::vector<ExpertSplit> read_expert_splits(TomlTable& table, ValueLists& lists, const LayerGraph& network) {
  static const Names<ExpertSplit> splits = {{"1", ExpertSplit::whole}, {"tp", ExpertSplit::tp}};
  std::vector<ExpertSplit> chosen = lists.choose_some("etp", splits);
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

SearchSpec read_search(TomlTable table, const std::vector<StrategySpec>& strategies, const LayerGraph& network,
                       const Reading& reading) {
  static const Names<Objective> objectives = {
      {"time", Objective::time}, {"cost", Objective::cost}, {"energy", Objective::energy}};
  static const Names<SequenceParallel> switches = {{"off", SequenceParallel::off}, {"on", SequenceParallel::on}};
  constexpr Range stages{0.0, 3.0};
  SearchSpec search;
  ValueLists lists(table, reading.problems);
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
  search.dp = lists.integers("dp", count);
  search.tp = lists.integers("tp", layout_degree);
  search.pp = lists.integers("pp", layout_degree);
  search.cp = lists.integers("cp", layout_degree);
  search.ep = lists.integers("ep", layout_degree);
  search.etp = read_expert_splits(table, lists, network);
  search.zero_stage = lists.integers("zero_stage", stages);
  search.microbatch = lists.integers("microbatch", layout_microbatch);
  search.interleave = lists.integers("interleave", layout_degree);
  search.recompute = lists.choose_some("recompute", hybrid_recomputes());
  search.schedule = lists.choose_some("schedule", hybrid_schedules());
  search.sequence_parallel = lists.choose_some("sequence_parallel", switches);
  search.objective = choose(table, "objective", objectives, search.objective);
  search.top = static_cast<int>(table.integer("top", search.top, count));
  if (auto limits = table.table("limits")) search.limits = read_limits(*limits);
  table.finish();
  return search;
}

}  // namespace orrery
