// What `explain` says of a layout beside its prices.
#include <string>

#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using namespace orrery::testing;

namespace {

std::string explained(const std::string& keys) {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("layout.toml", R"([workload]
network = "llama3-8b"
batch = 48
[cluster]
system = "dgx-h100"
nodes = 2
[[strategy]]
name = "a"
kind = "hybrid"
)" + keys);
  const orrery::ChildResult result = call_orrery({"explain", scenario});
  CHECK(result.exit_code == 0);
  return result.output;
}

}  // namespace

TEST_CASE("explain says what a run has and the closed form has not") {
  const std::string slow = "the closed form leaves straggler and jitter out";
  const std::string partly = "the last node holds 4 ranks, the others 8";
  const std::string whole = explained("dp = 16");
  CHECK(whole.find(slow) == std::string::npos);
  CHECK(whole.find("the last node") == std::string::npos);
  CHECK(explained("dp = 8").find("the last node") == std::string::npos);
  CHECK(explained("dp = 16\njitter = 0.1").find(slow) != std::string::npos);
  CHECK(explained("dp = 12").find(partly) != std::string::npos);
}
