// [[cluster.group]]: reading, mistakes, and ways of one step on devices of two kinds.
#include "scenarios/strategies/stages.hpp"
#include "scenarios/way.hpp"
#include "tests/scenarios/malformed.hpp"

namespace orrery {
namespace {

/// Two `gpu` (1 GFLOP/s) on a node, two nodes of one `phone` (0.1 GFLOP/s).
const std::string fast_and_slow = R"([cluster]
[[cluster.group]]
device = "gpu"
devices_per_node = 2
node_link = "bus"
network_link = "net"
[[cluster.group]]
device = "phone"
nodes = 2
network_link = "wan"
)";

/// On the ideal framework: layers take their FLOPs over the peak, and nothing else.
std::string two_layers(const std::string& keys = "") {
  return "[workload]\nnetwork = \"2nn\"\nbatch = 16\nframework = \"ideal\"\ncompute = \"roofline\"\n" + keys;
}

// 2NN: 198,800 multiply-adds forward per sample; backward twice as many.
constexpr double sample_s = 3 * 2 * 198'800 / 1e9;  // forward and backward on `gpu`

}  // namespace

TEST_CASE("groups of nodes are read in their order, each with its own links") {
  const Scenario scenario = scenario_of(two_layers() + fast_and_slow + alone);
  const ClusterSpec& cluster = scenario.strategies[0].cluster;
  REQUIRE(cluster.present);
  CHECK(cluster.description.text() == "1 nodes x 2 gpu + 2 nodes x 1 phone");
  CHECK(cluster.description.network_link->id == "net");
  CHECK(cluster.description.node_link->id == "bus");
  CHECK(cluster.description.more[0].network_link->id == "wan");
  CHECK_FALSE(cluster.description.more[0].node_link.has_value());
  CHECK(cluster.description.fabric == "star");
}

TEST_CASE("systems in groups bring their links, powers and prices") {
  const std::string groups =
      "[cluster]\n[[cluster.group]]\nsystem = \"box\"\n[[cluster.group]]\ndevice = \"phone\"\nnetwork_link = \"net\"\n";
  const ClusterSpec cluster = scenario_of(two_layers() + groups + alone).strategies[0].cluster;
  CHECK(cluster.system == "box");
  CHECK(cluster.price_per_hour == 12);
  CHECK(cluster.description.rest_idle.value() == Approx(60));
  CHECK(cluster.origin(1).system.empty());
  CHECK(cluster.origin(1).price_per_hour == 0);
  CHECK(cluster.description.devices() == 5);
}

TEST_CASE("a strategy's system takes the place of the groups, its groups that of a system") {
  const auto description = [](const std::string& cluster, const std::string& own) {
    return scenario_of(two_layers() + cluster + alone + "cluster = { " + own + " }\n")
        .strategies[0]
        .cluster.description;
  };
  CHECK(description(fast_and_slow, "system = \"box\", nodes = 2").text() == "2 nodes x 4 gpu");
  CHECK(description(fast_and_slow, "device = \"phone\"").text() == "1 nodes x 1 phone");
  CHECK(description(fast_and_slow, "fabric = \"fat-tree\"").devices() == 4);
  CHECK(description(box,
                    "group = [{device = \"phone\", network_link = \"net\"}, {device = \"gpu\", network_link = "
                    "\"net\"}]")
            .text() == "1 nodes x 1 phone + 1 nodes x 1 gpu");
}

TEST_CASE("resolved groups read back as the same scenario") {
  const std::string text =
      two_layers() + fast_and_slow + alone +
      "[[strategy]]\nname = \"b\"\nkind = \"data\"\ncluster = { fabric = \"star\", group = "
      "[{device = \"phone\", network_link = \"net\"}, {device = \"gpu\", network_link = \"net\"}] }\n";
  const Scenario first = scenario_of(text);
  const Scenario again = parse_scenario(resolved_toml(first), "resolved.toml", small_catalogue());
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(again.strategies[i].cluster.description.text() == first.strategies[i].cluster.description.text());
    CHECK(again.strategies[i].cluster.description.fabric == first.strategies[i].cluster.description.fabric);
  }
}

