// Clusters of nodes of several kinds: who is who, and the wires between them.
#include "tests/catch.hpp"
#include "tests/topologies/platforms.hpp"

namespace orrery {
namespace {

using namespace test;

/// Two nodes of four fast devices with two NICs of 10 GB/s, one node of two slow ones with one NIC of 2 GB/s.
ClusterDescription fast_and_slow() {
  ClusterDescription description = gpu_boxes(2, 4, 2);
  description.device.id = "fast";
  auto slow = static_cast<const NodeGroup&>(description);
  slow.device.id = "slow";
  slow.nodes = 1;
  slow.devices_per_node = 2;
  slow.nics_per_node = 1;
  slow.node_link = round_link("nvlink", 20, 6);
  slow.network_link = round_link("ethernet", 2, 20);
  description.more.push_back(slow);
  return description;
}

}  // namespace

TEST_CASE("nodes and devices of a mixed cluster are numbered in the order of its groups") {
  const ClusterDescription description = fast_and_slow();
  CHECK(description.all_nodes() == 3);
  CHECK(description.devices() == 10);
  CHECK(description.text() == "2 nodes x 4 fast + 1 nodes x 2 slow");
  CHECK(description.group_of_node(1) == 0);
  CHECK(description.group_of_node(2) == 1);
  CHECK(description.group_of_device(7) == 0);
  CHECK(description.group_of_device(8) == 1);
  const Cluster cluster = build_cluster(description);
  REQUIRE(cluster.platform.hosts.size() == 10);
  for (std::size_t host = 0; host < 10; ++host) {
    CHECK(cluster.platform.hosts[host].node == (host < 8 ? static_cast<int>(host / 4) : 2));
    CHECK(cluster.device(DeviceId(host)).id == (host < 8 ? "fast" : "slow"));
  }
}

TEST_CASE("every group of a mixed cluster has its own links, one network joins them") {
  const Platform platform = build_cluster(fast_and_slow()).platform;
  const auto GBps = [&](std::size_t from, std::size_t to) {
    return route(platform, DeviceId(from), DeviceId(to)).bandwidth.value() / giga;
  };
  CHECK(GBps(0, 1) == 100);
  CHECK(GBps(8, 9) == 20);
  CHECK(GBps(0, 4) == 10);
  CHECK(GBps(0, 8) == 2);  // the slower of the two ports
  CHECK(route_names(platform, 3, 9) == "node0.nic1.up node2.nic0.down");
  // Half of each link's latency lies at either end.
  CHECK(route(platform, DeviceId(0), DeviceId(8)).latency.value() == Approx((2 + 20) / 2.0 * micro));
}

TEST_CASE("two groups of the same kind are the cluster of all their nodes") {
  ClusterDescription description = gpu_boxes(2, 4, 2);
  auto again = static_cast<const NodeGroup&>(description);
  again.nodes = 3;
  description.more.push_back(again);
  for (const char* fabric : {"star", "fat-tree", "rail-optimised"}) {
    ClusterDescription whole = gpu_boxes(5, 4, 2);
    whole.fabric = description.fabric = fabric;
    whole.nodes_per_leaf = description.nodes_per_leaf = 2;
    const Platform mixed = build_cluster(description).platform, plain = build_cluster(whole).platform;
    REQUIRE(mixed.links.size() == plain.links.size());
    for (std::size_t from = 0; from < plain.hosts.size(); ++from) {
      for (std::size_t to = 0; to < plain.hosts.size(); ++to) {
        if (from != to) CHECK(route_names(mixed, from, to) == route_names(plain, from, to));
      }
    }
  }
}

TEST_CASE("switches are joined by lines of one kind") {
  ClusterDescription description = fast_and_slow();
  description.fabric = "fat-tree";
  description.nodes_per_leaf = 2;
  try {
    build_cluster(description);
    FAIL("built");
  } catch (const Infeasible& reason) {
    CHECK(std::string(reason.what()) ==
          "fabric \"fat-tree\" joins its switches by lines of one kind, but the groups of nodes have different NICs - "
          "use fabric = \"star\", or the same nics and network_link in every group");
  }
  description.nodes_per_leaf = 3;  // one switch
  CHECK_NOTHROW(build_cluster(description));
}

}  // namespace orrery
