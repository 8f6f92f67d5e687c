// Replays every schedule on the contributions that each chunk of each rank holds.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/collectives/schedule.hpp"
#include "tests/catch.hpp"

namespace orrery {

namespace {

using Contributions = std::vector<int>;                   // how often each rank's value is in the sum
using Buffers = std::vector<std::vector<Contributions>>;  // [rank][chunk]

std::size_t at(std::int32_t index) {
  return static_cast<std::size_t>(index);
}

/// A step takes what a sender held when the step began, as the engine does.
void replay_step(const Schedule& schedule, const Round& round, std::int32_t repetition, Buffers& buffers) {
  const Buffers before = buffers;
  for (const Transfer& transfer : round.transfers) {
    const std::int32_t first = first_chunk(schedule, round, transfer, repetition);
    for (std::int32_t i = 0; i < transfer.chunk_count; ++i) {
      const std::size_t chunk = at((first + i) % schedule.chunks);
      Contributions& target = buffers[at(transfer.to)][chunk];
      const Contributions& source = before[at(transfer.from)][chunk];
      if (transfer.arrival == Arrival::copy) {
        target = source;
      } else {
        for (std::size_t rank = 0; rank < target.size(); ++rank) target[rank] += source[rank];
      }
    }
  }
}

Buffers replay(const Schedule& schedule, Buffers buffers) {
  for (const Round& round : schedule.rounds) {
    for (std::int32_t k = 0; k < round.repeat; ++k) replay_step(schedule, round, k, buffers);
  }
  return buffers;
}

Buffers empty_buffers(const Schedule& schedule) {
  const auto ranks = at(schedule.ranks), chunks = at(schedule.chunks);
  return Buffers(ranks, std::vector<Contributions>(chunks, Contributions(ranks, 0)));
}

std::size_t home_of(const Schedule& schedule, std::size_t rank) {
  return schedule.home.empty() ? rank : at(schedule.home[rank]);
}

Buffers initial(const Schedule& schedule, CollectiveKind kind, Algorithm algorithm, const GroupShape& shape) {
  Buffers buffers = empty_buffers(schedule);
  for (std::size_t rank = 0; rank < buffers.size(); ++rank) {
    const bool serves = algorithm == Algorithm::parameter_server && rank == at(shape.root);
    for (std::size_t chunk = 0; chunk < buffers[rank].size(); ++chunk) {
      bool holds = kind == CollectiveKind::all_reduce || kind == CollectiveKind::reduce_scatter;
      if (kind == CollectiveKind::all_reduce && serves) holds = false;
      if (kind == CollectiveKind::broadcast) holds = rank == at(shape.root);
      if (kind == CollectiveKind::all_gather) holds = chunk == home_of(schedule, rank);
      buffers[rank][chunk][rank] = holds ? 1 : 0;
    }
  }
  return buffers;
}

/// What `rank` must hold in `chunk` at the end.
Contributions wanted(const Schedule& schedule, CollectiveKind kind, Algorithm algorithm, const GroupShape& shape,
                     std::size_t chunk) {
  Contributions all(at(schedule.ranks), 1);
  if (kind == CollectiveKind::all_reduce && algorithm == Algorithm::parameter_server && shape.ranks > 1) {
    all[at(shape.root)] = 0;
  }
  if (kind == CollectiveKind::broadcast || kind == CollectiveKind::all_gather) {
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      all[rank] = kind == CollectiveKind::broadcast ? rank == at(shape.root) : home_of(schedule, rank) == chunk;
    }
  }
  return all;
}

bool is_right(CollectiveKind kind, Algorithm algorithm, const GroupShape& shape) {
  const Schedule schedule = make_schedule(kind, algorithm, shape);
  const Buffers start = initial(schedule, kind, algorithm, shape);
  const Buffers end = replay(schedule, start);
  bool right = schedule.ranks == shape.ranks;
  for (std::size_t rank = 0; rank < end.size(); ++rank) {
    for (std::size_t chunk = 0; chunk < end[rank].size(); ++chunk) {
      if (kind == CollectiveKind::reduce_scatter && chunk != home_of(schedule, rank)) continue;
      // One rank alone: nothing moves, and nothing needs to.
      const Contributions& expected =
          shape.ranks == 1 ? start[rank][chunk] : wanted(schedule, kind, algorithm, shape, chunk);
      right = right && end[rank][chunk] == expected;
    }
  }
  return right;
}

std::vector<GroupShape> shapes() {
  std::vector<GroupShape> list;
  for (const std::int32_t ranks : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32}) {
    for (const std::int32_t places : {1, 2, 3, 4, 8, 16}) {
      if (ranks < 2 * places && places > 1) continue;
      for (const std::int32_t root : {0, ranks / 2, ranks - 1}) list.push_back({ranks, places, root, 6});
    }
  }
  return list;
}

}  // namespace

