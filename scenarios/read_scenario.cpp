// The whole file: its tables in order, and what concerns several of them.
#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "scenarios/plan.hpp"
#include "scenarios/reading.hpp"
#include "scenarios/scenario_checks.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

void add_files(const TomlDocument& document, std::vector<std::string>& inputs) {
  const std::vector<std::string> files = document.files();
  inputs.insert(inputs.end(), files.begin(), files.end());
}

class ScenarioReader {
 public:
  ScenarioReader(TomlDocument& document, const std::string& file, const Catalogue& catalogue,
                 const MetricNames& metrics, Problems& problems)
      : root_(document.root()),
        reading_{catalogue, problems, std::filesystem::path(file).parent_path().string(), scenario_.inputs},
        metrics_(metrics) {
    scenario_.file = file;
    add_files(document, scenario_.inputs);
  }

  Scenario read() {
    TomlTable head = root_.table_or_defaults("scenario");
    read_head(head);
    read_workload_table();
    if (const auto table = root_.table("federation"))
      scenario_.federation = read_federation(*table, scenario_.workload, reading_);
    check_origin();
    read_strategies();
    read_reference(head);
    head.finish();
    scenario_.energy = read_energy(root_.table_or_defaults("energy"), reading_);
    scenario_.cost = read_cost(root_.table_or_defaults("cost"));
    check_tables(root_, scenario_);
    if (const auto table = root_.table("search")) {
      scenario_.search = read_search(*table, scenario_.strategies, scenario_.workload.network, reading_);
    }
    scenario_.asserts = read_asserts(root_.tables("assert"), scenario_.strategies, metrics_);
    root_.finish();
    return std::move(scenario_);
  }

 private:
  void read_head(TomlTable& head) {
    static const Names<EngineKind> engines = {{std::string(name_of(EngineKind::flow)), EngineKind::flow},
                                              {std::string(name_of(EngineKind::closed_form)), EngineKind::closed_form}};
    // 2^53: from there on not every integer is a number of its own.
    constexpr Range seeds{0.0, 9007199254740992.0};
    scenario_.name = read_name(head);
    scenario_.question = head.text("question", "");
    scenario_.source = head.text("source", "");
    scenario_.expected = head.text("expected", "");
    scenario_.seed = static_cast<std::uint64_t>(head.integer("seed", 1, seeds));
    constexpr Range repetitions{1.0, 1000.0};
    scenario_.seeds = static_cast<int>(head.integer("seeds", scenario_.seeds, repetitions));
    scenario_.engine = choose(head, "engine", engines, scenario_.engine);
    const auto budget = static_cast<std::int64_t>(scenario_.message_budget);
    scenario_.message_budget = static_cast<std::uint64_t>(head.integer("message_budget", budget, at_least_one));
  }

  /// The file's name, if the scenario says no other.
  std::string read_name(TomlTable& head) {
    const std::size_t before = reading_.problems.all().size();
    std::string name = head.text("name", std::filesystem::path(scenario_.file).stem().string());
    const bool is_told = reading_.problems.all().size() > before;  // no text
    if (!is_told && head.has("name")) check_name(head, "name", name);
    return name;
  }

  void read_workload_table() {
    if (const auto table = root_.table("workload")) {
      scenario_.workload = read_workload(*table, reading_);
    } else if (!root_.has("workload")) {
      root_.problem("workload", "is missing", "nothing says what is trained", "add a [workload]");
    }
  }

  void check_origin() {
    if (scenario_.workload.data_origin != DataOrigin::clients || scenario_.federation.present) return;
    root_.table_or_defaults("workload")
        .problem("data_origin", "clients are where the data is born", "the scenario has no [federation]",
                 "add a [federation], or data_origin = \"cluster\"");
  }

  void read_strategies() {
    ClusterKeys keys;
    ClusterSpec cluster;
    if (auto table = root_.table("cluster")) {
      keys = read_cluster_keys(*table, reading_);
      cluster = resolve_cluster(keys, *table, reading_);
      record_cluster_defaults(*table, cluster);
      scenario_.cluster = cluster;
      table->finish();
    }
    const StrategyContext context{scenario_.workload, scenario_.federation, keys, cluster};
    std::set<std::string> names;
    for (TomlTable& table : root_.tables("strategy")) {
      scenario_.strategies.push_back(read_strategy(table, context, reading_));
      const std::string& name = scenario_.strategies.back().name;
      if (!name.empty() && !names.insert(name).second) {
        table.problem("name", "\"" + name + "\" is the name of an earlier strategy", "rows are told apart by it",
                      "give each strategy its own name");
      }
    }
    if (!root_.has("strategy")) {
      root_.problem("strategy", "is missing", "nothing says how to train", "add a [[strategy]]");
    }
  }

  void read_reference(TomlTable& head) {
    std::vector<std::string> names;
    for (const StrategySpec& strategy : scenario_.strategies) names.push_back(strategy.name);
    scenario_.reference = head.choice("reference", names, names.empty() ? "" : names.front());
  }

  TomlTable root_;
  Scenario scenario_;
  Reading reading_;  // notes the scenario's inputs
  const MetricNames& metrics_;
};

/// What a network's file extends.
void add_network_files(const std::string& file, std::vector<std::string>& inputs) {
  if (!file.ends_with(".toml")) return;
  Problems problems;  // none: it was read before
  add_files(TomlDocument::read(file, {}, problems), inputs);
}

Scenario checked(TomlDocument& document, const std::string& file, const Catalogue& catalogue,
                 const MetricNames& metrics, Problems& problems) {
  problems.throw_if_any();  // a text that is not TOML says nothing about its tables
  Scenario scenario = ScenarioReader(document, file, catalogue, metrics, problems).read();
  problems.throw_if_any();
  scenario.resolved = document.resolved();
  add_network_files(scenario.workload.network_file, scenario.inputs);
  return scenario;
}

}  // namespace

Scenario read_scenario(const std::string& file, const std::vector<std::string>& overrides, const Catalogue& catalogue,
                       const MetricNames& metrics) {
  Problems problems;
  TomlDocument document = TomlDocument::read(file, overrides, problems);
  return checked(document, file, catalogue, metrics, problems);
}

Scenario parse_scenario(std::string_view text, const std::string& name, const Catalogue& catalogue,
                        const MetricNames& metrics) {
  Problems problems;
  TomlDocument document = TomlDocument::parse(text, name, problems);
  return checked(document, name, catalogue, metrics, problems);
}

}  // namespace orrery
