// `orrery run` from the outside: exit codes, files, reproducibility.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"
#include "tests/cli/small_scenarios.hpp"

using orrery::ChildResult;
using orrery::read_file;
using namespace orrery::testing;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> result_files = {"results.csv", "layers.csv",   "links.csv",
                                               "curve.csv",   "timeline.csv", "resolved.toml"};

ChildResult run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "run");
  return call_orrery(arguments);
}

}  // namespace

TEST_CASE("a run writes every file, and JSON on standard output when asked") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", three_ways);
  const ChildResult result = run({scenario, "-o", folder.file("out"), "--json"});
  REQUIRE(result.errors.empty());
  REQUIRE(result.exit_code == 0);
  for (const std::string& file : result_files) CHECK(fs::exists(folder.file("out/" + file)));
  CHECK(nlohmann::json::parse(read_file(folder.file("out/provenance.json"))).contains("wall_seconds"));
  CHECK(nlohmann::json::parse(result.output)["results"].size() == 3);
}

TEST_CASE("the same scenario gives the same bytes for one and two threads and again") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", three_ways);
  for (const std::string variant : {"1 a", "2 b", "2 c"}) {
    const std::string variables = std::string("OMP_NUM_THREADS=") + variant[0];
    const ChildResult result =
        call_orrery_with(variables, "run " + scenario + " -o " + folder.file(std::string(1, variant[2])));
    REQUIRE(result.exit_code == 0);
  }
  for (const std::string& file : result_files) {
    const std::string first = read_file(folder.file("a/" + file));
    CHECK(first == read_file(folder.file("b/" + file)));
    CHECK(first == read_file(folder.file("c/" + file)));
  }
}

TEST_CASE("the quickstart learns what it asserts, with the same bytes for one and two threads") {
  const TemporaryFolder folder;
  for (const std::string threads : {"1", "2"}) {
    const ChildResult result = call_orrery_with(
        "OMP_NUM_THREADS=" + threads, "run " + shipped_scenario("quickstart") + " -o " + folder.file(threads));
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
  }
  for (const std::string& file : result_files)
    CHECK(read_file(folder.file("1/" + file)) == read_file(folder.file("2/" + file)));
}

TEST_CASE("resolved.toml is a scenario that gives the same results") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", three_ways);
  REQUIRE(run({scenario, "-o", folder.file("first")}).exit_code == 0);
  const ChildResult again = run({folder.file("first/resolved.toml"), "-o", folder.file("second")});
  CHECK(again.errors.empty());
  REQUIRE(again.exit_code == 0);
  CHECK(read_file(folder.file("first/results.csv")) == read_file(folder.file("second/results.csv")));
}

TEST_CASE("a way that does not fit is a row, exit code 4 only when none fits") {
  const TemporaryFolder folder;
  const ChildResult none = run({folder.write("big.toml", too_big), "-o", folder.file("none")});
  CHECK(none.exit_code == 4);
  CHECK(none.errors == "orrery: no strategy of big is feasible\n");
  CHECK(read_file(folder.file("none/results.csv")).find("infeasible") != std::string::npos);
  CHECK(run({folder.write("some.toml", too_big + roomy)}).exit_code == 0);
}

TEST_CASE("a broken assertion is exit code 5 with its place and figures, the results are written all the same") {
  const TemporaryFolder folder;
  const std::string scenario =
      folder.write("a.toml", three_ways + "\n[[assert]]\nmetric = \"devices\"\nstrategy = \"four\"\nmax = 3\n");
  const ChildResult result = run({scenario, "-o", folder.file("out")});
  CHECK(result.exit_code == 5);
  CHECK(result.errors == scenario + ":42:10: assert: devices of four is 4, above max 3\n");
  CHECK(fs::exists(folder.file("out/results.csv")));
}

TEST_CASE("an assertion about an unknown metric is invalid input before anything runs") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("a.toml", three_ways + "\n[[assert]]\nmetric = \"step_tme_s\"\nmax = 3\n");
  const ChildResult result = run({scenario});
  CHECK(result.exit_code == 3);
  CHECK(result.errors ==
        scenario +
            ":42:10: assert[0].metric: unknown metric \"step_tme_s\" (it must be a column of results.csv) - did you "
            "mean \"step_time_s\"?\n  metric = \"step_tme_s\"\n           ^\n");
}

TEST_CASE("an assertion about a text is invalid input, told beside other mistakes by every command that reads it") {
  const TemporaryFolder folder;
  const std::string scenario =
      folder.write("a.toml", three_ways + "\n[[assert]]\nmetric = \"device\"\nmax = 3\n[foo]\n");
  const std::string errors =
      scenario +
      ":42:10: assert[0].metric: \"device\" is text, not a number (min and max are bounds of numbers) - see `orrery "
      "list columns` for those with a unit\n  metric = \"device\"\n           ^\n" +
      scenario +
      ":44:2: unknown key \"foo\" - known: assert, cluster, cost, energy, federation, scenario, search, strategy, "
      "workload\n  [foo]\n   ^\n";
  for (const char* command : {"run", "explain", "search"}) {
    const ChildResult result = orrery::testing::call_orrery({command, scenario});
    CHECK(result.exit_code == 3);
    CHECK(result.errors == errors);
  }
}

TEST_CASE("checking a scenario runs nothing and a dump shows each stage") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", three_ways);
  CHECK(run({scenario, "--check"}).output == scenario + ": ok, 3 strategies\n");
  const std::string layouts = folder.write("layouts.toml", R"([workload]
network = "gpt2"
batch = 8
precision = "bf16"
optimizer = "adam"
framework = "modern"
[cluster]
system = "dgx-a100"
[[strategy]]
name = "one"
kind = "hybrid"
devices = 1
[[strategy]]
name = "slices"
kind = "hybrid"
tp = 5
devices = 5
)");
  const ChildResult checked = run({layouts, "--check"}), simulated = run({layouts, "--json", "--quiet"});
  CHECK(checked.exit_code == 0);
  CHECK(checked.output.find(layouts + ": ok, 2 strategies\nslices: infeasible: ") == 0);
  const std::string why = checked.output.substr(checked.output.find("infeasible: ") + 12);
  CHECK(simulated.output.find(why.substr(0, why.find('\n'))) != std::string::npos);
  for (const std::string stage : {"scenario", "workload", "cluster", "program", "records"}) {
    const ChildResult result = run({scenario, "--dump", stage, "--strategy", "four"});
    CHECK(result.exit_code == 0);
    CHECK(result.output.size() > 100);
  }
  const ChildResult unknown = run({scenario, "--dump", "programm"});
  CHECK(unknown.exit_code == 2);
  CHECK(unknown.errors == "orrery run: unknown stage \"programm\" (did you mean \"program\"?)\n");
}
