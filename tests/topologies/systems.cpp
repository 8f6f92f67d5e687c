// Clusters made from catalogue rows.
#include <stdexcept>
#include <string>

#include "tests/catch.hpp"
#include "tests/topologies/platforms.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

namespace orrery {

using test::link_named;
using test::route_names;

namespace {

Cluster nodes_of(const std::string& system, int nodes) {
  return build_cluster(describe_system(*shipped_catalogue().system(system), shipped_catalogue(), nodes));
}

}  // namespace

TEST_CASE("two DGX A100 meet on their rails at 24 GB/s per device") {
  const Platform platform = nodes_of("dgx-a100", 2).platform;
  const Route rail = route(platform, DeviceId(3), DeviceId(11));
  CHECK(test::names(platform, rail) == "node0.nic3.up node1.nic3.down");
  CHECK(rail.bandwidth.value() == Approx(25e9 * 0.96));
  CHECK(rail.latency.value() == Approx(1e-6));
  const Route inside = route(platform, DeviceId(0), DeviceId(7));
  CHECK(inside.bandwidth.value() == Approx(300e9 * 0.78));
  CHECK(inside.latency.value() == Approx(3.7e-6));
}

TEST_CASE("four RTX 3080 of a laboratory box share one 10 GbE line") {
  const Platform platform = nodes_of("lab-4x3080", 2).platform;
  for (std::size_t device = 0; device < 4; ++device) {
    const Route way = route(platform, DeviceId(device), DeviceId(4));
    CHECK(test::names(platform, way) ==
          "node0.gpu" + std::to_string(device) + ".pcie.up node0.nic0.up node1.nic0.down node1.gpu0.pcie.down");
    CHECK(way.bandwidth.value() == Approx(1.25e9 * 0.93));
    CHECK(way.latency.value() == Approx(12e-6 + 25e-6));
  }
  CHECK(route(platform, DeviceId(0), DeviceId(1)).bandwidth.value() == Approx(31.5e9 * 0.35));
}

TEST_CASE("chips of a TPU pod have one port each, inside a host and across") {
  const Platform platform = nodes_of("tpu-v4-pod", 2).platform;
  CHECK(route_names(platform, 0, 1) == "node0.nic0.up node0.nic1.down");
  CHECK(route_names(platform, 0, 7) == "node0.nic0.up plane0.up plane1.down node1.nic3.down");  // 2 x 2 x 2
  CHECK(link_named(platform, "node0.nic0.up").bandwidth.value() == Approx(150e9 * 0.9));
  // the whole pod is 16 x 16 x 16 chips with 25 GB/s in each direction of each axis
  const Platform pod = nodes_of("tpu-v4-pod", 1024).platform;
  CHECK(pod.zones.size() == 16);
  CHECK(link_named(pod, "plane9.up").bandwidth.value() == Approx(256 * 2 * 25e9 * 0.9));
}

TEST_CASE("every GPU of an AWS p5 drives four of the 32 NICs") {
  const Platform platform = nodes_of("aws-p5.48xlarge", 2).platform;
  CHECK(link_named(platform, "node0.nic7.up").bandwidth.value() == Approx(4 * 12.5e9 * 0.85));
}

TEST_CASE("what a node draws beside its devices comes from the system's row") {
  const ClusterDescription lab = describe_system(*shipped_catalogue().system("lab-4x3080"), shipped_catalogue(), 1);
  CHECK(lab.rest_idle.value() == 190 - 4 * 20);
  CHECK(lab.rest_training.value() == 1450 - 4 * 290);
  const ClusterDescription p3 = describe_system(*shipped_catalogue().system("aws-p3.16xlarge"), shipped_catalogue(), 1);
  CHECK(p3.rest_training.value() == 0);  // the row gives no power in training
}

TEST_CASE("more nodes than a system has are refused") {
  CHECK_THROWS_AS(nodes_of("lab-4x3080", 9), Infeasible);
  CHECK_THROWS_AS(nodes_of("lab-4x3080", 0), Infeasible);
  try {
    nodes_of("lab-4x3080", 9);
  } catch (const Infeasible& error) {
    CHECK(std::string(error.what()) == "lab-4x3080: 9 nodes asked for, but the system has 8");
  }
}

TEST_CASE("two nodes of every system of the catalogue make a sound platform in which all devices meet") {
  for (const System& system : shipped_catalogue().systems) {
    INFO(system.id);
    const Cluster cluster = nodes_of(system.id, 2);
    CHECK(check(cluster.platform).empty());
    CHECK(cluster.link_power.size() == cluster.platform.links.size());
    const auto all = static_cast<std::size_t>(cluster.devices());
    bool joined = true;
    for (std::size_t to = 1; to < all; ++to) {
      const Route way = route(cluster.platform, DeviceId(0), DeviceId(to));
      joined = joined && !way.links.empty() && way.bandwidth.value() > 0 && way.latency.value() > 0;
    }
    CHECK(joined);
  }
}

}  // namespace orrery
