// Resolved scenarios: every value with where it came from, and a scenario again.
#include <algorithm>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/scenarios/everything.hpp"
#include "tests/scenarios/malformed.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

/// Paths and values, without their origins.
std::vector<std::string> values_of(const Scenario& scenario) {
  std::vector<std::string> values;
  for (const ResolvedValue& value : scenario.resolved) values.push_back(value.path + " = " + value.value);
  return values;
}

std::string origin_of(const Scenario& scenario, const std::string& path) {
  for (const ResolvedValue& value : scenario.resolved) {
    if (value.path == path) return value.origin;
  }
  return "not resolved";
}

std::string written(const ScratchFolder& folder, const std::string& name, const std::string& content) {
  write_file(folder.path() / name, content);
  return (folder.path() / name).string();
}

}  // namespace

TEST_CASE("resolved values name their origin") {
  const Scenario scenario = scenario_of(everything);
  CHECK(origin_of(scenario, "workload.batch") == "lab.toml:11");
  CHECK(origin_of(scenario, "workload.accumulation") == "default");
  CHECK(origin_of(scenario, "strategy[1].cluster.device") == "lab.toml:50");
  CHECK(origin_of(scenario, "cluster.fabric") == "system box");
  CHECK(origin_of(scenario, "strategy[1].precision") == "workload.precision");
}

TEST_CASE("what a federated strategy has from other tables is told, and what follows from its own optimizer is not") {
  const std::string clients =
      "[federation]\nclients = 4\ndevice = \"phone\"\nlink = \"net\"\nserver = \"gpu\"\nserver_link = \"net\"\n";
  const std::string head = two_nn + "dataset = \"mnist\"\noptimizer = \"momentum\"\nlearning_rate = 0.05\n" + clients +
                           "[[strategy]]\nname = \"a\"\nkind = \"federated\"\nclients_per_round = 2\n";
  const Scenario same = scenario_of(head);
  CHECK(origin_of(same, "strategy[0].optimizer") == "workload.optimizer");
  CHECK(origin_of(same, "strategy[0].learning_rate") == "workload.learning_rate");
  CHECK(origin_of(same, "strategy[0].momentum") == "workload.momentum");
  CHECK(origin_of(same, "strategy[0].partition") == "federation.partition");
  CHECK(origin_of(same, "workload.momentum") == "default");
  const Scenario other = scenario_of(head + "optimizer = \"sgd\"\n");
  CHECK(origin_of(other, "strategy[0].learning_rate") == "default");
  CHECK(origin_of(other, "strategy[0].clip_norm") == "workload.clip_norm");
}

TEST_CASE("the resolved scenario is a scenario that resolves to itself") {
  const std::string by_hand = "[cluster]\ndevice = \"gpu\"\ndevices_per_node = 8\nnode_link = \"bus\"\n";
  const std::string fewer = replicas + "cluster = { devices_per_node = 2 }\n";
  const std::string other = replicas + "cluster = { device = \"phone\", node_link = \"bus\", devices_per_node = 2 }\n";
  for (const std::string& text : {everything, two_nn + box + alone, two_nn + by_hand + replicas, two_nn + box + fewer,
                                  two_nn + box + "devices_per_node = 2\n" + other}) {
    const Scenario first = scenario_of(text);
    const Scenario second = parse_scenario(resolved_toml(first), "resolved.toml", small_catalogue());
    auto before = values_of(first), after = values_of(second);
    std::sort(before.begin(), before.end());
    std::sort(after.begin(), after.end());
    CHECK(before == after);
    REQUIRE(second.strategies.size() == first.strategies.size());
    const ClusterDescription &once = first.strategies[0].cluster.description,
                             &again = second.strategies[0].cluster.description;
    CHECK(again.text() == once.text());
    CHECK(again.nics_per_node == once.nics_per_node);
    CHECK(second.workload.steps == first.workload.steps);
  }
}

TEST_CASE("the resolved scenario says where each value comes from") {
  CHECK(resolved_toml(scenario_of(two_nn + "steps = 3\n" + box + alone)) ==
        R"(# Every value of the scenario and where it came from.

[scenario]
name = "lab"  # default
question = ""  # default
source = ""  # default
expected = ""  # default
seed = 1  # default
seeds = 1  # default
engine = "flow"  # default
message_budget = 300000  # default
reference = "a"  # default

[workload]
network = "2nn"  # lab.toml:2
dataset = ""  # default
dataset_samples = 0  # default
stored_bytes_per_sample = 784  # default
batch = 64  # default
accumulation = 1  # default
precision = "fp32"  # default
optimizer = "sgd"  # default
learning_rate = 0.1  # default
weight_decay = 0  # default
clip_norm = 0  # default
learning_rate_schedule.kind = "constant"  # default
learning_rate_schedule.warm_up = 0  # default
recompute = "none"  # default
steps = 3  # lab.toml:3
learn = false  # default
compute = "auto"  # default
framework = "pytorch"  # default
data_origin = "cluster"  # default

[cluster]
system = "box"  # lab.toml:5
nodes = 1  # default
devices_per_node = 4  # system box
nics = 2  # system box
fabric = "star"  # system box

[[strategy]]
name = "a"  # lab.toml:7
kind = "single"  # lab.toml:8
precision = "fp32"  # workload.precision
recompute = "none"  # workload.recompute
accumulation = 1  # workload.accumulation

[energy]
pue = 1  # default
blocked_fraction = 0.45  # default
network = "power"  # default
wan_J_per_GB = 240  # default
gateway_W = 10  # default
gateway_devices = 5  # default
access_line_W = 1.5  # default
gCO2e_per_kWh = 0  # default

[cost]
electricity_per_kWh = 0  # default
price_per_device_hour = 0  # default
currency = ""  # default
)");
}

TEST_CASE("paths start at the scenario's folder, and the resolved scenario finds them from anywhere") {
  const ScratchFolder folder;
  const std::string profile = read_file(data_directory() / "models" / "profiles" / "2nn.csv");
  const std::string csv = written(folder, "steps.csv", profile);
  const std::string file =
      written(folder, "lab.toml", two_nn + "profile = \"steps.csv\"\nprofile_host = \"gpu\"\n" + box + alone);
  const Scenario scenario = read_scenario(file, {}, small_catalogue());
  CHECK(scenario.workload.profile == csv);
  const Scenario again = parse_scenario(resolved_toml(scenario), "elsewhere/resolved.toml", small_catalogue());
  CHECK(again.workload.profile == csv);
  CHECK(read_scenario(file, {"workload.profile=" + csv}, small_catalogue()).workload.profile == csv);
}

TEST_CASE("overrides reach every table") {
  const ScratchFolder folder;
  const std::string file = written(folder, "lab.toml", two_nn + box + replicas);
  const Scenario scenario =
      read_scenario(file, {"workload.batch=12", "strategy.a.devices=3", "cluster.nodes=2"}, small_catalogue());
  CHECK(scenario.workload.batch == 12);
  CHECK(scenario.strategies[0].devices == 3);
  CHECK(scenario.strategies[0].cluster.description.nodes == 2);
  CHECK(origin_of(scenario, "workload.batch") == "--set");
}

}  // namespace orrery
