// `orrery run --strategy`: one strategy of a scenario.
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;

namespace {

const std::string scenario_text = R"([workload]
network = "2nn"
batch = 64
compute = "roofline"

[cluster]
device = "v100-sxm2-16"
devices_per_node = 4
node_link = "nvlink2"

[[strategy]]
name = "one"
kind = "single"

[[strategy]]
name = "four"
kind = "data"
)";

}  // namespace

TEST_CASE("one strategy is run alone, and an unknown one is told") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", scenario_text);
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
  CHECK(run({scenario, "--strategy", "four", "--check"}).output == scenario + ": ok, 1 strategies\n");
  for (const std::string mode : {"--check", "--json", "--dump=cluster"}) {
    const ChildResult unknown = run({scenario, mode, "--strategy", "fuor"});
    CHECK(unknown.exit_code == 2);
    CHECK(unknown.errors == "orrery run: unknown strategy \"fuor\" (did you mean \"four\"?)\n");
  }
}
