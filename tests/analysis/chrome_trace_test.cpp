#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/reports/reports.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/random.hpp"
#include "sim/base/text.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using nlohmann::json;

const std::string header =
    "strategy,rank,stream,dimension,phase,layer,microbatch,ready_s,start_s,end_s,bytes,flops,peer\n";

json events_of(const std::string& timeline) {
  return json::parse(chrome_trace(timeline, "timeline.csv")).at("traceEvents");
}

std::vector<json> with_phase(const json& events, const std::string& phase) {
  std::vector<json> some;
  for (const json& event : events) {
    if (event["ph"] == phase) some.push_back(event);
  }
  return some;
}

std::string name_of_track(const json& events, const json& slice) {
  for (const json& event : with_phase(events, "M")) {
    if (event["name"] == "thread_name" && event["pid"] == slice["pid"] && event["tid"] == slice["tid"]) {
      return event["args"]["name"];
    }
  }
  return {};
}

TEST_CASE("a slice in microseconds with its arguments, on the track of its stream in the process of its rank") {
  const json events = events_of(header + "ring,3,compute,none,forward,2,1,0.001,0.001,0.0035,0,2e6,\n");
  const auto slices = with_phase(events, "X");
  REQUIRE(slices.size() == 1);
  CHECK(slices[0]["name"] == "forward");
  CHECK(slices[0]["ts"] == 1000.0);
  CHECK(slices[0]["dur"] == 2500.0);
  CHECK(slices[0]["args"] == json({{"phase", "forward"}, {"layer", "2"}, {"microbatch", "1"}, {"flops", 2e6}}));
  CHECK(name_of_track(events, slices[0]) == "compute");
  const auto names = with_phase(events, "M");
  REQUIRE(names.size() == 3);
  CHECK(names[0]["name"] == "process_name");
  CHECK(names[0]["args"]["name"] == "ring / rank 3");
  CHECK(names[0]["pid"] == slices[0]["pid"]);
}

TEST_CASE("waiting is a slice of its own before the transfer") {
  const json events = events_of(header + "ring,0,collective,dp,gradient_exchange,,,1,2,4,800,0,\n");
  const auto slices = with_phase(events, "X");
  REQUIRE(slices.size() == 2);
  CHECK(slices[0]["name"] == "wait for collective gradient_exchange");
  CHECK(slices[0]["cat"] == "wait");
  CHECK(slices[0]["dur"] == 1e6);
  CHECK(slices[1]["name"] == "collective gradient_exchange");
  CHECK(slices[1]["cat"] == "comm.dp");
  CHECK(slices[1]["ts"] == 2e6);
  CHECK(slices[1]["args"]["bytes"] == 800);
  CHECK(name_of_track(events, slices[1]) == "collective dp");
}

TEST_CASE("a host at work and a loader do not communicate: tracks and categories of their own, no waiting") {
  const json events = events_of(header +
                                "h,0,host,none,forward,,0,0,1,2,0,0,\n"
                                "h,0,receive,dp,input,,0,0,1,2,0,0,\n"
                                "h,0,receive,pp,forward,,0,0,1,2,0,0,1\n");
  const auto slices = with_phase(events, "X");
  std::set<std::array<std::string, 3>> found;
  for (const json& slice : slices) found.insert({name_of_track(events, slice), slice["name"], slice["cat"]});
  CHECK(found == std::set<std::array<std::string, 3>>{{"host", "host forward", "host"},
                                                      {"loader", "load", "input"},
                                                      {"receive pp", "receive forward", "comm.pp"},
                                                      {"receive pp", "wait for receive forward", "wait"}});
}

TEST_CASE("strategies with the same ranks are different processes, overlapping sends get tracks of their own") {
  const json events = events_of(header +
                                "a,0,send,dp,transfer,,0,0,0,4,1,0,1\n"
                                "a,0,send,dp,transfer,,0,0,0,5,1,0,2\n"
                                "a,0,send,dp,transfer,,0,4,4,6,1,0,3\n"
                                "b,0,send,dp,transfer,,0,0,0,4,1,0,1\n");
  const auto slices = with_phase(events, "X");
  REQUIRE(slices.size() == 4);
  std::map<std::string, int> tracks;
  std::set<int> processes;
  for (const json& slice : slices) {
    ++tracks[std::to_string(slice["pid"].get<int>()) + " " + name_of_track(events, slice)];
    processes.insert(slice["pid"].get<int>());
  }
  CHECK(processes.size() == 2);
  CHECK(tracks["1 send dp"] == 2);
  CHECK(tracks["1 send dp 2"] == 1);
  CHECK(tracks["2 send dp"] == 1);
}

