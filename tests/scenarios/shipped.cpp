// Shipped scenarios as files.
#include <algorithm>
#include <filesystem>

#include "scenarios/scenario.hpp"
#include "tests/catch.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {
namespace {

std::vector<std::string> values_of(const Scenario& scenario) {
  std::vector<std::string> values;
  for (const ResolvedValue& value : scenario.resolved) {
    const bool is_path = value.value.find('/') != std::string::npos;  // resolved from where each was read
    if (!is_path) values.push_back(value.path + " = " + value.value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

TEST_CASE("resolved.toml of every shipped scenario reads back with the same values") {
  const Catalogue& catalogue = shipped_catalogue();
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data_directory() / "scenarios")) {
    if (entry.path().extension() != ".toml") continue;
    INFO(entry.path().stem().string());
    const Scenario first = read_scenario(entry.path().string(), {}, catalogue);
    const Scenario again = parse_scenario(resolved_toml(first), "elsewhere/resolved.toml", catalogue);
    CHECK(values_of(again) == values_of(first));
    ++read;
  }
  CHECK(read > 30);
}

}  // namespace
}  // namespace orrery
