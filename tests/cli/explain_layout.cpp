// What `explain` says of a layout beside its prices.
#include <string>

#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using namespace orrery::testing;

namespace {

std::string explained(const std::string& keys, const std::string& workload = "") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("layout.toml", R"([workload]
network = "llama3-8b"
batch = 48
)" + workload + R"([cluster]
system = "dgx-h100"
nodes = 2
[[strategy]]
name = "a"
kind = "hybrid"
)" + keys);
  const orrery::ChildResult result = call_orrery({"explain", scenario});
  INFO(result.errors);
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

TEST_CASE("explain prints the constants of a framework, device or link once, and who is priced by them") {
  const std::string one = "name = \"b\"\nkind = \"hybrid\"\ndp = 8\n";
  const std::string text = explained("dp = 16\n[[strategy]]\n" + one);
  const auto once = [&](const std::string& line) {
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
    CHECK(text.find(line) == text.rfind(line));
  };
  once("\nframework pytorch\n  ");
  once("\n  gemm_share = ");
  once("\nnode link ");
  CHECK(text.find("\n  constants (below): framework pytorch, device h100-sxm, node link ") != std::string::npos);
  const std::string other = explained("dp = 16\n[[strategy]]\n" + one + "cluster = { system = \"dgx-a100\" }\n");
  CHECK(other.find("\nframework pytorch\n") != std::string::npos);
  CHECK(other.find("\ndevice h100-sxm (a)\n") != std::string::npos);
  CHECK(other.find("\ndevice a100-sxm-80 (b)\n") != std::string::npos);
}

TEST_CASE("explain speaks of one rank, and of times in units to read") {
  const std::string text =
      explained("dp = 1\n[[strategy]]\nname = \"stages\"\nkind = \"model\"\nsplit = \"layers\"\ndevices = 2\n");
  CHECK(text.find(" on 1 rank; ") != std::string::npos);
  CHECK(text.find("1 ranks") == std::string::npos);
  const std::string times = " forward and backward per micro-batch";
  const std::size_t end = text.find(times);
  REQUIRE(end != std::string::npos);
  const std::string note = text.substr(0, end);
  const std::string time = note.substr(note.rfind(", ") + 2);
  INFO(time);
  CHECK(time.size() <= 8);  // "12.3 min", and not every digit of a double
}

TEST_CASE("explain tells the optimizer's bytes that each strategy is priced with") {
  const auto says = [](const std::string& text, const std::string& line) {
    INFO(text);
    CHECK(text.find("\n  optimizer " + line + "\n") != std::string::npos);
  };
  const std::string half = "precision = \"bf16\"\noptimizer = \"adamw\"\nframework = \"modern\"\n";
  const std::string mixed =
      "adamw: 34 bytes read and written per parameter, 12 bytes kept for each, 4 of them a copy of the weight";
  const std::string text = explained("dp = 16", half);
  says(text, mixed);
  CHECK(text.find(" GiB\n") != std::string::npos);
  const std::size_t end = text.find(" GiB\n"), begin = text.rfind(' ', end - 1) + 1;
  CHECK(text.substr(begin, end - begin).size() <= 6);  // not every digit of a double
  const std::string two = explained(
      "dp = 16\nprecision = \"fp32\"\n[[strategy]]\nname = \"b\"\nkind = \"hybrid\"\ndp = 8\n[[strategy]]\n"
      "name = \"c\"\nkind = \"hybrid\"\nzero_stage = 3\noffload = \"optimizer\"\n[[strategy]]\nname = \"d\"\n"
      "kind = \"data\"\n",
      half + "compute = \"roofline\"\n");
  says(two, "adamw: 28 bytes read and written per parameter, 8 bytes kept for each (a)");
  says(two, mixed + " (b)");
  says(two,
       "adamw: 28 bytes read and written per parameter, 12 bytes kept for each, 4 of them a copy of the weight (d)");
  CHECK(two.find(" ns per parameter on the host, 12 bytes kept for each, 4 of them a copy of the weight (c)\n") !=
        std::string::npos);
}
