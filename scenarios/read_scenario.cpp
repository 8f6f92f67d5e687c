// The whole file: its tables in order, and what concerns several of them.
#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "scenarios/plan.hpp"
#include "scenarios/reading.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

class ScenarioReader {
 public:
  ScenarioReader(TomlDocument& document, const std::string& file, const Catalogue& catalogue,
                 const MetricNames& metrics, Problems& problems)
      : root_(document.root()),
        reading_{catalogue, problems, std::filesystem::path(file).parent_path().string()},
        metrics_(metrics) {
    scenario_.file = file;
  }

  Scenario read() {
    TomlTable head = root_.table_or_defaults("scenario");
    read_head(head);
    read_workload_table();
    if (const auto table = root_.table("federation"))
      scenario_.federation = read_federation(*table, scenario_.workload, reading_);
    check_origin();
    read_strategies();
    check_end_of_learning();
    check_who_saves();
    check_layouts_alone();
    check_constants();
    read_reference(head);
    head.finish();
    scenario_.energy = read_energy(root_.table_or_defaults("energy"), reading_);
    scenario_.cost = read_cost(root_.table_or_defaults("cost"));
    check_currency();
    if (const auto table = root_.table("search")) {
      scenario_.search = read_search(*table, scenario_.strategies, scenario_.workload.network);
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
    scenario_.name = head.text("name", std::filesystem::path(scenario_.file).stem().string());
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

  /// Co-simulated learning ends with its own rounds or steps, any other with the workload's.
  void check_end_of_learning() {
    if (!scenario_.workload.learn || scenario_.workload.steps > 0 || scenario_.workload.epochs > 0) return;
    TomlTable workload = root_.table_or_defaults("workload");
    if (workload.has("steps") || workload.has("epochs")) return;  // wrong ones, already told
    std::vector<TomlTable> tables = root_.tables("strategy");
    for (std::size_t i = 0; i < scenario_.strategies.size(); ++i) {
      const StrategySpec& strategy = scenario_.strategies[i];
      const bool is_told = tables[i].text("kind") == std::string(name_of(strategy.kind));  // else a mistake itself
      if (!is_told || is_cosimulated(strategy.kind)) continue;
      workload.problem("learn", "needs an end", "strategy " + strategy.name + " has neither steps nor epochs to go",
                       "add steps or epochs");
      return;
    }
  }

  /// [workload] saves the weights of the learning that synchronous ways share.
  void check_who_saves() {
    TomlTable workload = root_.table_or_defaults("workload");
    check_one_run_saves(workload, scenario_.workload.weights.save);
    if (scenario_.workload.weights.save.empty()) return;
    for (const StrategySpec& strategy : scenario_.strategies) {
      if (!learns_alone(strategy.kind)) return;
    }
    workload.problem("save_weights", "nothing is learned centrally", "every strategy has a learning of its own",
                     "put save_weights into a [[strategy]]");
  }

  /// Layouts are priced operator by operator, and cut a batch by their micro-batches.
  void check_layouts_alone() {
    const auto& all = scenario_.strategies;
    const auto is_layout = [](const StrategySpec& strategy) { return strategy.kind == StrategyKind::hybrid; };
    if (all.empty() || scenario_.workload.learn || !std::all_of(all.begin(), all.end(), is_layout)) return;
    TomlTable workload = root_.table_or_defaults("workload");
    // A default that is written down, as in resolved.toml, says nothing else than none.
    if (workload.has("compute") && workload.text("compute", "auto") != "auto") {
      workload.problem("compute", "has no effect", "strategies of kind hybrid alone are priced by operators",
                       "remove it");
    }
    if (workload.has("accumulation") && scenario_.workload.accumulation != 1) {
      workload.problem("accumulation", "has no effect",
                       "strategies of kind hybrid have as many micro-batches as `microbatch` leaves", "remove it");
    }
  }

  /// Ids of what a file of constants of this kind may speak of: devices and links have laws in layouts alone.
  [[nodiscard]] std::vector<std::string> in_use(const std::string& kind) const {
    if (kind == "framework") return {scenario_.workload.framework.id};
    std::vector<std::string> ids;
    for (const StrategySpec& strategy : scenario_.strategies) {
      if (strategy.kind != StrategyKind::hybrid) continue;
      const ClusterDescription& cluster = strategy.cluster.description;
      for (std::size_t i = 0; i < cluster.groups(); ++i) {
        const NodeGroup& nodes = cluster.group(i);
        if (kind == "device") ids.push_back(nodes.device.id);
        for (const auto& link : {nodes.node_link, nodes.network_link}) {
          if (kind == "link" && link) ids.push_back(link->id);
        }
      }
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
  }

  /// A file of which nothing is used would change nothing without a word.
  void check_constants() {
    for (const ConstantsFile& file : scenario_.workload.constants) {
      if (file.rows.empty()) continue;
      const std::vector<std::string> used = in_use(file.kind);
      const auto applies = [&used](const ConstantRow& row) {
        return row.owner.starts_with("default") || std::find(used.begin(), used.end(), row.owner) != used.end();
      };
      if (std::any_of(file.rows.begin(), file.rows.end(), applies)) continue;
      const std::string why =
          used.empty() ? "no strategy of kind = \"hybrid\" has a " + file.kind : "the scenario's: " + join(used, ", ");
      root_.table_or_defaults("workload")
          .problem("constants",
                   "nothing of \"" + file.file + "\" is used: it has a " + file.kind + " \"" + file.rows.front().owner +
                       "\"",
                   why, "remove it, or name another file");
    }
  }

  /// The price of a rented system is in the system's currency.
  void check_currency() {
    const CostSpec& cost = scenario_.cost;
    if (cost.currency.empty() || cost.price_per_device_hour > 0) return;
    for (const StrategySpec& strategy : scenario_.strategies) {
      if (strategy.kind == StrategyKind::federated) continue;
      for (std::size_t group = 0; group < strategy.cluster.description.groups(); ++group) {
        const NodeOrigin& nodes = strategy.cluster.origin(group);
        if (nodes.price_per_hour <= 0 || nodes.currency == cost.currency) continue;
        root_.table_or_defaults("cost").problem(
            "currency", "\"" + cost.currency + "\" is not what " + nodes.system + " is paid in",
            "its price is in " + nodes.currency + ", electricity contained, and nothing says what that is in " +
                cost.currency,
            "use currency = \"" + nodes.currency + "\", or add price_per_device_hour in " + cost.currency);
        return;
      }
    }
  }

  void check_one_run_saves(TomlTable& table, const std::string& file) {
    if (file.empty() || scenario_.seeds == 1) return;
    table.problem("save_weights", "is the file of one run",
                  fmt::format("there are {} seeds, each with weights of its own", scenario_.seeds),
                  "use seeds = 1, or leave it out");
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
      check_one_run_saves(table, scenario_.strategies.back().save_weights);
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
  Reading reading_;
  const MetricNames& metrics_;
  Scenario scenario_;
};

Scenario checked(TomlDocument& document, const std::string& file, const Catalogue& catalogue,
                 const MetricNames& metrics, Problems& problems) {
  problems.throw_if_any();  // a text that is not TOML says nothing about its tables
  Scenario scenario = ScenarioReader(document, file, catalogue, metrics, problems).read();
  problems.throw_if_any();
  scenario.resolved = document.resolved();
  return scenario;
}

}  // namespace

std::string_view name_of(StrategyKind kind) {
  switch (kind) {
    case StrategyKind::single:
      return "single";
    case StrategyKind::data:
      return "data";
    case StrategyKind::model:
      return "model";
    case StrategyKind::pipeline:
      return "pipeline";
    case StrategyKind::hybrid:
      return "hybrid";
    case StrategyKind::async:
      return "async";
    case StrategyKind::local_sgd:
      return "local-sgd";
    case StrategyKind::federated:
      return "federated";
  }
  return "";
}

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
