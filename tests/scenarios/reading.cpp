// What a scenario file becomes.
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/scenarios/malformed.hpp"

namespace orrery {
namespace {

const std::string everything = R"([scenario]
name = "everything"
question = "what does \"everything\" cost?"
seed = 7
engine = "closed-form"
message_budget = 1000
reference = "half"
[workload]
network = "2nn"
dataset = "mnist"
batch = 32
precision = "fp32"
optimizer = "momentum"
learning_rate = 0.05
epochs = 2
learn = true
target_accuracy = 0.9
framework = "ideal"
data_origin = "clients"
[cluster]
system = "box"
nodes = 2
[federation]
server = "gpu"
server_link = "net"
partition = "dirichlet-classes"
alpha = 0.3
[[federation.group]]
count = 6
device = "phone"
link = "wan"
[[federation.group]]
count = 2
device = "gpu"
link = "net"
slowdown = 1.5
[[strategy]]
name = "half"
kind = "data"
devices = 4
collective = "hierarchical"
bucket_MiB = 1
overlap = false
accumulation = 2
precision = "fp32"
[[strategy]]
name = "other cluster"
kind = "pipeline"
schedule = "gpipe"
cluster = { device = "phone", nodes = 4, network_link = "net" }
fidelity = "segments"
segments = 2
[[strategy]]
name = "fedavg"
kind = "federated"
clients_per_round = 3
local_batch = 0
rounds = 5
selection = "fastest"
optimizer = "sgd"
[energy]
pue = 1.2
grid = "windy"
[cost]
electricity_per_kWh = 0.3
currency = "EUR"
[[assert]]
metric = "step_time_s"
strategy = "half"
max = 1.5
)";

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

/// A folder for one test, removed at its end.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("orrery_scenarios_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const {
    write_file(path_ / name, content);
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("every key of a scenario arrives in its place") {
  const Scenario scenario = scenario_of(everything);
  CHECK(scenario.question == "what does \"everything\" cost?");
  CHECK(scenario.seed == 7);
  CHECK(scenario.engine == EngineKind::closed_form);
  CHECK(scenario.message_budget == 1000);
  CHECK(scenario.reference == "half");
  CHECK(scenario.workload.network.name == "2nn");
  CHECK(scenario.workload.optimizer.kind == OptimizerKind::momentum);
  CHECK(scenario.workload.data_origin == DataOrigin::clients);
  CHECK(scenario.workload.steps == 3750);  // 2 x 60,000 / 32
  CHECK(scenario.federation.clients() == 8);
  CHECK(scenario.federation.groups[1].slowdown == 1.5);
  CHECK(scenario.federation.partition.alpha == 0.3);
  CHECK(scenario.energy.gCO2e_per_kWh == 50);
  CHECK(scenario.cost.currency == "EUR");
  REQUIRE(scenario.asserts.size() == 1);
  CHECK(scenario.asserts[0].at.line == 68);
  CHECK_FALSE(scenario.asserts[0].min.has_value());
}

TEST_CASE("a strategy takes what it does not say from the workload and the cluster") {
  const Scenario scenario = scenario_of(everything);
  REQUIRE(scenario.strategies.size() == 3);
  const StrategySpec& half = scenario.strategies[0];
  CHECK(half.collective == Algorithm::hierarchical);
  CHECK(half.bucket == Bytes(1048576));
  CHECK_FALSE(half.overlap);
  CHECK(half.precision == Precision::fp32);
  CHECK(half.cluster.system == "box");
  const StrategySpec& pipeline = scenario.strategies[1];
  CHECK(pipeline.precision == Precision::fp32);
  CHECK(pipeline.cluster.description.device.id == "phone");
  CHECK(pipeline.cluster.system.empty());
  CHECK(pipeline.devices == 4);       // all of its own cluster
  CHECK(pipeline.microbatches == 4);  // as many as stages
  CHECK(pipeline.segments == 2);
  const StrategySpec& fedavg = scenario.strategies[2];
  CHECK(fedavg.optimizer.kind == OptimizerKind::sgd);
  CHECK(fedavg.federated.participation.selection == Selection::fastest);
  CHECK(fedavg.federated.local_batch == 0);
}

TEST_CASE("the rest of a node is the node less its devices") {
  const ClusterSpec cluster = scenario_of(everything).strategies[0].cluster;
  CHECK(cluster.description.rest_idle.value() == Approx(100 - 4 * 10));
  CHECK(cluster.description.rest_training.value() == Approx(500 - 4 * 80));
  CHECK(cluster.price_per_hour == 12);
  CHECK(cluster.currency == "EUR");
}

TEST_CASE("a strategy's own cluster keys lie over those of the cluster") {
  const std::string base = two_nn + "[cluster]\nsystem = \"box\"\nnodes = 2\n" + replicas;
  const auto description = [&](const std::string& keys) {
    return scenario_of(base + "cluster = { " + keys + " }\n").strategies[0].cluster.description;
  };
  CHECK(description("network_link = \"wan\"").network_link->id == "wan");
  CHECK(description("network_link = \"wan\"").nodes == 2);
  CHECK(description("nodes = 1").nodes == 1);
  CHECK(description("nodes = 1").node_link->id == "bus");
  CHECK(description("device = \"phone\", network_link = \"net\"").devices_per_node == 1);
  CHECK_FALSE(description("device = \"phone\", network_link = \"net\"").node_link.has_value());
}

TEST_CASE("a parameter server takes one of the devices") {
  const Scenario scenario =
      scenario_of("[workload]\nnetwork = \"2nn\"\nbatch = 63\n[cluster]\nsystem = \"box\"\nnodes = 2\n" + replicas +
                  "collective = \"parameter-server\"\n");
  CHECK(scenario.strategies[0].devices == 7);
}

TEST_CASE("steps and epochs follow from each other") {
  const auto workload = [](const std::string& keys) {
    return scenario_of("[workload]\nnetwork = \"2nn\"\nbatch = 64\n" + keys + box + alone).workload;
  };
  CHECK(workload("dataset = \"mnist\"\nepochs = 1\n").steps == 938);  // 60,000 / 64, rounded up
  CHECK(workload("dataset_samples = 640\nsteps = 30\n").epochs == Approx(3));
  CHECK(workload("steps = 30\n").epochs == 0);
  CHECK(workload("").steps == 0);
  CHECK(workload("dataset_samples = 640\n").stored_bytes_per_sample == 784);
  CHECK(workload("dataset = \"mnist\"\n").stored_bytes_per_sample == 785);
}

TEST_CASE("the learning rate follows the optimizer when it is not given") {
  const auto rate = [](const std::string& keys) {
    return scenario_of(two_nn + keys + box + alone).workload.optimizer.learning_rate;
  };
  CHECK(rate("") == 0.1);
  CHECK(rate("optimizer = \"adam\"\n") == 0.001);
  CHECK(rate("optimizer = \"adam\"\nlearning_rate = 0.1\n") == 0.1);
}

TEST_CASE("resolved values name their origin") {
  const Scenario scenario = scenario_of(everything);
  CHECK(origin_of(scenario, "workload.batch") == "lab.toml:11");
  CHECK(origin_of(scenario, "workload.accumulation") == "default");
  CHECK(origin_of(scenario, "strategy[1].cluster.device") == "lab.toml:50");
  CHECK(origin_of(scenario, "cluster.fabric") == "default");
}

TEST_CASE("the resolved scenario is a scenario that resolves to itself") {
  const std::string by_hand = "[cluster]\ndevice = \"gpu\"\ndevices_per_node = 8\nnode_link = \"bus\"\n";
  for (const std::string& text : {everything, two_nn + box + alone, two_nn + by_hand + replicas}) {
    const Scenario first = scenario_of(text);
    const Scenario second = parse_scenario(resolved_toml(first), "resolved.toml", small_catalogue());
    auto before = values_of(first), after = values_of(second);
    std::sort(before.begin(), before.end());
    std::sort(after.begin(), after.end());
    CHECK(before == after);
    CHECK(second.strategies.size() == first.strategies.size());
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
nics = 2  # default
fabric = "star"  # default

[[strategy]]
name = "a"  # lab.toml:7
kind = "single"  # lab.toml:8
precision = "fp32"  # default
recompute = "none"  # default
accumulation = 1  # default

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
  const Folder folder;
  const std::string profile = read_file(data_directory() / "models" / "profiles" / "2nn.csv");
  const std::string csv = folder.file("steps.csv", profile);
  const std::string file =
      folder.file("lab.toml", two_nn + "profile = \"steps.csv\"\nprofile_host = \"gpu\"\n" + box + alone);
  const Scenario scenario = read_scenario(file, {}, small_catalogue());
  CHECK(scenario.workload.profile == csv);
  const Scenario again = parse_scenario(resolved_toml(scenario), "elsewhere/resolved.toml", small_catalogue());
  CHECK(again.workload.profile == csv);
  CHECK(read_scenario(file, {"workload.profile=" + csv}, small_catalogue()).workload.profile == csv);
}

TEST_CASE("overrides reach every table") {
  const Folder folder;
  const std::string file = folder.file("lab.toml", two_nn + box + replicas);
  const Scenario scenario =
      read_scenario(file, {"workload.batch=12", "strategy.a.devices=3", "cluster.nodes=2"}, small_catalogue());
  CHECK(scenario.workload.batch == 12);
  CHECK(scenario.strategies[0].devices == 3);
  CHECK(scenario.strategies[0].cluster.description.nodes == 2);
  CHECK(origin_of(scenario, "workload.batch") == "--set");
}

TEST_CASE("executed steps are replayed when a profile is given, unless the roofline is asked for") {
  const std::string host = (data_directory() / "models" / "profiles" / "xeon-vm.host.csv").string();
  const std::string profile = (data_directory() / "models" / "profiles" / "2nn.csv").string();
  const std::string keys = "profile = \"" + profile + "\"\nprofile_host = \"" + host + "\"\n";
  const auto model = [](const Scenario& scenario) {
    return cost_model(scenario, scenario.strategies[0], small_catalogue());
  };
  const std::string precise = alone + "precision = \"fp64\"\n";
  CHECK(model(scenario_of(two_nn + keys + box + alone)).name() == "replay");
  CHECK(model(scenario_of(two_nn + keys + "compute = \"roofline\"\n" + box + alone)).name() == "roofline");
  CHECK(model(scenario_of(two_nn + box + precise)).precision() == Precision::fp64);
}

TEST_CASE("a profile of another network is refused") {
  const std::string profile = (data_directory() / "models" / "profiles" / "2nn.csv").string();
  const Scenario scenario = scenario_of("[workload]\nnetwork = \"lenet5\"\nprofile = \"" + profile +
                                        "\"\nprofile_host = \"gpu\"\n" + box + alone);
  CHECK_THROWS_AS(cost_model(scenario, scenario.strategies[0], small_catalogue()), InvalidInput);
}

}  // namespace orrery
