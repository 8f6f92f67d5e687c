// `orrery run --strategy`: one strategy of a scenario.
#include <nlohmann/json.hpp>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"
#include "tests/cli/small_scenarios.hpp"

using orrery::ChildResult;
using namespace orrery::testing;

TEST_CASE("one strategy is run alone, and an unknown one is told") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", two_ways);
  const auto run = [](std::vector<std::string> words) {
    words.insert(words.begin(), "run");
    return call_orrery(words);
  };
  const ChildResult all = run({scenario, "--json"}), four = run({scenario, "--strategy", "four", "--json"});
  CHECK(four.exit_code == 0);
  CHECK(four.output.find("\"one\"") == std::string::npos);
  const auto step_of_four = [](const std::string& rows) {
    const std::size_t row = rows.find("\"four\""), step = rows.find("\"step_time_s\"", row);
    return rows.substr(step, rows.find(',', step) - step);
  };
  CHECK(step_of_four(four.output) == step_of_four(all.output));
  CHECK(run({scenario, "--strategy", "four", "--check"}).output == scenario + ": ok, 1 strategy\n");
  for (const std::string mode : {"--check", "--json", "--dump=cluster"}) {
    const ChildResult unknown = run({scenario, mode, "--strategy", "fuor"});
    CHECK(unknown.exit_code == 2);
    CHECK(unknown.errors == "orrery run: unknown strategy \"fuor\" (did you mean \"four\"?)\n");
  }
}

TEST_CASE("one strategy that cannot be is named, those that were not tried are not judged") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("big.toml", too_big + roomy);
  const ChildResult one = call_orrery({"run", scenario, "--strategy", "one"});
  CHECK(one.exit_code == 4);
  CHECK(one.errors == "orrery: strategy one of big is not feasible\n");
  const ChildResult small = call_orrery({"run", scenario, "--strategy", "small"});
  CHECK(small.exit_code == 0);
  CHECK(small.errors.empty());
}

TEST_CASE("a check counts its strategies in words that fit") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", two_ways);
  CHECK(call_orrery({"run", scenario, "--check"}).output == scenario + ": ok, 2 strategies\n");
  const std::string lone = folder.write("lone.toml", two_ways.substr(0, two_ways.rfind("[[strategy]]")));
  CHECK(call_orrery({"run", lone, "--check"}).output == lone + ": ok, 1 strategy\n");
}

TEST_CASE("assertions about strategies that did not run are told, and what is written says which ran") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", two_ways + R"(
[[assert]]
metric = "devices"
strategy = "four"
max = 3

[[assert]]
metric = "devices"
max = 3
)");
  const std::string broken = ": assert: devices of four is 4, above max 3\n";
  const std::string all_broken = scenario + ":20:10" + broken + scenario + ":25:10" + broken;
  const auto strategy_of = [&](const std::string& out) {
    return nlohmann::json::parse(orrery::read_file(folder.file(out + "/provenance.json"))).at("strategy");
  };
  const ChildResult one = call_orrery({"run", scenario, "--strategy", "one", "-o", folder.file("one")});
  CHECK(one.exit_code == 0);
  CHECK(one.errors == scenario + ":20:10: assert: devices of four is not judged: only one ran\n");
  CHECK(strategy_of("one") == "one");
  const ChildResult four = call_orrery({"run", scenario, "--strategy", "four"});
  CHECK(four.exit_code == 5);
  CHECK(four.errors == all_broken);
  const ChildResult all = call_orrery({"run", scenario, "-o", folder.file("all")});
  CHECK(all.exit_code == 5);
  CHECK(all.errors == all_broken);
  CHECK(strategy_of("all").is_null());
}
