// FedScale's schemas: what the example files say, and every defect with its place, as whole texts.
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/catch.hpp"
#include "tests/sim/base/scratch_folder.hpp"
#include "topologies/availability.hpp"

namespace orrery {
namespace {

std::string errors(const std::string& text, const std::function<void(const std::string&, Problems&)>& read) {
  const ScratchFolder folder;
  const std::string path = (folder.path() / "trace.csv").string();
  std::ofstream(path) << text;
  Problems problems;
  read(path, problems);
  std::string all;
  for (Problem problem : problems.all()) {
    problem.at.file = std::filesystem::path(problem.at.file).filename().string();
    problem.source_line.clear();
    all += to_text(problem) + "\n";
  }
  return all;
}

std::string behaviour_errors(const std::string& rows) {
  return errors("client,finish_time,active,inactive\n" + rows, [](const std::string& path, Problems& problems) {
    static_cast<void>(read_behaviour_traces(path, problems));
  });
}

std::string capacity_errors(const std::string& rows) {
  return errors("client,computation,communication\n" + rows, [](const std::string& path, Problems& problems) {
    static_cast<void>(read_capacity_traces(path, problems));
  });
}

}  // namespace

TEST_CASE("the example behaviour file reads as it says") {
  Problems problems;
  const auto traces = read_behaviour_traces(ORRERY_TEST_DIR "/topologies/traces/behaviour.csv", problems);
  REQUIRE(problems.empty());
  REQUIRE(traces.size() == 2);
  CHECK(traces[0].period.value() == 172800);
  CHECK(traces[0].active == std::vector<Seconds>{Seconds(0), Seconds(79200), Seconds(165600)});
  CHECK(traces[0].inactive == std::vector<Seconds>{Seconds(25200), Seconds(111600), Seconds(172800)});
  CHECK(traces[1].active == std::vector<Seconds>{Seconds(3600)});
}

TEST_CASE("the example capacity file reads in SI units") {
  Problems problems;
  const auto traces = read_capacity_traces(ORRERY_TEST_DIR "/topologies/traces/capacity.csv", problems);
  REQUIRE(problems.empty());
  REQUIRE(traces.size() == 2);
  CHECK(traces[0].per_sample.value() == Approx(0.005));
  CHECK(traces[0].rate.value() == 1e6);  // 8000 kbit/s
  CHECK(traces[1].per_sample.value() == Approx(0.0125));
  CHECK(traces[1].rate.value() == 80e3);
}

TEST_CASE("a defect of a behaviour row is told with line, column and advice") {
  CHECK(behaviour_errors("1,600,0,100\n").empty());
  CHECK(behaviour_errors("1,600,0 200,100\n") ==
        "trace.csv:2:13: inactive: 1 instants beside 2 in active (every time online has a begin and an end)\n");
  CHECK(
      behaviour_errors("1,600,0 100,150 200\n") ==
      "trace.csv:2:7: active: 100 is not after 150 (begins and ends alternate: the client is online still) - join the "
      "two times online\n");
  CHECK(
      behaviour_errors("1,600,100,50\n") ==
      "trace.csv:2:11: inactive: 50 is not after 100 (begins and ends alternate: a time online ends after it began)\n");
  CHECK(behaviour_errors("1,600,100,700\n") ==
        "trace.csv:2:11: inactive: 700 is beyond the end of the period, 600 (finish_time is where the behaviour starts "
        "again) - cut the last time online there\n");
  CHECK(behaviour_errors("1,600,-5,100\n") == "trace.csv:2:7: active: -5 is negative (a period begins at 0)\n");
  CHECK(behaviour_errors("1,600,0 noon,100 200\n") ==
        "trace.csv:2:7: active: \"noon\" is not a number (seconds separated by blanks are wanted)\n");
  CHECK(behaviour_errors("1,0,0,100\n") == "trace.csv:2:3: finish_time: 0 is not above 0\n");
  CHECK(behaviour_errors("1,,0,100\n") == "trace.csv:2:3: finish_time: cell is empty (required)\n");
  CHECK(behaviour_errors("1,600,,100\n") == "trace.csv:2:7: active: cell is empty (required)\n");
  CHECK(behaviour_errors("1,600,0,100\n1,600,0,100\n") ==
        "trace.csv:3:1: client: \"1\" is given twice (first in line 2) - give every client one row\n");
  CHECK(behaviour_errors("") == "trace.csv: no clients (a header without rows)\n");
}

TEST_CASE("a defect of a capacity row is told: nobody needs no time") {
  CHECK(capacity_errors("1,5,100\n").empty());
  CHECK(capacity_errors("1,0,100\n") == "trace.csv:2:3: computation: 0 is not above 0\n");
  CHECK(capacity_errors("1,,100\n") == "trace.csv:2:3: computation: cell is empty (required)\n");
  CHECK(capacity_errors("1,5,\n") == "trace.csv:2:5: communication: cell is empty (required)\n");
  CHECK(capacity_errors("1,5,-1\n") == "trace.csv:2:5: communication: -1 is not above 0\n");
  CHECK(capacity_errors("1,5,x\n2,x,5\n") ==
        "trace.csv:2:5: communication: \"x\" is not a number (a finite decimal number is wanted, such as 1.5e9)\n"
        "trace.csv:3:3: computation: \"x\" is not a number (a finite decimal number is wanted, such as 1.5e9)\n");
}

TEST_CASE("a trace without its columns, or without a file, is one problem each") {
  const auto read = [](const std::string& path, Problems& problems) {
    static_cast<void>(read_capacity_traces(path, problems));
  };
  CHECK(errors("client,computation\n1,5\n", read) == "trace.csv:1: column \"communication\" is missing (required)\n");
  Problems problems;
  CHECK(read_behaviour_traces("no-such-file.csv", problems).empty());
  REQUIRE(problems.all().size() == 1);
  CHECK(to_text(problems.all().front()) == "no-such-file.csv: cannot be read (No such file or directory)");
}

}  // namespace orrery
