// `orrery run` from the outside: exit codes, files, crashes, interruption, reproducibility.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::read_file;
using orrery::testing::call_orrery_with;
using orrery::testing::shipped_scenario;
using orrery::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

const std::string small_scenario = R"([scenario]
name = "small"
question = "does it run?"

[workload]
network = "2nn"
dataset = "synthetic"
batch = 64
learning_rate = 0.1
steps = 40
learn = true
evaluate_every = 20
compute = "roofline"

[cluster]
device = "v100-sxm2-16"
devices_per_node = 4
node_link = "nvlink2"

[federation]
clients = 4
device = "jetson-nano"
link = "wifi5"
server = "xeon-8380"
server_link = "eth-1g"

[[strategy]]
name = "one"
kind = "single"

[[strategy]]
name = "four"
kind = "data"
devices = 4

[[strategy]]
name = "fedavg"
kind = "federated"
clients_per_round = 2
rounds = 3
)";

const std::vector<std::string> result_files = {"results.csv", "layers.csv",   "links.csv",
                                               "curve.csv",   "timeline.csv", "resolved.toml"};

ChildResult run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "run");
  return ::orrery::testing::call_orrery(arguments);
}

/// A run that goes on in the background.
class BackgroundRun {
 public:
  explicit BackgroundRun(const std::vector<std::string>& arguments) : pid_(::fork()) {
    if (pid_ != 0) return;
    std::vector<char*> words;
    static const std::string binary = ORRERY_BINARY;
    words.push_back(const_cast<char*>(binary.c_str()));
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    ::setpgid(0, 0);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return status;
  }

 private:
  pid_t pid_;
};

/// The first child process of `parent`, once there is one; 0 after ten seconds.
pid_t child_of(pid_t parent) {
  const std::string list = "/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children";
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::ifstream file(list);
    pid_t child = 0;
    if (file >> child) return child;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return 0;
}

}  // namespace

TEST_CASE("a run writes every file, and JSON on standard output when asked") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", small_scenario);
  const ChildResult result = run({scenario, "-o", folder.file("out"), "--json"});
  REQUIRE(result.errors.empty());
  REQUIRE(result.exit_code == 0);
  for (const std::string& file : result_files) CHECK(fs::exists(folder.file("out/" + file)));
  CHECK(nlohmann::json::parse(read_file(folder.file("out/provenance.json"))).contains("wall_seconds"));
  CHECK(nlohmann::json::parse(result.output)["results"].size() == 3);
}

TEST_CASE("the same scenario gives the same bytes for one and two threads and again") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", small_scenario);
  for (const std::string variant : {"1 a", "2 b", "2 c"}) {
    const std::string variables = std::string("OMP_NUM_THREADS=") + variant[0];
    const ChildResult result =
        call_orrery_with(variables, "run " + scenario + " -o " + folder.file(std::string(1, variant[2])));
    REQUIRE(result.exit_code == 0);
  }
  for (const std::string& file : result_files) {
    const std::string first = read_file(folder.file("a/" + file));
    CHECK(first == read_file(folder.file("b/" + file)));
    CHECK(first == read_file(folder.file("c/" + file)));
  }
}

TEST_CASE("the quickstart learns what it asserts, with the same bytes for one and two threads") {
  const TemporaryFolder folder;
  for (const std::string threads : {"1", "2"}) {
    const ChildResult result = call_orrery_with(
        "OMP_NUM_THREADS=" + threads, "run " + shipped_scenario("quickstart") + " -o " + folder.file(threads));
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
  }
  for (const std::string& file : result_files)
    CHECK(read_file(folder.file("1/" + file)) == read_file(folder.file("2/" + file)));
}

TEST_CASE("resolved.toml is a scenario that gives the same results") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", small_scenario);
  REQUIRE(run({scenario, "-o", folder.file("first")}).exit_code == 0);
  const ChildResult again = run({folder.file("first/resolved.toml"), "-o", folder.file("second")});
  CHECK(again.errors.empty());
  REQUIRE(again.exit_code == 0);
  CHECK(read_file(folder.file("first/results.csv")) == read_file(folder.file("second/results.csv")));
}

TEST_CASE("a way that does not fit is a row, exit code 4 only when none fits") {
  const TemporaryFolder folder;
  const std::string big =
      "[scenario]\nname = \"big\"\n[workload]\nnetwork = \"gpt2-xl\"\nbatch = 64\noptimizer = \"adam\"\n"
      "[cluster]\ndevice = \"rtx3080\"\ndevices_per_node = 4\nnode_link = \"pcie4x16\"\n"
      "[[strategy]]\nname = \"one\"\nkind = \"single\"\n";
  const ChildResult none = run({folder.write("big.toml", big), "-o", folder.file("none")});
  CHECK(none.exit_code == 4);
  CHECK(none.errors == "orrery: no strategy of big is feasible\n");
  CHECK(read_file(folder.file("none/results.csv")).find("infeasible") != std::string::npos);

  const std::string some =
      big + "[[strategy]]\nname = \"small\"\nkind = \"single\"\ncluster = {device = \"h200-sxm\"}\naccumulation = 64\n";
  CHECK(run({folder.write("some.toml", some)}).exit_code == 0);
}

