// What lies inside a node and between a device and the network: routes, capacities and latencies by hand.
#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/topologies/platforms.hpp"

namespace orrery {

using test::gpu_boxes;
using test::link_named;
using test::route_names;

TEST_CASE("in an NVSwitch box every device has its own line up and down, and its own NIC") {
  const Cluster cluster = build_cluster(gpu_boxes(2, 4, 4));
  const Platform& platform = cluster.platform;
  CHECK(check(platform).empty());
  CHECK(cluster.devices() == 8);
  CHECK(route_names(platform, 0, 1) == "node0.gpu0.nvswitch.up node0.gpu1.nvswitch.down");
  CHECK(route_names(platform, 0, 5) == "node0.nic0.up node1.nic1.down");
  const Route inside = route(platform, DeviceId(0), DeviceId(1));
  CHECK(inside.bandwidth.value() == 100e9);
  CHECK(inside.latency.value() == Approx(4e-6));
  const Route across = route(platform, DeviceId(0), DeviceId(5));
  CHECK(across.bandwidth.value() == 10e9);
  CHECK(across.latency.value() == Approx(2e-6));
  CHECK(link_named(platform, "node0.gpu0.nvswitch.up").scope == LinkScope::intra_node);
  CHECK(link_named(platform, "node0.nic0.up").scope == LinkScope::inter_node);
}

TEST_CASE("devices share NICs in order when there are fewer") {
  const Platform platform = build_cluster(gpu_boxes(2, 6, 2)).platform;
  for (std::size_t device = 0; device < 6; ++device) {
    const std::string nic = device < 3 ? "nic0" : "nic1";
    CHECK(route_names(platform, device, 6) == "node0." + nic + ".up node1.nic0.down");
  }
}

TEST_CASE("a device has several NICs as one wide port when there are more") {
  const Cluster cluster = build_cluster(gpu_boxes(2, 2, 4));
  CHECK(route_names(cluster.platform, 1, 3) == "node0.nic1.up node1.nic1.down");
  CHECK(link_named(cluster.platform, "node0.nic1.up").bandwidth.value() == 20e9);
  CHECK(test::power_named(cluster, "node0.nic1.up").always_on.value() == 8);  // half of two ports of 8 W
}

TEST_CASE("without a link inside the node its devices talk over the network") {
  ClusterDescription description = gpu_boxes(1, 2, 2);
  description.node_link.reset();
  const Platform platform = build_cluster(description).platform;
  CHECK(route_names(platform, 0, 1) == "node0.nic0.up node0.nic1.down");
  CHECK_FALSE(platform.hosts[0].inside.has_value());
}

TEST_CASE("one node needs no network") {
  ClusterDescription description = gpu_boxes(1, 2, 1);
  description.network_link.reset();
  const Platform platform = build_cluster(description).platform;
  CHECK(check(platform).empty());
  CHECK(route_names(platform, 0, 1) == "node0.gpu0.nvswitch.up node0.gpu1.nvswitch.down");
  CHECK(platform.zones.empty());
}

TEST_CASE("on PCIe all traffic inside a node crosses one root complex, and the lane leads to the NIC") {
  ClusterDescription description = gpu_boxes(2, 4, 1);
  description.node_link = test::round_link("pcie", 30, 6);
  description.node_link->host_bridge = BytesPerSecond(60e9);
  const Platform platform = build_cluster(description).platform;
  CHECK(check(platform).empty());
  CHECK(route_names(platform, 1, 3) == "node0.gpu1.pcie.up node0.bridge node0.gpu3.pcie.down");
  CHECK(link_named(platform, "node0.bridge").bandwidth.value() == 60e9);
  CHECK(route(platform, DeviceId(1), DeviceId(3)).latency.value() == Approx(6e-6));
  CHECK(route_names(platform, 1, 7) == "node0.gpu1.pcie.up node0.nic0.up node1.nic0.down node1.gpu3.pcie.down");
  CHECK(route(platform, DeviceId(1), DeviceId(7)).latency.value() == Approx(8e-6));  // 3 + 1 + 1 + 3
  CHECK(route(platform, DeviceId(1), DeviceId(7)).bandwidth.value() == 10e9);
}

TEST_CASE("rates are nominal times efficiency, each direction its own") {
  ClusterDescription description = gpu_boxes(2, 1, 1);
  description.network_link->down = BytesPerSecond(40e9);
  description.network_link->efficiency = 0.5;
  const Platform platform = build_cluster(description).platform;
  CHECK(link_named(platform, "node0.nic0.up").bandwidth.value() == 5e9);
  CHECK(link_named(platform, "node1.nic0.down").bandwidth.value() == 20e9);
}

TEST_CASE("each direction of a NIC bears half of its port's power and its energy per bit") {
  const Cluster cluster = build_cluster(gpu_boxes(2, 4, 4));
  REQUIRE(cluster.link_power.size() == cluster.platform.links.size());
  for (const char* name : {"node0.nic0.up", "node0.nic0.down"}) {
    CHECK(test::power_named(cluster, name).always_on.value() == 4);
    CHECK(test::power_named(cluster, name).pJ_per_bit == 5);
  }
}

TEST_CASE("a description that cannot be built is refused with its reason") {
  ClusterDescription description = gpu_boxes(3, 1, 1);
  description.network_link.reset();
  CHECK(test::refusal(description) ==
        "3 nodes without a network link cannot talk to each other - give the nodes a network or use one node");
  description = gpu_boxes(1, 4, 1);
  description.node_link.reset();
  description.network_link.reset();
  CHECK(test::refusal(description) == "4 devices in a node without a link between them");
  CHECK(test::refusal(gpu_boxes(0, 4, 1)) == "a cluster of 0 nodes with 4 devices each has no devices");
  CHECK(test::refusal(gpu_boxes(2, 4, 0)) == "nodes on a network need at least one NIC each");
}

}  // namespace orrery
