#include "scenarios/scenario_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/plan.hpp"
#include "scenarios/saved_weights.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

class TableChecks {
 public:
  TableChecks(TomlTable& root, const Scenario& scenario) : root_(root), scenario_(scenario) {}

  void check() {
    check_federation_is_read();
    check_end_of_learning();
    check_saved_weights(root_, scenario_);
    check_layouts_alone();
    check_constants();
    check_currency();
    check_grids();
  }

 private:
  /// Whether the kind of the i-th strategy is the file's, not the default after a mistake that was told.
  [[nodiscard]] bool is_kind_told(std::size_t i) {
    const std::string kind(name_of(scenario_.strategies[i].kind));
    return root_.tables("strategy")[i].text("kind") == kind;
  }

  /// Clients that nobody trains on and whose data nobody moves.
  void check_federation_is_read() {
    TomlTable workload = root_.table_or_defaults("workload");
    const bool is_other = workload.has("data_origin") && workload.text("data_origin") != "cluster";  // or a mistake
    if (!scenario_.federation.present || is_other || scenario_.strategies.empty()) return;
    for (std::size_t i = 0; i < scenario_.strategies.size(); ++i) {
      if (scenario_.strategies[i].kind == StrategyKind::federated || !is_kind_told(i)) return;
    }
    root_.problem("federation", "has no effect",
                  "no strategy is of kind federated, and with data_origin = \"cluster\" clients send no data",
                  "remove it, add a strategy of kind = \"federated\", or data_origin = \"clients\" to [workload]");
  }

  /// Co-simulated learning ends with its own rounds or steps, any other with the workload's.
  void check_end_of_learning() {
    if (!scenario_.workload.learn || scenario_.workload.steps > 0 || scenario_.workload.epochs > 0) return;
    TomlTable workload = root_.table_or_defaults("workload");
    if (workload.has("steps") || workload.has("epochs")) return;  // wrong ones, already told
    for (std::size_t i = 0; i < scenario_.strategies.size(); ++i) {
      const StrategySpec& strategy = scenario_.strategies[i];
      if (!is_kind_told(i) || is_cosimulated(strategy.kind)) continue;
      workload.problem("learn", "needs an end", "strategy " + strategy.name + " has neither steps nor epochs to go",
                       "add steps or epochs");
      return;
    }
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

  /// Devices whose laws price a strategy.
  void add_devices(const StrategySpec& strategy, std::vector<std::string>& ids) const {
    if (priced_by(scenario_, strategy.kind) != ComputeChoice::operators) return;
    if (strategy.kind != StrategyKind::federated) {
      const ClusterDescription& cluster = strategy.cluster.description;
      for (std::size_t i = 0; i < cluster.groups(); ++i) ids.push_back(cluster.group(i).device.id);
      return;
    }
    for (const ClientGroup& group : scenario_.federation.groups) ids.push_back(group.device.id);
    const FederatedOptions& options = strategy.federated;
    const bool works = options.algorithm.kind == AlgorithmKind::split;
    if (works || options.evaluation_time == EvaluationTime::charged) ids.push_back(scenario_.federation.server.id);
  }

  /// Links have laws in layouts alone.
  static void add_links(const StrategySpec& strategy, std::vector<std::string>& ids) {
    if (strategy.kind != StrategyKind::hybrid) return;
    const ClusterDescription& cluster = strategy.cluster.description;
    for (std::size_t i = 0; i < cluster.groups(); ++i) {
      for (const auto& link : {cluster.group(i).node_link, cluster.group(i).network_link}) {
        if (link) ids.push_back(link->id);
      }
    }
  }

  /// Ids of what a file of constants of this kind may speak of.
  [[nodiscard]] std::vector<std::string> in_use(const std::string& kind) const {
    if (kind == "framework") return {scenario_.workload.framework.id};
    std::vector<std::string> ids;
    for (const StrategySpec& strategy : scenario_.strategies) {
      if (kind == "device") add_devices(strategy, ids);
      if (kind == "link") add_links(strategy, ids);
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
      const std::string nobody = file.kind == "device" ? "no strategy is priced by operators"
                                                       : "no strategy of kind = \"hybrid\" has a " + file.kind;
      const std::string why = used.empty() ? nobody : "the scenario's: " + join(used, ", ");
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

  /// Emissions of clients alone would leave out those of server and network.
  void check_grids() {
    TomlTable energy = root_.table_or_defaults("energy");
    if (scenario_.energy.gCO2e_per_kWh > 0 || energy.has("grid") || energy.has("gCO2e_per_kWh")) return;
    for (const ClientGroup& group : scenario_.federation.groups) {
      if (group.grid.empty()) continue;
      energy.problem("grid", "is missing",
                     "clients on the grid " + group.grid + " emit, and so do their server and the network",
                     "add grid or gCO2e_per_kWh to [energy], or leave out that of the clients");
      return;
    }
  }

  TomlTable& root_;
  const Scenario& scenario_;
};

}  // namespace

void check_tables(TomlTable& root, const Scenario& scenario) {
  TableChecks(root, scenario).check();
}

}  // namespace orrery