TEST_CASE("every schedule gives every rank what its collective promises, each contribution once") {
  for (const AlgorithmEntry& entry : algorithms()) {
    for (const CollectiveKind kind : entry.kinds) {
      if (kind == CollectiveKind::all_to_all) continue;  // below
      for (const GroupShape& shape : shapes()) {
        INFO(entry.name() << " " << name_of(kind) << " ranks " << shape.ranks << " per node " << shape.ranks_per_node
                          << " root " << shape.root);
        REQUIRE(is_right(kind, entry.algorithm, shape));
      }
    }
  }
}

TEST_CASE("all numbers of ranks up to 64 are reduced completely by every all-reduce") {
  for (const AlgorithmEntry& entry : algorithms()) {
    if (std::count(entry.kinds.begin(), entry.kinds.end(), CollectiveKind::all_reduce) == 0) continue;
    for (std::int32_t ranks = 1; ranks <= 64; ++ranks) {
      INFO(entry.name() << " " << ranks);
      REQUIRE(is_right(CollectiveKind::all_reduce, entry.algorithm, {ranks, ranks % 4 == 0 ? 4 : 1, 0, 8}));
    }
  }
}

TEST_CASE("homes of chunks are a permutation: each rank owns one") {
  const Schedule schedule = make_schedule(CollectiveKind::reduce_scatter, Algorithm::hierarchical, {24, 8, 0, 8});
  std::vector<std::int32_t> homes = schedule.home;
  std::sort(homes.begin(), homes.end());
  REQUIRE(homes.size() == 24);
  for (std::int32_t i = 0; i < 24; ++i) CHECK(homes[at(i)] == i);
}

TEST_CASE("in an all-to-all each rank sends each other rank its own part once, and no port has two messages at once") {
  for (const std::int32_t ranks : {1, 2, 3, 7, 8, 64}) {
    const Schedule schedule = make_schedule(CollectiveKind::all_to_all, Algorithm::pairwise, {ranks, 1, 0, 8});
    std::map<std::pair<std::int32_t, std::int32_t>, int> sent;
    for (const Round& round : schedule.rounds) {
      std::vector<int> out(at(ranks), 0), in(at(ranks), 0);
      for (const Transfer& transfer : round.transfers) {
        CHECK(transfer.first_chunk == transfer.to);
        CHECK(transfer.chunk_count == 1);
        ++sent[{transfer.from, transfer.to}];
        CHECK(++out[at(transfer.from)] == 1);
        CHECK(++in[at(transfer.to)] == 1);
      }
    }
    CHECK(sent.size() == at(ranks * (ranks - 1)));
    CHECK(std::all_of(sent.begin(), sent.end(), [](const auto& entry) { return entry.second == 1; }));
  }
}

TEST_CASE("chunks add up to the whole, also when there are fewer bytes than chunks") {
  for (const double total : {0.0, 1.0, 2.0, 5.0, 6.5, 7.0, 8.0, 1e9}) {
    Bytes sum;
    for (std::int32_t i = 0; i < 7; ++i) sum += chunk_bytes(Bytes(total), 7, i);
    CHECK(sum.value() == Approx(total).epsilon(1e-15));
  }
  CHECK(chunk_bytes(Bytes(3.0), 7, 2) == Bytes(1.0));
  CHECK(chunk_bytes(Bytes(3.0), 7, 3) == Bytes(0.0));
}