TEST_CASE("a broken assertion is exit code 5 with its place and figures, the results are written all the same") {
  const TemporaryFolder folder;
  const std::string scenario =
      folder.write("a.toml", small_scenario + "\n[[assert]]\nmetric = \"devices\"\nstrategy = \"four\"\nmax = 3\n");
  const ChildResult result = run({scenario, "-o", folder.file("out")});
  CHECK(result.exit_code == 5);
  CHECK(result.errors == scenario + ":43:10: assert: devices of four is 4, above max 3\n");
  CHECK(fs::exists(folder.file("out/results.csv")));
}

TEST_CASE("an assertion about an unknown metric is invalid input before anything runs") {
  const TemporaryFolder folder;
  const std::string scenario =
      folder.write("a.toml", small_scenario + "\n[[assert]]\nmetric = \"step_tme_s\"\nmax = 3\n");
  const ChildResult result = run({scenario});
  CHECK(result.exit_code == 3);
  CHECK(result.errors ==
        scenario +
            ":43:10: assert.metric: unknown metric \"step_tme_s\" (it must be a column of results.csv) - did you "
            "mean \"step_time_s\"?\n");
}

TEST_CASE("checking a scenario runs nothing and a dump shows each stage") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("small.toml", small_scenario);
  CHECK(run({scenario, "--check"}).output == scenario + ": ok, 3 strategies\n");
  const std::string layouts = folder.write("layouts.toml", R"([workload]
network = "gpt2"
batch = 8
precision = "bf16"
optimizer = "adam"
framework = "modern"
[cluster]
system = "dgx-a100"
[[strategy]]
name = "one"
kind = "hybrid"
devices = 1
[[strategy]]
name = "slices"
kind = "hybrid"
tp = 5
devices = 5
)");
  const ChildResult checked = run({layouts, "--check"}), simulated = run({layouts, "--json", "--quiet"});
  CHECK(checked.exit_code == 0);
  CHECK(checked.output.find(layouts + ": ok, 2 strategies\nslices: infeasible: ") == 0);
  const std::string why = checked.output.substr(checked.output.find("infeasible: ") + 12);
  CHECK(simulated.output.find(why.substr(0, why.find('\n'))) != std::string::npos);
  for (const std::string stage : {"scenario", "workload", "cluster", "program", "records"}) {
    const ChildResult result = run({scenario, "--dump", stage, "--strategy", "four"});
    CHECK(result.exit_code == 0);
    CHECK(result.output.size() > 100);
  }
  const ChildResult unknown = run({scenario, "--dump", "programm"});
  CHECK(unknown.exit_code == 2);
  CHECK(unknown.errors == "orrery run: unknown stage \"programm\" (did you mean \"program\"?)\n");
}

TEST_CASE("the death of one simulation leaves the other rows and names scenario and strategy") {
  const TemporaryFolder folder;
  std::string text = small_scenario;
  text.replace(text.find("rounds = 3"), 10, "rounds = 2000");
  text.insert(text.find("[[strategy]]"), text.substr(text.find("[[strategy]]\nname = \"fedavg\"")) + "\n");
  text = text.substr(0, text.rfind("[[strategy]]\nname = \"fedavg\""));
  const std::string scenario = folder.write("small.toml", text);
  BackgroundRun background({"run", scenario, "-o", folder.file("out")});
  const pid_t child = child_of(background.pid());
  REQUIRE(child > 0);
  REQUIRE(::kill(child, SIGKILL) == 0);
  const int status = background.wait();
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  const std::string results = read_file(folder.file("out/results.csv"));
  CHECK(results.find("\"scenario small, strategy fedavg: its process was ended by signal 9 (Killed)\"") !=
        std::string::npos);
  CHECK(results.find("small,one,") != std::string::npos);
  CHECK(results.find("small,four,") != std::string::npos);
}

TEST_CASE("an interrupted run leaves no file behind") {
  const TemporaryFolder folder;
  std::string text = small_scenario;
  text.replace(text.find("rounds = 3"), 10, "rounds = 2000");
  BackgroundRun background({"run", folder.write("small.toml", text), "-o", folder.file("out")});
  REQUIRE(child_of(background.pid()) > 0);
  ::kill(-background.pid(), SIGINT);
  const int status = background.wait();
  CHECK(WIFSIGNALED(status));
  CHECK((!fs::exists(folder.file("out")) || fs::is_empty(folder.file("out"))));
}
