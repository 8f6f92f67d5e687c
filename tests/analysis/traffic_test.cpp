#include "analysis/metrics/traffic.hpp"

#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

/// Two nodes of two PCIe devices: the lane of a device leads to its neighbour and, through the shared NIC, outside.
struct PcieNodes {
  Platform platform;
  std::vector<LinkUse> links;

  explicit PcieNodes(LinkScope scope) {
    for (std::int32_t node = 0; node < 2; ++node) {
      const LinkId nic = add("nic.up", scope), nic_down = add("nic.down", scope);
      for (int device = 0; device < 2; ++device) {
        const LinkId lane = add("lane.up", LinkScope::intra_node), lane_down = add("lane.down", LinkScope::intra_node);
        PlatformHost host;
        host.node = node;
        host.inside = Port{0, {lane}, {lane_down}};
        host.network = Port{0, {lane, nic}, {nic_down, lane_down}};
        platform.hosts.push_back(host);
      }
    }
  }

  LinkId add(const std::string& kind, LinkScope scope) {
    const LinkId id = platform.add_link({kind + std::to_string(links.size()), BytesPerSecond(1), Seconds(0), scope});
    links.push_back({id, Bytes(0), Seconds(0)});
    return id;
  }

  void send(std::size_t from, std::size_t to, double bytes) {
    for (const LinkId link : route(platform, DeviceId(from), DeviceId(to)).links) {
      links[link.index()].bytes += Bytes(bytes);
    }
  }
};

TEST_CASE("every message is counted once, by how far it went") {
  PcieNodes nodes(LinkScope::inter_node);
  nodes.send(0, 1, 100);  // within node 0
  nodes.send(3, 2, 20);   // within node 1
  nodes.send(0, 2, 3);    // between the nodes
  nodes.send(3, 1, 4);
  const Traffic result = traffic(nodes.platform, nodes.links);
  CHECK(result.intra_node.value() == 120);
  CHECK(result.inter_node.value() == 7);
  CHECK(result.wan.value() == 0);
  CHECK(result.total().value() == 127);
}

TEST_CASE("messages over wide-area ports are wan traffic") {
  PcieNodes nodes(LinkScope::wan);
  nodes.send(0, 2, 3);
  CHECK(traffic(nodes.platform, nodes.links).wan.value() == 3);
  CHECK(traffic(nodes.platform, nodes.links).inter_node.value() == 0);
}

TEST_CASE("without records of links there is no traffic") {
  const PcieNodes nodes(LinkScope::inter_node);
  CHECK(traffic(nodes.platform, {}).total().value() == 0);
}

Bottleneck bottleneck_of(const Way& way) {
  return bottleneck(wires(way.platform, way.records.links), way.records.makespan);
}

TEST_CASE("the bottleneck is the link in use for longest, then the best utilised") {
  Way way = two_device_step();
  way.records.links[2].busy = Seconds(2.2);
  const Bottleneck worst = bottleneck_of(way);
  CHECK(worst.link == "node0.gpu1.up");
  CHECK(worst.busy_fraction == Approx(2.2 / 5.5).epsilon(1e-12));
  CHECK(worst.utilisation == Approx(1e9 / (2e9 * 5.5)).epsilon(1e-12));

  way.records.links[3] = {LinkId(3), Bytes(3e9), Seconds(2.2)};
  CHECK(bottleneck_of(way).link == "node0.gpu1.down");
}

TEST_CASE("of a federation the shared lines are looked at, either direction by itself") {
  const Bottleneck worst = bottleneck(wires(three_client_round().federated, LinkScope::wan), Seconds(10));
  CHECK(worst.link == "server.down");
  CHECK(worst.busy_fraction == 0.5);
  CHECK(worst.utilisation == Approx(3e6 / (10e6 * 10)).epsilon(1e-12));
}

TEST_CASE("nothing sent: no bottleneck") {
  CHECK(bottleneck_of(single_device_step()).link.empty());
}

}  // namespace
}  // namespace orrery
