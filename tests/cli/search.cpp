// `orrery search`: what it prints and writes, the same for any number of threads, and its exit codes.
#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::read_file;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;

namespace {

const std::string scenario =
    "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 32\nprecision = \"fp16\"\noptimizer = \"adam\"\n"
    "framework = \"megatron-2021\"\n[cluster]\nsystem = \"dgx-a100\"\nnodes = 1\n[[strategy]]\nname = \"base\"\n"
    "kind = \"hybrid\"\n[search]\npp = [1, 2]\nrecompute = [\"none\"]\ntop = 1\n";

}  // namespace

TEST_CASE("a search tells what is best, simulates it, and gives the same for any number of threads") {
  const TemporaryFolder folder;
  const std::string file = folder.write("scenario.toml", scenario);
  const ChildResult one = call_orrery({"search", file, "-o", folder.file("out"), "--threads", "1"});
  INFO(one.errors);
  REQUIRE(one.exit_code == 0);
  CHECK(one.output.find("layouts judged") != std::string::npos);
  CHECK(one.output.find("Pareto front") != std::string::npos);
  const std::string csv = read_file(folder.file("out/search.csv"));
  CHECK(csv.starts_with("rank,pareto,layout,dp,tp,pp,cp,ep,zero_stage,"));
  CHECK(csv.find("\n1,true,tp") != std::string::npos);
  CHECK(csv.find(",ok,") != std::string::npos);
  CHECK(call_orrery({"search", file, "--threads", "3"}).output == one.output);
}

TEST_CASE("keys of the base strategy that do not go with every layout stop none of the others") {
  const TemporaryFolder folder;
  const std::string start = scenario.substr(0, scenario.find("[search]"));
  const std::string sharded = start + "zero_stage = 3\nzero_group = 4\n" + "[search]\ntp = [2]\npp = [1]\n" +
                              "zero_stage = [0]\nrecompute = [\"none\"]\ntop = 1\n";
  const ChildResult replicated = call_orrery({"search", folder.write("sharded.toml", sharded)});
  INFO(replicated.errors);
  CHECK(replicated.exit_code == 0);
  CHECK(replicated.output.find("1*   ") != std::string::npos);

  const std::string slow = start + "straggler = { rank = 7, factor = 1.5 }\n[search]\ndp = [1, 4]\ntp = [1, 2]\n" +
                           "pp = [1]\nmicrobatch = [1]\nzero_stage = [0]\nrecompute = [\"none\"]\ntop = 4\n";
  const std::string file = folder.write("slow.toml", slow);
  const ChildResult some = call_orrery({"search", file, "-o", folder.file("out")});
  INFO(some.errors);
  CHECK(some.exit_code == 0);
  CHECK(some.output.find("tp1 pp1 dp1 b1 is not simulated: ") != std::string::npos);
  const std::string csv = read_file(folder.file("out/search.csv"));
  CHECK(csv.find(",invalid,") != std::string::npos);
  CHECK(csv.find(",ok,") != std::string::npos);
}

TEST_CASE("a search that finds nothing says what comes nearest, with exit code 4") {
  const TemporaryFolder folder;
  const std::string file = folder.write("scenario.toml", scenario);
  const ChildResult result = call_orrery({"search", file, "--limit", "memory_GiB=0.5"});
  CHECK(result.exit_code == 4);
  CHECK(result.errors.starts_with("orrery: no layout is feasible; nearest to it is "));
  CHECK(result.output.find("over the limit: memory N of N GiB") != std::string::npos);
}

TEST_CASE("a search by what nobody knows is refused") {
  const TemporaryFolder folder;
  const std::string file = folder.write("scenario.toml", scenario);
  const ChildResult cost = call_orrery({"search", file, "--limit", "cost=5"});
  CHECK(cost.exit_code == 2);
  CHECK(cost.errors.find("nothing says what a device costs - add cost.price_per_device_hour") != std::string::npos);
  CHECK(call_orrery({"search", file, "--limit", "cost=5", "--set", "cost.price_per_device_hour=2", "--set",
                     "cost.currency=\"EUR\""})
            .exit_code == 0);
  const ChildResult threads = call_orrery({"search", file, "--threads", "0"});
  CHECK(threads.exit_code == 2);
  CHECK(threads.errors.find("--threads 0 must be at least 1") != std::string::npos);
}
