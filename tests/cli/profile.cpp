// `orrery profile`: what it writes, and what it says of it.
#include <filesystem>

#include "models/cost/step_profile.hpp"
#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::read_file;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;

namespace {

const std::string trace = std::string(ORRERY_TEST_DIR) + "/models/cost/traces/lenet5-without-kineto.json";

TEST_CASE("a recorded profile comes with a report, and with fits when asked for") {
  const TemporaryFolder folder;
  const std::string profile = folder.file("p.csv"), fits = folder.file("f.csv");
  const ChildResult result = call_orrery({"profile", "2nn", "--batch", "1,2,4", "--threads", "1,2", "--repeats", "2",
                                          "--warm-up", "1", "-o", profile, "--fits", fits});
  CHECK(result.exit_code == 0);
  CHECK(result.output.empty());
  CHECK(result.errors.find("left out, and foretold from the other batches: median of |error| ") == 0);
  CHECK(result.errors.find("\nthreads from one: median of |error| ") != std::string::npos);
  CHECK(result.errors.find("\na kind of layer, of any size: seconds = overhead + work / rate\n") != std::string::npos);
  CHECK(read_file(fits).find("kind,pass,threads,work,overhead_s,") == 0);
  CHECK(read_file(fits).find("\ndense,forward,1,FLOP,") != std::string::npos);
  orrery::Problems problems;
  CHECK(orrery::read_step_profile(profile, problems).rows.size() == 6 * (7 + 6 + 3));
  CHECK(problems.empty());
  const ChildResult again = call_orrery({"profile", "2nn", "-o", folder.file("q.csv"), "--fits", fits});
  CHECK(again.exit_code == 2);
  CHECK(again.errors == "orrery profile: " + fits + " exists - choose another --fits or add --force\n");
}

TEST_CASE("a profile that cannot be replayed is told once, with its place, before anything is simulated") {
  const TemporaryFolder folder;
  std::string text = read_file(std::string(ORRERY_TEST_DIR) + "/../models/profiles/2nn.csv");
  text.replace(text.rfind('\n', text.size() - 2) + 1, std::string::npos, "2nn,loss,backward,256,1,abc,1,1,0,0\n");
  const std::string profile = folder.write("bad.csv", text);
  const ChildResult result =
      call_orrery({"run",
                   folder.write("p.toml",
                                "[workload]\nnetwork = \"2nn\"\nbatch = 8\nprofile = \"bad.csv\"\n"
                                "profile_host = \"xeon-8380\"\n[cluster]\ndevice = \"a100-sxm-80\"\n"
                                "devices_per_node = 2\nnode_link = \"nvlink3\"\n"
                                "[[strategy]]\nname = \"a\"\nkind = \"single\"\n"
                                "[[strategy]]\nname = \"b\"\nkind = \"data\"\n"),
                   "-o", folder.file("out")});
  CHECK(result.exit_code == 3);
  CHECK(result.output.empty());
  INFO(result.errors);
  CHECK(result.errors.starts_with(profile + ":"));
  CHECK(result.errors.find(": seconds: \"abc\" is not a number") != std::string::npos);
  CHECK(result.errors.find("abc") == result.errors.rfind("\"abc\"") + 1);
  CHECK_FALSE(std::filesystem::exists(folder.file("out")));
}

TEST_CASE("a network that the machine cannot hold is refused with its size") {
  const ChildResult result = call_orrery({"profile", "llama3-405b", "--batch", "1"});
  CHECK(result.exit_code == 4);
  CHECK(result.output.empty());
  CHECK(result.errors.starts_with("orrery: llama3-405b cannot be executed here: its 40585"));
  CHECK(result.errors.find(" parameters take 1.48 TiB in fp32, their gradients 1.48 TiB (this machine has ") !=
        std::string::npos);
  CHECK(result.errors.ends_with(
      " - profile a smaller network; compute = \"operators\" and kind = \"hybrid\" need no profile\n"));
}

TEST_CASE("a PyTorch trace is imported as a profile that reads back") {
  const TemporaryFolder folder;
  const ChildResult result = call_orrery({"profile", "lenet5", "--trace", trace, "--batch", "4", "--quiet"});
  CHECK(result.exit_code == 0);
  CHECK(result.errors.empty());
  orrery::Problems problems;
  const orrery::StepProfile profile = orrery::parse_step_profile(result.output, "p.csv", problems);
  orrery::check_profile(profile, orrery::load_network("lenet5"), "p.csv", problems);
  CHECK(problems.empty());
  CHECK(profile.rows.front().batch == 4);
  const ChildResult other = call_orrery({"profile", "2nn", "--trace", trace, "--batch", "4"});
  CHECK(other.exit_code == 3);
  CHECK(other.output.empty());
  CHECK(other.errors.find("aten::conv2d at 65 us is found where layer \"dense1\" (dense) should come") !=
        std::string::npos);
}

TEST_CASE("threads that were not recorded are derived from one, and explain says so") {
  const std::string scenario = orrery::testing::shipped_scenario("federated");
  const ChildResult one = call_orrery({"explain", scenario});
  const ChildResult two = call_orrery({"explain", scenario, "--set", "workload.profile_threads=2"});
  CHECK(one.exit_code == 0);
  CHECK(two.exit_code == 0);
  CHECK(one.output.find("derived from those for one") == std::string::npos);
  CHECK(two.output.find("  rows for 2 threads derived from those for one\n") != std::string::npos);
}

}  // namespace
