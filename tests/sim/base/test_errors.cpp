#include <string>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/ids.hpp"
#include "sim/base/units.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

Problem at(const std::string& file, int line, int column, const std::string& what) {
  Problem problem;
  problem.at = {file, line, column};
  problem.what = what;
  return problem;
}

std::string thrown_text(const Problems& problems) {
  try {
    problems.throw_if_any();
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("a problem is told with its position, key, reason, suggestion, line and caret") {
  const Problem problem{{"s.toml", 3, 9},     "cluster.nodes", "0 is out of range",
                        "must be at least 1", "write 1",       "nodes = 0"};
  CHECK(to_text(problem) ==
        "s.toml:3:9: cluster.nodes: 0 is out of range (must be at least 1) - write 1\n"
        "  nodes = 0\n"
        "          ^");
}

TEST_CASE("what is not known of a problem is left out of its text") {
  CHECK(to_text(at("s.toml", 0, 0, "cannot be read")) == "s.toml: cannot be read");
  CHECK(to_text(at("s.csv", 4, 0, "row has 2 cells")) == "s.csv:4: row has 2 cells");
  CHECK(to_text(at("", 0, 0, "no position")) == "no position");
}

TEST_CASE("the caret stands under its character after tabs and letters of several bytes") {
  Problem problem = at("s.toml", 1, 6, "wrong");
  problem.source_line = "\tké = 1";
  CHECK(to_text(problem) == "s.toml:1:6: wrong\n  \tké = 1\n  \t    ^");
}

TEST_CASE("of a long line the neighbourhood of the caret is shown") {
  Problem problem = at("s.toml", 1, 201, "wrong");
  problem.source_line = std::string(200, 'a') + "é" + std::string(200, 'b');
  CHECK(to_text(problem) == "s.toml:1:201: wrong\n  ..." + std::string(60, 'a') + "é" + std::string(59, 'b') +
                                "...\n  " + std::string(63, ' ') + "^");
}

TEST_CASE("all problems are thrown together, in the order of the file, each once") {
  Problems problems;
  CHECK(problems.empty());
  CHECK(thrown_text(problems) == "nothing was thrown");
  problems.add(at("b.toml", 1, 1, "fourth"));
  problems.add(at("a.toml", 10, 1, "third"));
  problems.add(at("a.toml", 9, 7, "second"));
  problems.add(at("a.toml", 9, 2, "first"));
  problems.add(at("a.toml", 9, 7, "second"));
  CHECK(thrown_text(problems) == "a.toml:9:2: first\na.toml:9:7: second\na.toml:10:1: third\nb.toml:1:1: fourth");
}

TEST_CASE("a broken promise names its condition and its place") {
  std::string message;
  try {
    ORRERY_EXPECT(1 + 1 == 3);
  } catch (const ContractViolation& violation) {
    message = violation.what();
  }
  CHECK(message.find("test_errors.cpp:") != std::string::npos);
  CHECK(message.find(": broken promise: 1 + 1 == 3") != std::string::npos);
}

TEST_CASE("an id is invalid until it is given a value") {
  CHECK_FALSE(RankId().valid());
  CHECK(RankId(0).valid());
  CHECK(RankId(3).index() == 3);
  CHECK(RankId(3) < RankId(4));
  CHECK(RankId() < RankId(0));
}

TEST_CASE("quantities combine as their units do") {
  CHECK((Bytes(1e9) / BytesPerSecond(5e8)).value() == 2.0);
  CHECK((BytesPerSecond(5e8) * Seconds(2.0)).value() == 1e9);
  CHECK((Flops(6e12) / FlopsPerSecond(3e12)).value() == 2.0);
  CHECK((Watts(250.0) * Seconds(4.0)).value() == 1000.0);
  CHECK(Seconds(3.0) / Seconds(2.0) == 1.5);
  CHECK(Seconds(1.0) + Seconds(2.0) * 2.0 - Seconds(1.0) == Seconds(4.0));
  CHECK(-Joules(2.0) < Joules(0.0));
}

}  // namespace orrery
