// Which leaf a port joins and how wide the way between leaves is.
#include "tests/catch.hpp"
#include "tests/topologies/platforms.hpp"
#include "topologies/leaf_shape.hpp"

namespace orrery {

using test::gpu_boxes;
using test::link_named;
using test::route_names;

namespace {

ClusterDescription fat_tree(int nodes, int nodes_per_leaf, double oversubscription) {
  ClusterDescription description = gpu_boxes(nodes, 1, 1);
  description.fabric = "fat-tree";
  description.nodes_per_leaf = nodes_per_leaf;
  description.oversubscription = oversubscription;
  return description;
}

}  // namespace

TEST_CASE("the table of shapes names every shape once") {
  std::string all;
  for (const FabricEntry& entry : fabrics()) all += entry.name + " ";
  CHECK(all == "star fat-tree rail-optimised dragonfly torus wan-star ");
}

TEST_CASE("a 4:1 fat tree has a quarter of its leaf's NICs on the way to the core") {
  const Platform platform = build_cluster(fat_tree(6, 4, 4)).platform;  // leaf0: 4 nodes, leaf1: 2 nodes
  CHECK(check(platform).empty());
  CHECK(platform.zones.size() == 2);
  CHECK(route_names(platform, 0, 3) == "node0.nic0.up node3.nic0.down");
  CHECK(route_names(platform, 0, 5) == "node0.nic0.up leaf0.up leaf1.down node5.nic0.down");
  CHECK(link_named(platform, "leaf0.up").bandwidth.value() == 10e9);   // 4 x 10 / 4
  CHECK(link_named(platform, "leaf1.down").bandwidth.value() == 5e9);  // 2 x 10 / 4
  CHECK(route(platform, DeviceId(0), DeviceId(5)).bandwidth.value() == 5e9);
  CHECK(route(platform, DeviceId(0), DeviceId(5)).latency.value() == Approx(2.3e-6));  // two switches more
}

TEST_CASE("a leaf's way to the core counts every NIC of its nodes") {
  ClusterDescription description = fat_tree(4, 2, 1);
  description.devices_per_node = 4;
  description.nics_per_node = 8;
  const Cluster cluster = build_cluster(description);
  CHECK(link_named(cluster.platform, "leaf1.up").bandwidth.value() == 160e9);           // 2 nodes x 8 NICs x 10
  CHECK(test::power_named(cluster, "leaf1.up").always_on.value() == Approx(16 * 6.0));  // 16 lines, one end each way
  CHECK(link_named(cluster.platform, "leaf1.up").scope == LinkScope::inter_node);
}

TEST_CASE("closed forms know the nodes of a leaf and what it passes on") {
  CHECK(leaf_shape(fat_tree(6, 4, 4)).neighbours == 4);
  CHECK(leaf_shape(fat_tree(6, 4, 4)).oversubscription == Approx(4));
  CHECK(leaf_shape(fat_tree(4, 4, 4)).neighbours == 0);  // one leaf
  ClusterDescription description = gpu_boxes(8, 4, 4);
  CHECK(leaf_shape(description).neighbours == 0);  // a star
  description.fabric = "rail-optimised", description.oversubscription = 2;
  CHECK(leaf_shape(description).neighbours == 0);  // equal local devices share their rail
  // 32 ports in planes of 8 = two nodes, which pass on one axis of three
  description.fabric = "torus", description.torus_axes = 3, description.oversubscription = 1;
  CHECK(leaf_shape(description).neighbours == 2);
  CHECK(leaf_shape(description).oversubscription == Approx(3));
}

TEST_CASE("a fat tree of one leaf is a star") {
  const Platform platform = build_cluster(fat_tree(4, 16, 4)).platform;
  CHECK(route_names(platform, 0, 3) == "node0.nic0.up node3.nic0.down");
  CHECK(platform.links.size() == 8);
}

TEST_CASE("on rails, equal local devices of all nodes share a leaf, others cross the core") {
  ClusterDescription description = gpu_boxes(3, 4, 4);
  description.fabric = "rail-optimised";
  description.oversubscription = 2;
  const Platform platform = build_cluster(description).platform;
  CHECK(check(platform).empty());
  CHECK(platform.zones.size() == 4);
  CHECK(route_names(platform, 1, 9) == "node0.nic1.up node2.nic1.down");
  CHECK(route_names(platform, 1, 10) == "node0.nic1.up rail1.up rail2.down node2.nic2.down");
  CHECK(link_named(platform, "rail1.up").bandwidth.value() == 15e9);  // 3 nodes x 10 / 2
}

TEST_CASE("a dragonfly's groups have as many global lines as NICs") {
  ClusterDescription description = fat_tree(6, 3, 1);
  description.fabric = "dragonfly";
  const Platform platform = build_cluster(description).platform;
  CHECK(route_names(platform, 0, 2) == "node0.nic0.up node2.nic0.down");
  CHECK(route_names(platform, 0, 5) == "node0.nic0.up group0.up group1.down node5.nic0.down");
  CHECK(link_named(platform, "group0.up").bandwidth.value() == 30e9);
  description.oversubscription = 2;  // every group talks to one other one
  CHECK(link_named(build_cluster(description).platform, "group0.up").bandwidth.value() == 15e9);
}

TEST_CASE("a torus leaves its planes over the lines of its longest axis") {
  // 32 devices on 3 axes: 4 planes of 2 x 4; 8 ports of 10 GB/s, a third of each along the longest axis
  ClusterDescription description = gpu_boxes(8, 4, 4);
  description.fabric = "torus";
  description.node_link.reset();
  Platform platform = build_cluster(description).platform;
  CHECK(check(platform).empty());
  CHECK(platform.zones.size() == 4);
  CHECK(route_names(platform, 0, 7) == "node0.nic0.up node1.nic3.down");
  CHECK(route_names(platform, 0, 8) == "node0.nic0.up plane0.up plane1.down node2.nic0.down");
  CHECK(route_names(platform, 31, 0) == "node7.nic3.up plane3.up plane0.down node0.nic0.down");
  CHECK(link_named(platform, "plane0.up").bandwidth.value() == Approx(80e9 / 3));
  // on 2 axes: 8 rings of 4, half of each port between them; rings on one axis alone: 32 planes of one device
  description.torus_axes = 2;
  platform = build_cluster(description).platform;
  CHECK(platform.zones.size() == 8);
  CHECK(link_named(platform, "plane7.down").bandwidth.value() == Approx(20e9));
  description.torus_axes = 1;
  platform = build_cluster(description).platform;
  CHECK(platform.zones.size() == 32);
  CHECK(link_named(platform, "plane31.up").bandwidth.value() == Approx(10e9));
  description.torus_axes = 7;
  CHECK(test::refusal(description) == "torus: 7 axes (1 to 6 can be built)");
}

TEST_CASE("a torus of a prime number of places is one ring, and one place has nothing around it") {
  ClusterDescription description = gpu_boxes(7, 1, 1);
  description.fabric = "torus";
  CHECK(build_cluster(description).platform.zones.size() == 7);
  description.nodes = 1;
  CHECK(build_cluster(description).platform.zones.size() == 1);
}

TEST_CASE("in a WAN star every node is a site behind one line, up and down apart") {
  ClusterDescription description = gpu_boxes(2, 2, 1);
  description.fabric = "wan-star";
  description.network_link->up = BytesPerSecond(1e9);
  const Platform platform = build_cluster(description).platform;
  CHECK(check(platform).empty());
  CHECK(route_names(platform, 0, 3) == "node0.nic0.up node1.nic0.down");
  CHECK(route_names(platform, 1, 2) == "node0.nic0.up node1.nic0.down");
  CHECK(route(platform, DeviceId(0), DeviceId(3)).bandwidth.value() == 1e9);
  CHECK(link_named(platform, "node0.nic0.up").scope == LinkScope::wan);
  CHECK(link_named(platform, "node0.gpu0.nvswitch.up").scope == LinkScope::intra_node);
}

TEST_CASE("a shape refuses what it cannot serve") {
  ClusterDescription description = gpu_boxes(2, 4, 4);
  description.fabric = "wan-star";
  CHECK(test::refusal(description) == "wan-star: 4 NICs per node (a site has one access link) - set nics_per_node = 1");
  CHECK(test::refusal(fat_tree(4, 0, 1)) == "fat-tree: nodes_per_leaf 0 is below 1");
  CHECK(test::refusal(fat_tree(4, 2, 0.5)) ==
        "oversubscription 0.5 is below 1 (1 = the core carries all that the leaves take in)");
  description.fabric = "fat-free";
  CHECK(test::refusal(description) == "unknown fabric \"fat-free\" - did you mean \"fat-tree\"?");
}

TEST_CASE("every pair of devices has a route, in every shape and for uneven numbers") {
  const auto fabric = GENERATE(as<std::string>{}, "star", "fat-tree", "rail-optimised", "dragonfly", "torus");
  const int nodes = GENERATE(1, 2, 3, 7);
  const int devices = GENERATE(1, 3, 4);
  const int nics = GENERATE(1, 2, 4);
  ClusterDescription description = gpu_boxes(nodes, devices, nics);
  description.fabric = fabric;
  description.nodes_per_leaf = 2;
  description.oversubscription = 3;
  const Cluster cluster = build_cluster(description);
  INFO(fabric << " of " << nodes << " nodes with " << devices << " devices and " << nics << " NICs");
  CHECK(check(cluster.platform).empty());
  CHECK(cluster.link_power.size() == cluster.platform.links.size());
  const auto all = static_cast<std::size_t>(cluster.devices());
  for (std::size_t from = 0; from < all; ++from) {
    for (std::size_t to = 0; to < all; ++to) {
      const Route way = route(cluster.platform, DeviceId(from), DeviceId(to));
      CHECK(way.links.empty() == (from == to));
      CHECK(way.bandwidth.value() > 0);
    }
  }
}

}  // namespace orrery
