// What the ranks recorded, put together.
#include "scenarios/measure/rank_records.hpp"
#include "tests/catch.hpp"

using namespace orrery;

namespace {

Activity activity(std::size_t rank, Stream stream, double ready, double end) {
  Activity made;
  made.rank = RankId(rank);
  made.stream = stream;
  made.ready = made.start = Seconds(ready);
  made.end = Seconds(end);
  return made;
}

Activity message(std::size_t rank, std::size_t peer, Stream stream, double ready, double end) {
  Activity made = activity(rank, stream, ready, end);
  made.peer = RankId(peer);
  made.phase = Phase::forward;
  made.microbatch = 2;
  return made;
}

}  // namespace

TEST_CASE("a collective starts when its last member is ready") {
  const Records records = join_ranks({{activity(0, Stream::collective, 1, 5), activity(0, Stream::collective, 5, 7)},
                                      {activity(1, Stream::collective, 3, 5), activity(1, Stream::collective, 6, 7)}});
  REQUIRE(records.activities.size() == 4);
  CHECK(records.activities[0].start == Seconds(3));
  CHECK(records.activities[1].start == Seconds(6));
  CHECK(records.activities[2].start == Seconds(3));
  CHECK(records.activities[3].start == Seconds(6));
  CHECK(records.activities[0].ready == Seconds(1));
  CHECK(records.makespan == Seconds(7));
  CHECK(records.ranks == 2);
}

TEST_CASE("a reception starts when sender and receiver are ready, and never after its end") {
  const Records records = join_ranks({{message(0, 1, Stream::send, 4, 6)}, {message(1, 0, Stream::receive, 0, 6)}});
  CHECK(records.activities[1].start == Seconds(4));
  CHECK(records.activities[1].ready == Seconds(0));
  // Clocks of two hosts differ a little.
  const Records early = join_ranks({{message(0, 1, Stream::send, 4, 6)}, {message(1, 0, Stream::receive, 0, 3)}});
  CHECK(early.activities[1].start == Seconds(3));
}

TEST_CASE("bytes are put on every link of their route") {
  Platform platform;
  const auto link = [&](const std::string& name) {
    return platform.add_link({name, BytesPerSecond(giga), Seconds(0), LinkScope::inter_node});
  };
  platform.zones.push_back({"network", {}, {}});
  for (int host = 0; host < 2; ++host) {
    const LinkId up = link("up" + std::to_string(host)), down = link("down" + std::to_string(host));
    platform.hosts.push_back({"host" + std::to_string(host), host, std::nullopt, Port{0, {up}, {down}}});
  }
  const auto used = links_used(platform, {DeviceId(1), DeviceId(0)}, {{Bytes(0), Bytes(10)}, {Bytes(3), Bytes(0)}});
  REQUIRE(used.size() == 4);
  CHECK(used[0].bytes == Bytes(3));   // up0: rank 1 stands on host 0
  CHECK(used[1].bytes == Bytes(10));  // down0
  CHECK(used[2].bytes == Bytes(10));  // up1
  CHECK(used[3].bytes == Bytes(3));   // down1
}
