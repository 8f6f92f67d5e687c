// Folded jobs against the whole ones: the same steps of tensor, pipeline and data parallelism, every rank simulated or
// one for all that are equal.
#include "sim/engine/fold.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "sim/collectives/library.hpp"
#include "sim/engine/engine.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/fresh_process.hpp"
#include "tests/sim/engine/platforms.hpp"

namespace orrery {

namespace {

using test::cluster;

/// Rank (d, s, t) is (d stages + s) tensor + t and sits on the device of that number.
struct Grid {
  int data = 1, stages = 1, tensor = 1;
  int devices_per_node = 1;
  int microbatches = 4;

  [[nodiscard]] std::size_t ranks() const { return static_cast<std::size_t>(data * stages * tensor); }
  [[nodiscard]] RankId rank(int d, int s, int t) const {
    return RankId(static_cast<std::size_t>((d * stages + s) * tensor + t));
  }
};

LibraryPath lane() {
  LibraryPath path;
  path.bus = BytesPerSecond(100e9);
  path.base = Seconds(30e-6);
  path.hop = Seconds(2e-6);
  return path;
}

LibraryPath nic() {
  LibraryPath path;
  path.bus = BytesPerSecond(20e9);
  path.base = Seconds(30e-6);
  path.hop = Seconds(15e-6);
  return path;
}

std::vector<std::vector<RankId>> tensor_groups(const Grid& grid) {
  std::vector<std::vector<RankId>> groups;
  for (int d = 0; d < grid.data; ++d) {
    for (int s = 0; s < grid.stages; ++s) {
      groups.emplace_back();
      for (int t = 0; t < grid.tensor; ++t) groups.back().push_back(grid.rank(d, s, t));
    }
  }
  return groups;
}

std::vector<std::vector<RankId>> data_groups(const Grid& grid) {
  std::vector<std::vector<RankId>> groups;
  for (int s = 0; s < grid.stages; ++s) {
    for (int t = 0; t < grid.tensor; ++t) {
      groups.emplace_back();
      for (int d = 0; d < grid.data; ++d) groups.back().push_back(grid.rank(d, s, t));
    }
  }
  return groups;
}

std::vector<std::vector<RankId>> neighbours(const Grid& grid) {
  std::vector<std::vector<RankId>> pairs;
  for (int d = 0; d < grid.data; ++d) {
    for (int s = 0; s + 1 < grid.stages; ++s) {
      for (int t = 0; t < grid.tensor; ++t) pairs.push_back({grid.rank(d, s, t), grid.rank(d, s + 1, t)});
    }
  }
  return pairs;
}

/// How many of a data group's ranks share a node.
int data_per_node(const Grid& grid) {
  return std::max(1, grid.devices_per_node / (grid.stages * grid.tensor));
}

/// The step for the ranks simulated[i], as ranks i of the Program. `core`: reach of the data groups' collectives.
class Step {
 public:
  Step(const Grid& grid, const std::vector<RankId>& simulated, NetworkReach core)
      : grid_(grid), core_(core), program_(simulated.size()), number_(grid.ranks()) {
    for (std::size_t i = 0; i < simulated.size(); ++i) number_[simulated[i].index()] = RankId(i);
    const auto tensor = collectives(tensor_groups(grid), {grid.tensor, grid.tensor}, 40e6, grid.microbatches);
    const auto data = collectives(data_groups(grid), {grid.data, data_per_node(grid)}, 400e6, 1);
    for (int d = 0; d < grid.data; ++d) {
      for (int s = 0; s < grid.stages; ++s) {
        for (int t = 0; t < grid.tensor; ++t) {
          if (!number_[grid.rank(d, s, t).index()].valid()) continue;
          add_rank(d, s, t, tensor[static_cast<std::size_t>(d * grid.stages + s)],
                   data[static_cast<std::size_t>(s * grid.tensor + t)].front());
        }
      }
    }
  }

  [[nodiscard]] const Program& program() const { return program_; }

 private:
  std::vector<std::vector<CollectiveId>> collectives(const std::vector<std::vector<RankId>>& groups, GroupPlace place,
                                                     double bytes, int count) {
    std::vector<std::vector<CollectiveId>> all;
    const CollectiveKind kind = CollectiveKind::all_reduce;
    const LibraryCost cost = library_cost(kind, place, Bytes(bytes), lane(), nic());
    for (const auto& group : groups) {
      all.emplace_back(static_cast<std::size_t>(count));
      std::vector<RankId> members;
      for (const RankId rank : group) {
        if (number_[rank.index()].valid()) members.push_back(number_[rank.index()]);
      }
      if (members.empty()) continue;
      const GroupId id = program_.add_group(members);
      for (CollectiveId& collective : all.back()) {
        Collective call = library_collective(kind, id, Bytes(bytes), cost);
        call.library.reach = core_;
        collective = program_.add_collective(call);
      }
    }
    return all;
  }

  void add_rank(int d, int s, int t, const std::vector<CollectiveId>& tensor, CollectiveId data) {
    const RankId me = number_[grid_.rank(d, s, t).index()];
    const auto add = [&](Stream stream, Phase phase, int microbatch, std::vector<OpId> after, const Action& action) {
      return program_.add({me, stream, Dimension::none, phase, {}, microbatch, std::move(after), action});
    };
    OpId last;
    for (int m = 0; m < grid_.microbatches; ++m) {
      std::vector<OpId> after;
      if (s > 0) {
        const RankId from = number_[grid_.rank(d, s - 1, t).index()];
        after = {add(Stream::receive, Phase::forward, m, {}, Receive{from, m})};
      }
      const OpId work = add(Stream::compute, Phase::forward, m, after, Compute{Seconds(1e-3 * (s + 1)), Flops(1e9)});
      last = add(Stream::collective, Phase::forward, m, {work}, CollectiveCall{tensor[static_cast<std::size_t>(m)]});
      if (s + 1 < grid_.stages) {
        const RankId to = number_[grid_.rank(d, s + 1, t).index()];
        add(Stream::send, Phase::forward, m, {last}, Send{to, Bytes(50e6), m});
      }
    }
    add(Stream::collective, Phase::gradient_exchange, -1, {last}, CollectiveCall{data});
  }

  const Grid& grid_;
  NetworkReach core_;
  Program program_;
  std::vector<RankId> number_;  // in the Program; invalid: not simulated
};

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
  return test::in_fresh_process(
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
  CHECK(fold(platform, uneven).obstacles.size() == 1);
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

}  // namespace orrery
