// Library collectives on the kernels: what they cost alone is library_cost(); together they contend.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/collectives/library.hpp"
#include "sim/engine/engine.hpp"
#include "sim/engine/library_run.hpp"
#include "tests/catch.hpp"
#include "tests/sim/engine/fresh_process.hpp"
#include "tests/sim/engine/one_collective.hpp"
#include "tests/sim/engine/platforms.hpp"

namespace orrery::test {

namespace {

constexpr EngineKind both[] = {EngineKind::flow, EngineKind::closed_form};

LibraryPath path(double bandwidth, double base, double hop) {
  LibraryPath result;
  result.bus = BytesPerSecond(bandwidth);
  result.base = Seconds(base);
  result.hop = Seconds(hop);
  result.fill = Seconds(100e-6);
  result.fill_bytes = Bytes(50e6);
  result.small_ring_loss = 0.1;
  return result;
}

const LibraryPath inside = path(100e9, 34e-6, 2e-6), network = path(20e9, 34e-6, 15e-6);

std::vector<RankId> ranks(const std::vector<std::size_t>& numbers) {
  std::vector<RankId> result;
  for (const std::size_t number : numbers) result.emplace_back(number);
  return result;
}

CollectiveId add(Program& program, const std::vector<std::size_t>& members, CollectiveKind kind, GroupPlace place,
                 double bytes) {
  const GroupId group = program.add_group(ranks(members));
  const LibraryCost cost = library_cost(kind, place, Bytes(bytes), inside, network);
  const CollectiveId id = program.add_collective(library_collective(kind, group, Bytes(bytes), cost));
  for (const std::size_t rank : members) {
    program.add(
        {RankId(rank), Stream::collective, Dimension::dp, Phase::gradient_exchange, {}, -1, {}, CollectiveCall{id}});
  }
  return id;
}

/// `nodes` nodes of `places` hosts whose lines have the rates of the paths above.
Platform lawful(std::size_t nodes, std::size_t places) {
  return cluster(nodes, places, nodes, {{100e9, 1e-6}, {20e9, 4e-6}, 1e15});
}

Records run(const Program& program, EngineKind kind, const Platform& platform) {
  REQUIRE(check(program).empty());
  return run_program(program, *make_kernel(kind, platform), all_hosts(platform), {});
}

std::vector<std::size_t> first(std::size_t count) {
  std::vector<std::size_t> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = i;
  return numbers;
}

}  // namespace

TEST_CASE("a library collective alone takes what library_cost() says", "[library]") {
  using enum CollectiveKind;
  for (const EngineKind engine : both) {
    for (const CollectiveKind kind : {all_reduce, reduce_scatter, all_gather, broadcast, all_to_all}) {
      for (const GroupPlace place :
           {GroupPlace{2, 2}, GroupPlace{8, 8}, GroupPlace{4, 1}, GroupPlace{16, 8}, GroupPlace{32, 8}}) {
        for (const double bytes : {1e4, 1e7, 1e10}) {
          const auto count = static_cast<std::size_t>(place.ranks), per_node = static_cast<std::size_t>(place.per_node);
          const double time = in_fresh_process([&] {
            Program program(count);
            add(program, first(count), kind, place, bytes);
            return run(program, engine, lawful(count / per_node, per_node)).makespan.value();
          });
          const double law = library_cost(kind, place, Bytes(bytes), inside, network).total().value();
          CHECK(time == Approx(law).epsilon(1e-9));
        }
      }
    }
  }
}

TEST_CASE("a library collective over nodes with different numbers of ranks takes what library_cost() says",
          "[library]") {
  using enum CollectiveKind;
  struct Case {
    std::size_t per_node;
    GroupPlace place;
  };
  // 8 + 4, 8 + 1, 7 + 5 and 8 + 8 + 3 ranks
  const Case cases[] = {{8, {12, 8, 1, 4, 4}}, {8, {9, 8, 1, 1, 1}}, {7, {12, 7, 1, 5, 5}}, {8, {19, 8, 1, 3, 3}}};
  for (const Case& each : cases) {
    const std::size_t per_node = each.per_node;
    const GroupPlace place = each.place;
    const auto count = static_cast<std::size_t>(place.ranks), nodes = static_cast<std::size_t>(place.nodes());
    for (const CollectiveKind kind : {all_reduce, reduce_scatter, all_gather, all_to_all}) {
      for (const double bytes : {1e4, 1e7, 1e10}) {
        const double time = in_fresh_process([&] {
          Program program(nodes * per_node);
          add(program, first(count), kind, place, bytes);
          return run(program, EngineKind::flow, lawful(nodes, per_node)).makespan.value();
        });
        const double law = library_cost(kind, place, Bytes(bytes), inside, network).total().value();
        INFO(count << " ranks, " << per_node << " per node, kind " << static_cast<int>(kind) << ", " << bytes);
        CHECK(time == Approx(law).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("as many bytes leave a node with few ranks of a ring as a full one", "[library]") {
  Program program(6);
  add(program, {0, 1, 2, 3, 4}, CollectiveKind::reduce_scatter, {5, 3, 1, 2, 2}, 3e9);
  const Records records = run(program, EngineKind::flow, lawful(2, 3));
  // 3 GB x 4/5 leave each node: 0.8 GB of each of three ranks, 1.2 of each of two; three times 2/3 of it stay inside
  double sum = 0;
  for (std::size_t i = 0; i < records.activities.size(); ++i) {
    const double outside = records.activities[i].rank.index() < 3 ? 0.8e9 : 1.2e9;
    CHECK(records.activities[i].bytes.value() == Approx(outside + 1.6e9));
    sum += outside;
  }
  CHECK(sum == Approx(2 * 2.4e9));
  const auto targets = library_targets(lawful(2, 3), all_hosts(lawful(2, 3)), NetworkReach::leaf);
  for (const LibraryTargets& each : targets) CHECK(each.network.size() == 1);
}

TEST_CASE("two library collectives on the same NICs share them", "[library]") {
  // two hosts per node behind one NIC: the pairs (0, 2) and (1, 3) exchange at half the rate each
  Platform platform = lawful(2, 2);
  for (const std::size_t host : {1U, 3U}) platform.hosts[host].network = platform.hosts[host - 1].network;
  const GroupPlace place{2, 1};
  Program program(4);
  add(program, {0, 2}, CollectiveKind::all_reduce, place, 1e9);
  add(program, {1, 3}, CollectiveKind::all_reduce, place, 1e9);
  const LibraryCost cost = library_cost(CollectiveKind::all_reduce, place, Bytes(1e9), inside, network);
  CHECK(run(program, EngineKind::flow, platform).makespan.value() ==
        Approx((cost.overhead + cost.wire * 2.0).value()).epsilon(1e-9));
  CHECK(run(program, EngineKind::closed_form, platform).makespan.value() == Approx(cost.total().value()).epsilon(1e-9));
}

TEST_CASE("a library collective is recorded with what its ranks send and what its links carry", "[library]") {
  Program program(4);
  add(program, {0, 1, 2, 3}, CollectiveKind::all_gather, {4, 2}, 2e9);
  const Records records = run(program, EngineKind::flow, lawful(2, 2));
  // 1.5e9 bytes of every rank, half of it to the other device of the node, half to the other node
  for (const Activity& activity : records.activities) {
    CHECK(activity.bytes.value() == Approx(1.5e9));
    CHECK(activity.start == Seconds());
    CHECK(activity.end == records.makespan);
  }
  for (const LinkUse& use : records.links) {
    const bool uplink = use.link.index() < 2;  // of the only leaf
    CHECK(use.bytes.value() == Approx(uplink ? 0.0 : 0.75e9));
  }
  CHECK(records.fidelity == Fidelity::library);
  CHECK(records.messages == 8);
  CHECK(dump(program).find("library collective 0") != std::string::npos);
}

TEST_CASE("members send to the next one of their node and to their place on the next node", "[library]") {
  const Platform platform = lawful(3, 4);
  const auto hosts = [](const std::vector<std::size_t>& numbers) {
    std::vector<DeviceId> result;
    for (const std::size_t number : numbers) result.emplace_back(number);
    return result;
  };
  const auto targets = library_targets(platform, hosts({0, 2, 4, 6, 9}), NetworkReach::leaf);
  const std::vector<std::size_t> node{2, 0, 6, 4}, next{4, 6, 9, 9, 0};
  for (std::size_t i = 0; i < 4; ++i) CHECK(targets[i].node == DeviceId(node[i]));
  CHECK_FALSE(targets[4].node.valid());  // alone on its node
  for (std::size_t i = 0; i < 5; ++i) CHECK(targets[i].network.front().to == DeviceId(next[i]));
  for (const LibraryTargets& target : library_targets(platform, hosts({4, 5, 6, 7}), NetworkReach::core)) {
    CHECK(target.network.empty());
  }
}

TEST_CASE("an all-to-all goes half way round the nodes", "[library]") {
  const Platform platform = lawful(4, 1);
  const std::vector<DeviceId> all{DeviceId(0U), DeviceId(1U), DeviceId(2U), DeviceId(3U)};
  const auto targets = library_targets(platform, all, NetworkReach::leaf, next_node(CollectiveKind::all_to_all));
  const std::vector<std::size_t> across{2, 3, 0, 1};
  for (std::size_t i = 0; i < 4; ++i) CHECK(targets[i].network.front().to == DeviceId(across[i]));
  CHECK(next_node(CollectiveKind::all_reduce) == NextNode::neighbour);
}

TEST_CASE("a library collective takes its least time where wires are faster, and longer where they are shared",
          "[library]") {
  // 1e9 bytes at 20 GB/s are 0.05 s
  for (const double least : {0.0, 0.04, 0.08}) {
    for (const std::size_t groups : {1U, 2U}) {
      Platform platform = lawful(2, 2);
      for (const std::size_t host : {1U, 3U}) platform.hosts[host].network = platform.hosts[host - 1].network;
      Program program(4);
      for (std::size_t first = 0; first < groups; ++first) {
        Collective collective;
        collective.algorithm = Algorithm::library;
        collective.group = program.add_group(ranks({first, first + 2}));
        collective.library = {Seconds(), Bytes(), Bytes(1e9), NetworkReach::leaf, Seconds(least)};
        const CollectiveId id = program.add_collective(collective);
        for (const std::size_t rank : {first, first + 2}) {
          program.add(
              {RankId(rank), Stream::collective, Dimension::tp, Phase::forward, {}, -1, {}, CollectiveCall{id}});
        }
      }
      const double time = in_fresh_process([&] { return run(program, EngineKind::flow, platform).makespan.value(); });
      CHECK(time == Approx(std::max(least, 0.05 * static_cast<double>(groups))).epsilon(1e-9));
    }
  }
}

TEST_CASE("a library collective of nothing takes its overhead, and a failed link stops it", "[library]") {
  Program program(2);
  const GroupId group = program.add_group(ranks({0, 1}));
  Collective collective{CollectiveKind::all_reduce, Algorithm::library, group, Bytes(), 0, {}};
  collective.library.overhead = Seconds(0.5);
  const CollectiveId id = program.add_collective(collective);
  for (const std::size_t rank : {0U, 1U}) {
    program.add({RankId(rank), Stream::collective, Dimension::tp, Phase::forward, {}, -1, {}, CollectiveCall{id}});
  }
  CHECK(run(program, EngineKind::flow, lawful(1, 2)).makespan.value() == Approx(0.5));

  Program broken(2);
  add(broken, {0, 1}, CollectiveKind::all_reduce, {2, 2}, 1e9);
  const Platform platform = lawful(1, 2);
  const auto kernel = make_kernel(EngineKind::flow, platform);
  kernel->fail(platform.hosts[1].inside->down.front());
  std::string message;
  try {
    run_program(broken, *kernel, all_hosts(platform), {});
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  CHECK(message.find("after 1 failed flows") != std::string::npos);
}

TEST_CASE("a library collective whose cost is not a time or a size is refused", "[library]") {
  Program program(1);
  Collective collective{CollectiveKind::all_reduce, Algorithm::library, program.add_group(ranks({0})), Bytes(), 0, {}};
  collective.library.node_bytes = Bytes(-1);
  const CollectiveId id = program.add_collective(collective);
  program.add({RankId(0), Stream::collective, Dimension::tp, Phase::forward, {}, -1, {}, CollectiveCall{id}});
  REQUIRE(check(program).size() == 1);
  CHECK(check(program).front().find("collective 0 (all_reduce): what it costs") == 0);
}

}  // namespace orrery::test
