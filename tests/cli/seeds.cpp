// Several seeds in one run.
#include <sstream>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::read_file;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;

namespace {

const std::string lab = R"([workload]
network = "2nn"
dataset = "synthetic"
learn = true
steps = 8
batch = 40
learning_rate = 0.05
[cluster]
device = "v100-pcie-16"
nodes = 1
devices_per_node = 2
node_link = "nvlink2"
[federation]
clients = 20
device = "phone-mid"
link = "wifi5"
link_sigma = 0.5
server = "xeon-8380"
server_link = "eth-1g"
[[strategy]]
name = "fedavg"
kind = "federated"
clients_per_round = 3
rounds = 2
[[strategy]]
name = "local"
kind = "local-sgd"
[[strategy]]
name = "async"
kind = "async"
[[strategy]]
name = "alone"
kind = "single"
)";

/// Lines of curve.csv that belong to a seed (second cell).
std::vector<std::string> lines_of(const std::string& csv, const std::string& seed) {
  std::vector<std::string> lines;
  std::istringstream text(csv);
  for (std::string line; std::getline(text, line);) {
    const std::size_t comma = line.find(',');
    if (line.compare(comma, seed.size() + 2, "," + seed + ",") == 0) lines.push_back(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("a run of three seeds holds what each of them gives alone, in every way") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("lab.toml", lab);
  const auto run = [&](const std::string& name, const std::vector<std::string>& keys) {
    std::vector<std::string> arguments = {"run", scenario, "-o", folder.file(name), "--quiet"};
    for (const std::string& key : keys) {
      arguments.emplace_back("--set");
      arguments.push_back(key);
    }
    const ChildResult result = call_orrery(arguments);
    CHECK(result.errors.empty());
    CHECK(result.exit_code == 0);
    return read_file(folder.file(name) + "/curve.csv");
  };
  const std::string all = run("all", {"scenario.seeds=3", "scenario.seed=4"});
  for (const std::string seed : {"4", "5", "6"}) {
    const std::vector<std::string> lines = lines_of(run("seed" + seed, {"scenario.seed=" + seed}), seed);
    CHECK(lines.size() >= 5);
    CHECK(lines_of(all, seed) == lines);
  }
  CHECK(lines_of(all, "4") != lines_of(all, "5"));
}
