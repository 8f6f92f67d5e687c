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

/// Paths as this process sees them, so that the text means the same wherever it lies.
std::map<std::string, std::string> absolute_paths(const Scenario& scenario) {
  std::map<std::string, std::string> values;
  const auto quoted = [](const std::string& path) {
    return "'" + std::filesystem::absolute(path).lexically_normal().string() + "'";
  };
  const auto add = [&](const std::string& key, const std::string& path) { values[key] = quoted(path); };
  std::vector<std::string> constants;
  for (const ConstantsFile& file : scenario.workload.constants) constants.push_back(quoted(file.file));
  if (!constants.empty()) values["workload.constants"] = "[" + join(constants, ", ") + "]";
  // A cluster's only group stands in the table itself, or in a list of one.
  const auto add_devices = [&add](const std::string& cluster, const ClusterSpec& spec) {
    if (!spec.device_file.empty()) add(cluster + ".device", spec.device_file);
    for (std::size_t group = 0; group < spec.description.groups(); ++group) {
      const std::string& file = spec.origin(group).device_file;
      if (!file.empty()) add(fmt::format("{}.group[{}].device", cluster, group), file);
    }
  };
  if (!scenario.workload.profile.empty()) add("workload.profile", scenario.workload.profile);
  if (scenario.workload.host.ends_with(".csv")) add("workload.profile_host", scenario.workload.host);
  if (!scenario.workload.weights.initial.empty()) add("workload.initial_weights", scenario.workload.weights.initial);
  if (!scenario.workload.weights.save.empty()) add("workload.save_weights", scenario.workload.weights.save);
  for (std::size_t i = 0; i < scenario.strategies.size(); ++i) {
    const std::string strategy = "strategy[" + std::to_string(i) + "]";
    const std::string& path = scenario.strategies[i].save_weights;
    if (!path.empty()) add(strategy + ".save_weights", path);
    add_devices(strategy + ".cluster", scenario.strategies[i].cluster);
  }
  const FederationSpec& federation = scenario.federation;
  for (std::size_t i = 0; i < federation.groups.size(); ++i) {
    const bool is_only = federation.groups.size() == 1 && !has_groups(scenario);
    const std::string group = is_only ? "federation" : "federation.group[" + std::to_string(i) + "]";
    const std::string& trace = federation.groups[i].availability.trace;
    if (!trace.empty()) add(group + ".trace", trace);
    if (!federation.capacity_traces[i].empty()) add(group + ".capacity_trace", federation.capacity_traces[i]);
  }
  add_devices("cluster", scenario.cluster);
  const std::string& network = scenario.workload.network_file;
  if (!network.empty()) add(network.ends_with(".json") ? "workload.hf_config" : "workload.network", network);
  return values;
}

}  // namespace

std::string resolved_toml(const Scenario& scenario) {
  const std::map<std::string, std::string> paths = absolute_paths(scenario);
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
