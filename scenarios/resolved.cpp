// resolved.toml: the scenario with every value and where it came from.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include "scenarios/scenario.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// The table header of a dotted path and the key in it. Elements of arrays of tables have a header of their own;
/// tables within them (a strategy's cluster) are written as dotted keys, because they were written inline.
struct Place {
  std::string table;  // as in the path: workload, strategy[0], federation.group[1]
  std::string key;
};

Place place_of(const std::string& path) {
  const std::size_t last_element = path.rfind(']');
  const std::size_t dot = path.find('.', last_element == std::string::npos ? 0 : last_element);
  if (dot == std::string::npos) return {"", path};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

std::string header(const std::string& table) {
  if (table.back() != ']') return "[" + table + "]";
  std::string name;
  bool in_index = false;
  for (const char c : table) {
    in_index = c == '[' || (in_index && c != ']');
    if (!in_index && c != ']') name += c;
  }
  return "[[" + name + "]]";
}

/// Whether the federation was written as groups.
bool has_groups(const Scenario& scenario) {
  return std::any_of(scenario.resolved.begin(), scenario.resolved.end(),
                     [](const ResolvedValue& value) { return value.path.starts_with("federation.group["); });
}

/// Paths as this process sees them, so that the text means the same wherever it lies: by the key that names them.
class AbsolutePaths {
 public:
  explicit AbsolutePaths(const Scenario& scenario) {
    add_workload(scenario.workload);
    for (std::size_t i = 0; i < scenario.strategies.size(); ++i) {
      const std::string strategy = "strategy[" + std::to_string(i) + "]";
      add(strategy + ".save_weights", scenario.strategies[i].save_weights);
      add_devices(strategy + ".cluster", scenario.strategies[i].cluster);
    }
    add_traces(scenario);
    add_devices("cluster", scenario.cluster);
  }
  [[nodiscard]] const std::map<std::string, std::string>& values() const { return values_; }

 private:
  static std::string quoted(const std::string& path) {
    return "'" + std::filesystem::absolute(path).lexically_normal().string() + "'";
  }
  void add(const std::string& key, const std::string& path) {
    if (!path.empty()) values_[key] = quoted(path);
  }

  void add_workload(const WorkloadSpec& workload) {
    std::vector<std::string> constants;
    for (const ConstantsFile& file : workload.constants) constants.push_back(quoted(file.file));
    if (!constants.empty()) values_["workload.constants"] = "[" + join(constants, ", ") + "]";
    add("workload.profile", workload.profile);
    if (workload.host.ends_with(".csv")) add("workload.profile_host", workload.host);
    add("workload.initial_weights", workload.weights.initial);
    add("workload.save_weights", workload.weights.save);
    const std::string& network = workload.network_file;
    add(network.ends_with(".json") ? "workload.hf_config" : "workload.network", network);
  }

  /// A cluster's only group stands in the table itself, or in a list of one.
  void add_devices(const std::string& cluster, const ClusterSpec& spec) {
    add(cluster + ".device", spec.device_file);
    for (std::size_t group = 0; group < spec.description.groups(); ++group) {
      add(fmt::format("{}.group[{}].device", cluster, group), spec.origin(group).device_file);
    }
  }

  void add_traces(const Scenario& scenario) {
    const FederationSpec& federation = scenario.federation;
    const bool is_only = federation.groups.size() == 1 && !has_groups(scenario);
    for (std::size_t i = 0; i < federation.groups.size(); ++i) {
      const std::string group = is_only ? "federation" : "federation.group[" + std::to_string(i) + "]";
      add(group + ".trace", federation.groups[i].availability.trace);
      add(group + ".capacity_trace", federation.capacity_traces[i]);
    }
  }

  std::map<std::string, std::string> values_;
};

}  // namespace

std::string resolved_toml(const Scenario& scenario) {
  const AbsolutePaths absolute(scenario);
  const std::map<std::string, std::string>& paths = absolute.values();
  std::vector<std::string> tables;  // in the order of their first value
  std::map<std::string, std::string> lines;
  for (const ResolvedValue& value : scenario.resolved) {
    const Place place = place_of(value.path);
    if (!lines.contains(place.table)) tables.push_back(place.table);
    const auto path = paths.find(value.path);
    lines[place.table] +=
        place.key + " = " + (path == paths.end() ? value.value : path->second) + "  # " + value.origin + "\n";
  }
  std::string text = "# Every value of the scenario and where it came from.\n";
  for (const std::string& table : tables) text += "\n" + header(table) + "\n" + lines[table];
  return text;
}

}  // namespace orrery