TEST_CASE("bandwidth-optimal all-reduces send 2(N-1)/N of the bytes per rank") {
  for (const std::int32_t ranks : {1, 2, 4, 8, 16, 32, 64}) {
    for (const Algorithm algorithm : {Algorithm::ring, Algorithm::halving_doubling, Algorithm::hierarchical}) {
      const GroupShape shape{ranks, ranks >= 8 ? 4 : 1, 0, 8};
      const auto sent = bytes_sent(make_schedule(CollectiveKind::all_reduce, algorithm, shape), Bytes(1e6));
      REQUIRE(sent.size() == at(ranks));
      for (const Bytes bytes : sent) CHECK(bytes.value() == Approx(2.0 * (ranks - 1) / ranks * 1e6).epsilon(1e-12));
    }
  }
}

TEST_CASE("a ring of 7 passes on 4 bytes completely: 4 chunks of one byte, 2 x 6 hops each") {
  const auto sent = bytes_sent(make_schedule(CollectiveKind::all_reduce, Algorithm::ring, {7, 1, 0, 8}), Bytes(4.0));
  double sum = 0.0;
  for (const Bytes bytes : sent) sum += bytes.value();
  CHECK(sum == 4.0 * 2.0 * 6.0);
}

TEST_CASE("no rank is inside both trees") {
  for (std::int32_t ranks = 2; ranks <= 64; ++ranks) {
    const Schedule schedule = make_schedule(CollectiveKind::broadcast, Algorithm::double_binary_tree, {ranks, 1, 0, 2});
    std::vector<int> inside(at(ranks), 0);  // bit 0: sends in the first tree; bit 1: in the second
    for (const Round& round : schedule.rounds) {
      for (const Transfer& transfer : round.transfers) inside[at(transfer.from)] |= 1 << transfer.first_chunk;
    }
    for (std::int32_t rank = 1; rank < ranks; ++rank) {
      INFO("ranks " << ranks << " rank " << rank);
      CHECK(inside[at(rank)] != 3);
    }
  }
}

TEST_CASE("messages are counted as they will be sent") {
  const Schedule ring = make_schedule(CollectiveKind::all_reduce, Algorithm::ring, {256, 1, 0, 8});
  CHECK(message_count(ring) == 130560);   // 2 x 255 steps x 256 ranks
  CHECK(message_count(ring, 4) == 2048);  // 2 x 4 x 256
  CHECK(message_count(ring, 1) == 512);   // 2 x 256
  const Schedule server = make_schedule(CollectiveKind::all_reduce, Algorithm::parameter_server, {9, 1, 0, 8});
  CHECK(message_count(server) == 16);  // 8 workers push and pull
  for (const AlgorithmEntry& entry : algorithms()) {
    CHECK(message_count(make_schedule(entry.kinds.front(), entry.algorithm, {1, 1, 0, 8})) == 0);
  }
}

TEST_CASE("hierarchical is a ring when nodes do not matter or do not divide") {
  const std::uint64_t ring = message_count(make_schedule(CollectiveKind::all_reduce, Algorithm::ring, {6, 1, 0, 8}));
  CHECK(message_count(make_schedule(CollectiveKind::all_reduce, Algorithm::hierarchical, {6, 1, 0, 8})) == ring);
  CHECK(message_count(make_schedule(CollectiveKind::all_reduce, Algorithm::hierarchical, {6, 4, 0, 8})) == ring);
  CHECK(message_count(make_schedule(CollectiveKind::all_reduce, Algorithm::hierarchical, {6, 6, 0, 8})) == ring);
  // 2 nodes of 3: inside 2 steps x 6 ranks, between 1 x 6, and both again.
  CHECK(message_count(make_schedule(CollectiveKind::all_reduce, Algorithm::hierarchical, {6, 3, 0, 8})) == 36);
}

TEST_CASE("the table has every algorithm once") {
  CHECK(algorithms().size() == 6);
  for (const AlgorithmEntry& entry : algorithms()) {
    CHECK(std::string(entry.name()) == std::string(name_of(entry.algorithm)));
    CHECK(entry_of(entry.algorithm).make == entry.make);
    CHECK_FALSE(entry.summary.empty());
  }
}

TEST_CASE("a kind that an algorithm does not have is a broken promise") {
  CHECK_THROWS_AS(make_schedule(CollectiveKind::all_to_all, Algorithm::ring, {4, 1, 0, 8}), ContractViolation);
  CHECK_THROWS_AS(make_schedule(CollectiveKind::broadcast, Algorithm::ring, {4, 1, 4, 8}), ContractViolation);
}

}  // namespace orrery
