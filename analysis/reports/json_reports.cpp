#include <sys/utsname.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "analysis/reports/reports.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Cell& cell) {
  if (const auto* truth = std::get_if<bool>(&cell)) return *truth;
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return *whole;
  if (const auto* number = std::get_if<double>(&cell)) return std::isfinite(*number) ? Json(*number) : Json();
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return {};
}

/// Of the first processor; empty where /proc/cpuinfo does not say.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos && trim(line.substr(0, colon)) == "model name") {
      return std::string(trim(std::string_view(line).substr(colon + 1)));
    }
  }
  return {};
}

Json host_json() {
  Json host;
  utsname system{};
  if (::uname(&system) == 0) {
    host["system"] = std::string(system.sysname) + " " + system.release;
    host["architecture"] = system.machine;
  }
  host["processor"] = processor_name();
  host["threads"] = std::thread::hardware_concurrency();
  return host;
}

/// Lines of a dump end in one newline; text that is not UTF-8 (a file name) is kept readable instead of refused.
std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string results_json(const std::vector<ResultRow>& rows) {
  Json units = Json::object();
  for (const Column& column : columns()) units[column.name] = column.unit;
  Json results = Json::array();
  for (const ResultRow& row : rows) {
    Json object;
    for (const Column& column : columns()) object[column.name] = to_json(column.get(row));
    results.push_back(std::move(object));
  }
  return dump({{"units", units}, {"results", results}});
}

std::string provenance_json(const Scenario& scenario, double wall_seconds, const std::string& version,
                            const std::string& only) {
  Json engine;
  engine["kind"] = name_of(scenario.engine);
  engine["message_budget"] = scenario.message_budget;
  Json json;
  json["version"] = version;
  json["scenario"] = {{"name", scenario.name}, {"file", scenario.file}};
  json["strategy"] = only.empty() ? Json() : Json(only);
  json["seed"] = scenario.seed;
  json["seeds"] = scenario.seeds;
  json["engine"] = engine;
  json["profile"] = scenario.workload.profile.empty() ? Json() : Json(scenario.workload.profile);
  json["host"] = host_json();
  json["wall_seconds"] = wall_seconds;
  return dump(json);
}

}  // namespace orrery