TEST_CASE("mistakes in groups of nodes are told") {
  check_malformed({
      {"a device beside groups", two_nn + R"([cluster]
device = "gpu"
[[cluster.group]]
device = "phone"
)" + alone,
       R"(lab.toml:4:10: cluster.device: stands beside groups of nodes (each [[cluster.group]] says what its own nodes are) - move it into the groups, or leave the groups out
  device = "gpu"
           ^)"},
      {"no groups", two_nn + "[cluster]\ngroup = []\n" + alone,
       R"(lab.toml:4:9: cluster.group: is empty (a cluster has devices) - add a [[cluster.group]]
  group = []
          ^)"},
      {"groups half described", two_nn + R"([cluster]
[[cluster.group]]
device = "gpy"
[[cluster.group]]
nodes = 0
device = "phone"
[[cluster.group]]
system = "box"
nodes = 3
speed = 2
[[cluster.group]]
network_link = "net"
)" + alone,
       R"(lab.toml:5:10: cluster.group[0].device: unknown device "gpy" - did you mean "gpu"?
  device = "gpy"
           ^
lab.toml:7:9: cluster.group[1].nodes: 0 is out of range (must be between 1 and 1000000)
  nodes = 0
          ^
lab.toml:11:9: cluster.group[2].nodes: 3 nodes are too many (box has at most 2)
  nodes = 3
          ^
lab.toml:12:1: cluster.group[2]: unknown key "speed" - known: device, devices_per_node, network_link, nics, node_link, nodes, system
  speed = 2
  ^
lab.toml:13:1: cluster.group[3].system: is missing (a cluster is a system of the catalogue, or a device and its links) - add system = "..." or device = "..."
  [[cluster.group]]
  ^)"},
      {"groups that nothing joins", two_nn + R"([cluster]
[[cluster.group]]
system = "box"
[[cluster.group]]
device = "phone"
)" + alone,
       R"(lab.toml:6:1: cluster.group[1].network_link: is missing (2 nodes need a network) - add network_link = "..."
  [[cluster.group]]
  ^)"},
      {"what needs devices of one kind", two_nn + "dataset_samples = 640\n" + fast_and_slow + R"([[strategy]]
name = "a"
kind = "async"
steps = 10
)",
       R"(lab.toml:16:8: strategy[0].kind: async needs devices of one kind (the cluster has several groups of nodes) - give it cluster = { ... } with one system or device, or use kind = "data"
  kind = "async"
         ^)"},
      {"balance on devices of one kind", "[workload]\nnetwork = \"gpt2\"\n" + box + R"([[strategy]]
name = "a"
kind = "hybrid"
balance = "speed"
)",
       R"(lab.toml:8:11: strategy[0].balance: belongs to a cluster of several groups of nodes (all devices here are of one kind) - remove it
  balance = "speed"
            ^)"},
  });
}

TEST_CASE("replicas of equal size wait for the slow ones") {
  const Lab lab(two_layers() + fast_and_slow + replicas + "overlap = false\n");
  const Plan plan = lab.plan();
  // Four samples each, the phones ten times slower; then gradients over the phones' 1 MB/s upwards.
  const double compute = 4 * sample_s * 10;
  const Records records = lab.run(plan);
  for (const std::size_t rank : {0, 1, 2, 3}) {
    double busy = 0;
    for (const Activity& activity : records.activities) {
      if (activity.rank.index() == rank && activity.stream == Stream::compute)
        busy += (activity.end - activity.start).value();
    }
    CHECK(busy == Approx(rank < 2 ? compute / 10 : compute));
  }
  CHECK(records.makespan.value() > compute);
  CHECK(plan.fullest == RankId(0));  // all have 1 GB
}

TEST_CASE("tensor parallelism goes at the pace of the slowest device") {
  const std::string model = "[[strategy]]\nname = \"a\"\nkind = \"model\"\n";
  const Records mixed = Lab(two_layers() + fast_and_slow + model).run(Lab(two_layers() + fast_and_slow + model).plan());
  const std::string phones = "[cluster]\ndevice = \"phone\"\nnodes = 4\nnetwork_link = \"wan\"\n";
  const Lab slow(two_layers() + phones + model);
  CHECK(mixed.makespan.value() == Approx(slow.run(slow.plan()).makespan.value()).epsilon(0.05));
}

TEST_CASE("stages are cut for the devices that hold them") {
  // Twelve equal layers on two devices, the second half as fast: 8 and 4.
  const std::vector<double> one(12, 1.0), two(12, 2.0);
  LayerRow row{one, one, one, {one, two}};
  CHECK(cut_into_stages(row, 2) == std::vector<Span>{{0, 8}, {8, 12}});
  row.seconds_of_part = {two, one};
  CHECK(cut_into_stages(row, 2) == std::vector<Span>{{0, 4}, {4, 12}});
  row.seconds_of_part = {two, one, two};
  CHECK(cut_into_stages(row, 3) == std::vector<Span>{{0, 3}, {3, 9}, {9, 12}});
}

TEST_CASE("the device with least room decides where all hold the same") {
  Scenario scenario = scenario_of(two_layers() + fast_and_slow + replicas);
  scenario.strategies[0].cluster.description.more[0].device.memory = Bytes(1e6);
  const Way way = simulate_way(scenario, 0, small_catalogue(), {EngineKind::closed_form, {}});
  CHECK(way.status == WayStatus::infeasible);
  CHECK(way.error.find("on each phone of 0.00 GiB") != std::string::npos);
}

}  // namespace orrery
