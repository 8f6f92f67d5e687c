#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/base/process.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

ChildResult shell(const std::string& script, const std::function<bool(const std::string&)>& on_line = {}) {
  return run_child({"/bin/sh", "-c", script}, on_line);
}

}  // namespace

TEST_CASE("a child's output, errors and exit code come back") {
  const ChildResult result = shell("echo out; echo err >&2; exit 7");
  CHECK(result.output == "out\n");
  CHECK(result.errors == "err\n");
  CHECK(result.exit_code == 7);
  CHECK(result.signal == 0);
}

TEST_CASE("arguments arrive as they are") {
  const ChildResult result = run_child({"/bin/sh", "-c", "printf '%s|' \"$@\"", "sh", "a b", "$HOME", "", "'"});
  CHECK(result.output == "a b|$HOME||'|");
}

TEST_CASE("lines that the listener takes are kept out of the output") {
  std::vector<std::string> seen;
  const ChildResult result =
      shell("echo keep; echo progress 1; echo progress 2; printf last", [&](const std::string& line) {
        seen.push_back(line);
        return line.rfind("progress", 0) == 0;
      });
  CHECK(seen == std::vector<std::string>{"keep", "progress 1", "progress 2"});
  CHECK(result.output == "keep\nlast");
}

TEST_CASE("a child that fills both pipes is read to the end") {
  const ChildResult result = shell(
      "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123; "
      "echo 0123456789012345678901234567890123456789012345678901234567890123 >&2; i=$((i+1)); done");
  CHECK(result.output.size() == std::size_t{3000} * 65);
  CHECK(result.errors.size() == std::size_t{3000} * 65);
}

TEST_CASE("the signal that ended a child is told") {
  const ChildResult result = shell("kill -ABRT $$");
  CHECK(result.signal == SIGABRT);
}

TEST_CASE("a program that is not there is an error with its name") {
  std::string message;
  try {
    run_child({"/no/such/program"});
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  CHECK(message == "cannot start /no/such/program: No such file or directory");
}

TEST_CASE("a child is ended and waited for when the listener throws") {
  // It would sleep for a minute: that the test ends at once shows that it was ended.
  const auto throwing = [](const std::string&) -> bool { throw std::runtime_error("enough"); };
  CHECK_THROWS_AS(shell("echo line; exec sleep 60", throwing), std::runtime_error);
}

}  // namespace orrery
