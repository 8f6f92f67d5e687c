// Folded jobs against the whole ones: the same steps of tensor, pipeline and data parallelism, every rank simulated or
// one for all that are equal.
#include "sim/engine/fold.hpp"

#include <string>
#include <vector>

#include "sim/engine/engine.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/fresh_process.hpp"
#include "tests/sim/engine/grid_step.hpp"
#include "tests/sim/engine/platforms.hpp"

namespace orrery::test {

namespace {

/// One rank of every stage stands for all.
FoldRequest request(const Grid& grid) {
  FoldRequest result;
  for (int s = 0; s < grid.stages; ++s) result.representatives.push_back(grid.rank(0, s, 0));
  for (std::size_t rank = 0; rank < grid.ranks(); ++rank) {
    result.hosts.emplace_back(rank);
    result.stand_in.push_back(rank / static_cast<std::size_t>(grid.tensor) % static_cast<std::size_t>(grid.stages));
  }
  result.traffic = {{"tensor all-reduce", FoldTraffic::Kind::collective, tensor_groups(grid)},
                    {"gradient all-reduce", FoldTraffic::Kind::collective, data_groups(grid)},
                    {"activations", FoldTraffic::Kind::messages, neighbours(grid)}};
  return result;
}

double time_of(const Program& program, const Platform& platform, const std::vector<DeviceId>& hosts) {
  REQUIRE(check(program).empty());
  REQUIRE(check(platform).empty());
  return in_fresh_process(
      [&] { return run_program(program, *make_kernel(EngineKind::flow, platform), hosts, {}).makespan.value(); });
}

double whole_time(const Grid& grid, const Platform& platform) {
  std::vector<RankId> everyone;
  std::vector<DeviceId> hosts;
  for (std::size_t rank = 0; rank < grid.ranks(); ++rank) {
    everyone.emplace_back(rank);
    hosts.emplace_back(rank);
  }
  return time_of(Step(grid, everyone, NetworkReach::leaf).program(), platform, hosts);
}

double folded_time(const Grid& grid, const Platform& platform) {
  const FoldRequest asked = request(grid);
  const Fold folded = fold(platform, asked);
  for (const std::string& obstacle : folded.obstacles) FAIL_CHECK(obstacle);
  return time_of(Step(grid, asked.representatives, folded.reach[1]).program(), folded.platform, folded.hosts);
}

void check_same(const Grid& grid, const Platform& platform) {
  CHECK(folded_time(grid, platform) == Approx(whole_time(grid, platform)).epsilon(1e-9));
}

std::string obstacles(const Grid& grid, const Platform& platform) {
  std::string text;
  for (const std::string& obstacle : fold(platform, request(grid)).obstacles) text += obstacle + "\n";
  return text;
}

/// Nodes of `places`, `places / nics` of which share a NIC; leaves of `per_leaf` nodes with uplinks of so many NICs.
Platform nodes_of(std::size_t nodes, std::size_t places, std::size_t nics, std::size_t per_leaf, double uplink_nics) {
  Platform platform = cluster(nodes, places, per_leaf, {{100e9, 0}, {20e9, 0}, 20e9 * uplink_nics});
  const std::size_t sharing = places / nics;
  for (std::size_t host = 0; host < platform.hosts.size(); ++host) {
    platform.hosts[host].network = platform.hosts[host - host % sharing].network;
  }
  return platform;
}

}  // namespace

TEST_CASE("folded data parallelism takes the time of the whole", "[fold]") {
  check_same({8, 1, 1, 1}, nodes_of(8, 1, 1, 8, 1e3));
  check_same({8, 1, 1, 4}, nodes_of(2, 4, 4, 2, 1e3));
}

TEST_CASE("folded tensor parallelism takes the time of the whole", "[fold]") {
  check_same({1, 1, 8, 8}, nodes_of(1, 8, 8, 1, 1e3));
}

TEST_CASE("folded pipelines take the time of the whole", "[fold]") {
  check_same({4, 4, 2, 2}, nodes_of(16, 2, 2, 16, 1e3));  // every stage a node
  check_same({4, 2, 2, 4}, nodes_of(4, 4, 4, 4, 1e3));    // two stages a node
  check_same({2, 4, 4, 4}, nodes_of(8, 4, 4, 8, 1e3));
}

TEST_CASE("folded ranks share a NIC as all of them would", "[fold]") {
  check_same({4, 1, 4, 4}, nodes_of(4, 4, 1, 4, 1e3));
  check_same({4, 1, 4, 4}, nodes_of(4, 4, 2, 4, 1e3));
  check_same({4, 2, 4, 4}, nodes_of(8, 4, 1, 8, 1e3));  // messages and gradients on the same NICs
  check_same({4, 2, 2, 4}, nodes_of(4, 4, 1, 4, 1e3));  // of two stages
}

TEST_CASE("folded ranks cross an oversubscribed fat tree as all of them would", "[fold]") {
  // two nodes a leaf, 2:1: rings in order leave a leaf with one node's bytes, which the uplink carries
  check_same({8, 1, 4, 4}, nodes_of(8, 4, 4, 2, 4));
  // every ring leaves its leaf at every step: the uplink halves the rate
  const Grid strided{2, 2, 4, 4};
  check_same(strided, nodes_of(4, 4, 4, 2, 4));
  const Fold folded = fold(nodes_of(4, 4, 4, 2, 4), request(strided));
  CHECK(folded.reach[0] == NetworkReach::leaf);
  CHECK(folded.reach[1] == NetworkReach::core);
  CHECK(whole_time(strided, nodes_of(4, 4, 4, 2, 4)) > 1.2 * whole_time(strided, nodes_of(4, 4, 4, 2, 8)));
}

TEST_CASE("a fold says how many ranks and bytes each part of it stands for", "[fold]") {
  const Fold folded = fold(nodes_of(4, 4, 1, 4, 1e3), request({2, 2, 4, 4}));
  REQUIRE(folded.obstacles.empty());
  CHECK(folded.copies == std::vector<double>{8, 8});
  REQUIRE(folded.platform.mirrors.size() == 2);
  REQUIRE(folded.platform.links.size() == folded.original.size());
  for (std::size_t i = 0; i < folded.original.size(); ++i) {
    const PlatformLink& link = folded.platform.links[i];
    if (link.name.find(".nic") == std::string::npos) continue;
    CHECK(link.bandwidth.value() == Approx(20e9 / 4));  // four devices share it
    CHECK(folded.link_copies[i] == 8);
    CHECK(folded.link_count[i] == 2);  // of four nodes, two a stage
  }
}

TEST_CASE("bytes of folded links times their copies are those of the whole job", "[fold]") {
  const Grid grid{2, 2, 4, 4};
  const Platform platform = nodes_of(4, 4, 2, 4, 1e3);
  std::vector<RankId> everyone;
  std::vector<DeviceId> hosts;
  for (std::size_t rank = 0; rank < grid.ranks(); ++rank) {
    everyone.emplace_back(rank);
    hosts.emplace_back(rank);
  }
  const FoldRequest asked = request(grid);
  const Fold folded = fold(platform, asked);
  const Records whole = run_program(Step(grid, everyone, NetworkReach::leaf).program(),
                                    *make_kernel(EngineKind::flow, platform), hosts, {});
  const Records part = run_program(Step(grid, asked.representatives, NetworkReach::leaf).program(),
                                   *make_kernel(EngineKind::flow, folded.platform), folded.hosts, {});
  for (const char* kind : {".nvlink.up", ".nvlink.down", ".nic.up", ".nic.down"}) {
    double all = 0, some = 0;
    for (const LinkUse& use : whole.links) {
      if (platform.links[use.link.index()].name.ends_with(kind)) all += use.bytes.value();
    }
    for (const LinkUse& use : part.links) {
      if (!folded.platform.links[use.link.index()].name.ends_with(kind)) continue;
      some += use.bytes.value() * folded.link_copies[use.link.index()];
    }
    CHECK(all > 0);
    CHECK(some == Approx(all).epsilon(1e-12));
  }
}

TEST_CASE("what is not symmetric is not folded", "[fold]") {
  // rings leave a leaf at one of its two nodes only, through an uplink narrower than a node
  CHECK(obstacles({4, 1, 4, 4}, nodes_of(4, 4, 4, 2, 2)) ==
        "gradient all-reduce: rank 4 does not share its links as rank 0 does, which would stand for it\n");
  // three devices on the first node, one on the second
  FoldRequest uneven = request({4, 1, 1, 4});
  Platform platform = nodes_of(2, 4, 4, 2, 1e3);
  uneven.hosts[3] = DeviceId(4);
  CHECK(fold(platform, uneven).obstacles.front() ==
        "gradient all-reduce: of a group of 4 ranks there are 3 on one node and 1 on another");
  // a slow line
  platform.links[platform.hosts[2].inside->up.front().index()].bandwidth *= 0.5;
  CHECK(obstacles({1, 1, 4, 4}, platform) ==
        "tensor all-reduce: rank 2 does not share its links as rank 0 does, which would stand for it\n");
  // two ranks of one group and three of the other
  FoldRequest unequal = request({5, 1, 1, 1});
  unequal.traffic[1].groups = {{RankId(0), RankId(1)}, {RankId(2), RankId(3), RankId(4)}};
  CHECK(fold(nodes_of(5, 1, 1, 5, 1e3), unequal).obstacles.front() ==
        "gradient all-reduce: groups of 2 ranks on 2 nodes and of 3 on 3 are not alike");
}

}  // namespace orrery::test
