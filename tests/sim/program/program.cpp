#include "sim/program/program.hpp"

#include <limits>
#include <string>
#include <vector>

#include "sim/program/records.hpp"
#include "tests/catch.hpp"

namespace orrery {

namespace {

Op compute(std::size_t rank, std::vector<OpId> after = {}) {
  return {RankId(rank),
          Stream::compute,
          Dimension::none,
          Phase::forward,
          {},
          -1,
          std::move(after),
          Compute{Seconds(1.0), Flops(2.0)}};
}

Op send(std::size_t rank, std::size_t to, std::vector<OpId> after = {}) {
  return {RankId(rank),
          Stream::send,
          Dimension::pp,
          Phase::forward,
          {},
          0,
          std::move(after),
          Send{RankId(to), Bytes(8.0), 5}};
}

Op receive(std::size_t rank, std::size_t from, std::vector<OpId> after = {}) {
  return {RankId(rank),     Stream::receive,         Dimension::pp, Phase::forward, {}, 0,
          std::move(after), Receive{RankId(from), 5}};
}

Op call(std::size_t rank, CollectiveId collective, std::vector<OpId> after = {}) {
  return {RankId(rank),     Stream::collective,        Dimension::dp, Phase::gradient_exchange, LayerId(7), -1,
          std::move(after), CollectiveCall{collective}};
}

CollectiveId add_collective(Program& program, const std::vector<std::size_t>& ranks) {
  std::vector<RankId> members;
  for (const std::size_t rank : ranks) members.emplace_back(rank);
  const GroupId group = program.add_group(members);
  return program.add_collective({CollectiveKind::all_reduce, Algorithm::ring, group, Bytes(100.0), 0});
}

using Reasons = std::vector<std::string>;

}  // namespace

TEST_CASE("a program that can run has nothing against it") {
  Program program(2);
  const CollectiveId sum = add_collective(program, {0, 1});
  const OpId first = program.add(compute(0));
  program.add(send(0, 1, {first}));
  const OpId arrived = program.add(receive(1, 0));
  const OpId second = program.add(compute(1, {arrived}));
  program.add(call(0, sum, {first}));
  program.add(call(1, sum, {second}));
  CHECK(check(program) == Reasons{});
}

TEST_CASE("operations and programs are described in the words of the field") {
  Program program(4);
  const CollectiveId sum = add_collective(program, {0, 3});
  program.add(compute(0));
  Op op = call(3, sum, {OpId(0)});
  op.microbatch = 1;
  program.add(op);
  program.add(send(1, 2));
  CHECK(describe(program, OpId(0)) == "op 0 (rank 0, forward, compute)");
  CHECK(describe(program, OpId(1)) == "op 1 (rank 3, gradient_exchange, layer 7, microbatch 1, all_reduce)");
  CHECK(describe(program, OpId(9)) == "op 9");
  CHECK(dump(program) ==
        "0 rank 0 forward compute 1 s 2 FLOP\n"
        "1 rank 3 gradient_exchange layer 7 microbatch 1 dp all_reduce ring collective 0 group 0 100 B after 0\n"
        "2 rank 1 forward microbatch 0 pp send to 2 8 B tag 5\n");
}

TEST_CASE("ids that lead nowhere are named with their operation") {
  Program program(2);
  program.add(compute(2));
  program.add(compute(0, {OpId(9)}));
  program.add(call(0, CollectiveId(3)));
  program.add(call(1, CollectiveId()));
  CHECK(check(program) ==
        Reasons{"op 0 (rank 2, forward, compute): its rank is not one of the 2 ranks",
                "op 1 (rank 0, forward, compute): it waits for an operation that does not exist (op 9)",
                "op 2 (rank 0, gradient_exchange, layer 7, collective 3): there is no such collective, or its group "
                "does not exist",
                "op 3 (rank 1, gradient_exchange, layer 7, collective none): there is no such collective, or its group "
                "does not exist"});
}

TEST_CASE("messages without their other side are named") {
  Program program(3);
  program.add(send(0, 1));
  program.add(receive(2, 1));
  CHECK(check(program) == Reasons{"op 0 (rank 0, forward, microbatch 0, send to 1): no Receive takes this message",
                                  "op 1 (rank 2, forward, microbatch 0, receive from 1): no Send makes this message"});
}

TEST_CASE("of two sends with one tag and one receive, the second send is left over") {
  Program program(2);
  program.add(send(0, 1));
  program.add(send(0, 1));
  program.add(receive(1, 0));
  CHECK(check(program) == Reasons{"op 1 (rank 0, forward, microbatch 0, send to 1): no Receive takes this message"});
}

TEST_CASE("a rank does not send to itself or to nobody") {
  Program program(2);
  program.add(send(0, 0));
  program.add(receive(0, 0));
  program.add(send(1, 5));
  CHECK(check(program) ==
        Reasons{"op 0 (rank 0, forward, microbatch 0, send to 0): a rank does not send to itself",
                "op 1 (rank 0, forward, microbatch 0, receive from 0): a rank does not send to itself",
                "op 2 (rank 1, forward, microbatch 0, send to 5): its peer is not one of the 2 ranks",
                "op 2 (rank 1, forward, microbatch 0, send to 5): no Receive takes this message"});
}

TEST_CASE("collectives need all of their members, once each, and nobody else") {
  Program program(4);
  const CollectiveId sum = add_collective(program, {0, 1, 2});
  program.add(call(0, sum));
  program.add(call(0, sum));
  program.add(call(3, sum));
  program.add(call(1, sum));
  const Reasons reasons = check(program);
  CHECK(reasons[0] == "op 1 (rank 0, gradient_exchange, layer 7, all_reduce): its rank calls this collective twice");
  CHECK(reasons[1] == "op 2 (rank 3, gradient_exchange, layer 7, all_reduce): its rank is not a member of group 0");
  CHECK(reasons[2] == "collective 0 (all_reduce): rank 2 of its group never calls it");
}

TEST_CASE("groups and collectives themselves are checked") {
  Program program(2);
  program.add_group({});
  program.add_group({RankId(0), RankId(5), RankId(0)});
  program.add_collective({CollectiveKind::broadcast, Algorithm::ring, GroupId(7), Bytes(1.0), 0});
  program.add_collective({CollectiveKind::broadcast, Algorithm::ring, GroupId(0), Bytes(-1.0), 0});
  CHECK(check(program) == Reasons{"group 0: it has no members", "group 1: a member is not one of the 2 ranks",
                                  "group 1: a rank is a member twice",
                                  "collective 0 (broadcast): its group does not exist",
                                  "collective 1 (broadcast): its bytes are not a size of 0 or more",
                                  "collective 1 (broadcast): its root 0 is not an index of its group of 0"});
}

TEST_CASE("amounts below zero or without a value are refused") {
  Program program(2);
  Op op = compute(0);
  op.action = Compute{Seconds(-1.0), Flops(std::numeric_limits<double>::quiet_NaN())};
  program.add(op);
  Op message = send(0, 1);
  message.action = Send{RankId(1), Bytes(-3.0), 5};
  program.add(message);
  program.add(receive(1, 0));
  CHECK(check(program) ==
        Reasons{"op 0 (rank 0, forward, compute): its duration is not a time of 0 or more",
                "op 0 (rank 0, forward, compute): its FLOPs are not a count of 0 or more",
                "op 1 (rank 0, forward, microbatch 0, send to 1): its bytes are not a size of 0 or more"});
}

TEST_CASE("a cycle through dependencies is told as a story") {
  Program program(1);
  program.add(compute(0, {OpId(1)}));
  program.add(compute(0));
  CHECK(check(program) == Reasons{"op 0 (rank 0, forward, compute): it waits for itself: op 0 (rank 0, forward, "
                                  "compute) before op 1 (rank 0, forward, compute) before op 0 (rank 0, forward, "
                                  "compute)"});
}

TEST_CASE("a cycle through messages is found: both ranks receive before they send") {
  Program program(2);
  const OpId a = program.add(receive(0, 1));
  program.add(send(0, 1, {a}));
  const OpId b = program.add(receive(1, 0));
  program.add(send(1, 0, {b}));
  const Reasons reasons = check(program);
  REQUIRE(reasons.size() == 1);
  CHECK(reasons[0].find("op 0 (rank 0, forward, microbatch 0, receive from 1): it waits for itself: op 0") == 0);
  CHECK(reasons[0].find("op 3 (rank 1, forward, microbatch 0, send to 0) before op 0") != std::string::npos);
}

TEST_CASE("a cycle through collectives is found: two ranks call two collectives in opposite order") {
  Program program(2);
  const CollectiveId first = add_collective(program, {0, 1});
  const CollectiveId second = add_collective(program, {0, 1});
  program.add(call(0, first));
  program.add(call(0, second));
  program.add(call(1, second));
  program.add(call(1, first));
  const Reasons reasons = check(program);
  REQUIRE(reasons.size() == 1);
  CHECK(reasons[0].find("it waits for itself") != std::string::npos);
}

TEST_CASE("records are dumped one line per activity") {
  Records records;
  Activity activity;
  activity.rank = RankId(2);
  activity.phase = Phase::backward;
  activity.layer = LayerId(4);
  activity.ready = Seconds(0.5);
  activity.start = Seconds(1.0);
  activity.end = Seconds(1.25);
  activity.flops = Flops(3.0);
  records.activities.push_back(activity);
  CHECK(dump(records) == "0 rank 2 compute backward layer 4 ready 0.5 start 1 end 1.25 bytes 0 flops 3\n");
}

}  // namespace orrery
