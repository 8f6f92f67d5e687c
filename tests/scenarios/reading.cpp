// What a scenario file becomes.
#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/scenarios/everything.hpp"
#include "tests/scenarios/malformed.hpp"

namespace orrery {

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

TEST_CASE("a job may use some devices of each node of a system, with the NICs that are theirs") {
  const auto cluster = [](const std::string& keys) {
    return scenario_of(two_nn + "batch = 24\n[cluster]\nsystem = \"box\"\nnodes = 2\n" + keys + replicas)
        .strategies[0]
        .cluster;
  };
  CHECK(cluster("").description.devices_per_node == 4);
  const std::vector<std::pair<int, int>> nics{{4, 2}, {3, 2}, {2, 1}, {1, 1}};  // of two, each of a pair of devices
  for (const auto& [devices, count] : nics) {
    const ClusterSpec used = cluster("devices_per_node = " + std::to_string(devices) + "\n");
    CHECK(used.description.devices() == 2 * devices);
    CHECK(used.description.nics_per_node == count);
    CHECK(used.description.rest_training == cluster("").description.rest_training);
    CHECK(used.price_per_hour == 12);
  }
  CHECK(cluster("devices_per_node = 2\nnics = 2\n").description.nics_per_node == 2);
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

TEST_CASE("executed steps are replayed when a profile is given, unless the roofline is asked for") {
  const std::string host = (data_directory() / "models" / "profiles" / "xeon-vm.host.csv").string();
  const std::string profile = (data_directory() / "models" / "profiles" / "2nn.csv").string();
  const std::string keys = "profile = \"" + profile + "\"\nprofile_host = \"" + host + "\"\n";
  const auto price = [](const Scenario& scenario) { return name_of(priced_by(scenario, StrategyKind::single)); };
  const std::string precise = alone + "precision = \"fp64\"\n";
  CHECK(price(scenario_of(two_nn + keys + box + alone)) == "replay");
  CHECK(price(scenario_of(two_nn + keys + "compute = \"roofline\"\n" + box + alone)) == "roofline");
  const Scenario scenario = scenario_of(two_nn + box + precise);
  CHECK(cost_model(scenario, scenario.strategies[0], small_catalogue()).precision() == Precision::fp64);
}

TEST_CASE("a profile of another network is refused") {
  const std::string profile = (data_directory() / "models" / "profiles" / "2nn.csv").string();
  const Scenario scenario = scenario_of("[workload]\nnetwork = \"lenet5\"\nprofile = \"" + profile +
                                        "\"\nprofile_host = \"gpu\"\n" + box + alone);
  CHECK_THROWS_AS(cost_model(scenario, scenario.strategies[0], small_catalogue()), InvalidInput);
}

}  // namespace orrery