TEST_CASE("arrows lead from a send to its receive, in order for each pair, dimension and microbatch") {
  const json events = events_of(header +
                                "p,0,send,pp,forward,,0,1,1,2,10,0,1\n"
                                "p,1,receive,pp,forward,,0,0,1,2,0,0,0\n"
                                "p,0,send,pp,forward,,1,3,3,4,10,0,1\n"
                                "p,1,receive,pp,forward,,1,2,3,4,0,0,0\n"
                                "p,1,send,pp,backward,,1,5,5,6,10,0,0\n");  // its receive is not recorded
  const auto starts = with_phase(events, "s"), ends = with_phase(events, "f");
  REQUIRE(starts.size() == 2);
  REQUIRE(ends.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(starts[i]["id"] == ends[i]["id"]);
    CHECK(ends[i]["bp"] == "e");
    CHECK(starts[i]["ts"] == ends[i]["ts"]);
    CHECK(starts[i]["pid"] != ends[i]["pid"]);
  }
  CHECK(starts[0]["ts"] == 1e6);
  CHECK(starts[1]["ts"] == 3e6);
}

std::string random_timeline(Random& random) {
  std::string text = header;
  const std::vector<std::string> streams = {"compute", "send", "receive", "collective"};
  for (int i = 0; i < 200; ++i) {
    std::array<double, 3> times{};
    for (double& time : times)
      time = random.below(2) == 0 ? random.uniform() : static_cast<double>(random.below(5)) / 7;
    std::sort(times.begin(), times.end());
    text += csv_line({"s" + std::to_string(random.below(2)), std::to_string(random.below(3)), streams[random.below(4)],
                      "dp", "transfer", "", std::to_string(random.below(3)), number_text(times[0]),
                      number_text(times[1]), number_text(times[2]), "1", "0", std::to_string(random.below(3))});
  }
  return text;
}

TEST_CASE("on random timelines times never go back, and slices of a track never overlap, to the nanosecond") {
  Random random(3);
  for (int trial = 0; trial < 20; ++trial) {
    const json events = events_of(random_timeline(random));
    std::map<std::pair<int, int>, double> ended;
    double last = 0;
    std::size_t slices = 0;
    for (const json& event : events) {
      if (event["ph"] == "M") continue;
      REQUIRE(event["ts"].get<double>() >= last);
      last = event["ts"].get<double>();
      if (event["ph"] != "X") continue;
      ++slices;
      double& end = ended[{event["pid"].get<int>(), event["tid"].get<int>()}];
      const auto begin_ns = std::llround(event["ts"].get<double>() * 1000);
      REQUIRE(static_cast<double>(begin_ns) >= end);
      end = static_cast<double>(begin_ns + std::llround(event["dur"].get<double>() * 1000));
    }
    REQUIRE(slices >= 200);
    REQUIRE(with_phase(events, "s").size() == with_phase(events, "f").size());
  }
}

TEST_CASE("the timeline that a run writes is one that a trace is made from") {
  const Scenario scenario = hand_scenario({StrategyKind::data, StrategyKind::federated});
  const std::vector<Way> ways = {two_device_step(), three_client_round()};
  const json events = events_of(timeline_csv(result_rows(scenario, ways)));
  // Rank 0 waits once for the all-reduce; three clients have three activities each, the server one.
  CHECK(with_phase(events, "X").size() == 8 + 1 + 10);
  CHECK(name_of_track(events, with_phase(events, "X").back()) == "compute");
}

TEST_CASE("a timeline with defects is refused with all of them") {
  const std::string text = header +
                           "a,0,compute,none,forward,,,2,1,3,0,0,\n"
                           "a,x,compute,none,forward,,,0,0,1,0,0,\n";
  try {
    chrome_trace(text, "timeline.csv");
    FAIL("accepted");
  } catch (const InvalidInput& error) {
    REQUIRE(error.problems().size() == 2);
    CHECK(error.problems()[0].what == "times out of order");
    CHECK(error.problems()[0].at.line == 2);
    CHECK(error.problems()[1].at.line == 3);
  }
}

}  // namespace
}  // namespace orrery
