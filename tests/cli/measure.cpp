// `mpirun orrery measure` and `orrery compare`, as a user calls them.
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/text.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::read_file;
using orrery::split;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// Whether this build and this machine can measure; says so when not.
bool can_measure() {
  const bool built = fs::exists(fs::path(ORRERY_BINARY).parent_path() / "orrery-measure");
  const bool starts = std::system("mpirun --version > /dev/null 2>&1") == 0;
  if (!built || !starts) std::cout << "skipped: Open MPI is not installed\n";
  return built && starts;
}

/// As root too; without a search for leaks, since Open MPI keeps memory until the process ends.
ChildResult measure(int ranks, const std::string& arguments) {
  return orrery::run_child({"/bin/sh", "-c",
                            "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 ASAN_OPTIONS=detect_leaks=0 "
                            "exec mpirun --oversubscribe -n " +
                                std::to_string(ranks) + " " + ORRERY_BINARY + " measure " + arguments});
}

const char* const central = R"(
[workload]
network = "2nn"
dataset = "synthetic"
batch = 60
learning_rate = 0.05
steps = 6
learn = true
evaluate_every = 3
[cluster]
device = "a100-sxm-80"
nodes = 2
network_link = "eth-1g"
[[strategy]]
name = "single"
kind = "single"
[[strategy]]
name = "data"
kind = "data"
[[strategy]]
name = "tensor"
kind = "model"
[[strategy]]
name = "pipeline"
kind = "pipeline"
[[strategy]]
name = "wide"
kind = "data"
devices = 3
cluster = {nodes = 3}
)";

const char* const federated = R"(
[workload]
network = "2nn"
dataset = "synthetic"
learning_rate = 0.05
learn = true
[federation]
clients = 5
device = "rpi-4b"
link = "eth-100m"
server = "a100-sxm-80"
server_link = "eth-1g"
partition = "shards"
[[strategy]]
name = "fedavg"
kind = "federated"
clients_per_round = 3
rounds = 3
local_batch = 20
)";

/// One column of a results file, by strategy, joined by blanks.
std::string column(const std::string& file, const std::string& name) {
  const std::vector<std::string> lines = split(read_file(file), '\n');
  const std::vector<std::string> header = split(lines.front(), ',');
  std::string joined;
  for (std::size_t line = 1; line < lines.size(); ++line) {
    const std::vector<std::string> cells = split(lines[line], ',');
    for (std::size_t i = 0; i < cells.size() && i < header.size(); ++i) {
      if (header[i] == name) joined += (joined.empty() ? "" : " ") + cells[i];
    }
  }
  return joined;
}

}  // namespace

TEST_CASE("measured strategies learn alike, and say what they sent") {
  if (!can_measure()) return;
  const TemporaryFolder folder;
  const std::string scenario = folder.write("lab.toml", central), out = folder.file("measured");
  const ChildResult result = measure(2, scenario + " -o " + out + " --warm-up 2");
  INFO(result.errors);
  REQUIRE(result.exit_code == 0);
  CHECK(column(out + "/results.csv", "engine") == "measured measured measured measured flow");
  CHECK(column(out + "/results.csv", "status") == "ok ok ok ok infeasible");
  const std::string results = read_file(out + "/results.csv");
  CHECK(results.find("\"needs 3 processes, this run has 2 - start it with: mpirun -n 3 orrery measure ...\"") !=
        std::string::npos);
  // 199,210 parameters: a ring of two sends each once; a pipeline 60 x 200 numbers (or fewer) each way.
  CHECK(split(column(out + "/results.csv", "bytes_sent_per_device"), ' ')[1] == "796840");
  // The same steps, however they are split: equal to six digits.
  const std::vector<std::string> points = split(column(out + "/curve.csv", "accuracy"), ' ');
  REQUIRE(points.size() == 8);
  for (std::size_t i = 2; i < points.size(); ++i) {
    CHECK(std::stod(points[i]) == Approx(std::stod(points[i % 2])).margin(2e-3));  // two test samples of 1,000
  }
  CHECK(split(read_file(out + "/steps.csv"), '\n').size() == 1 + 4 * 6 + 1);
  CHECK(read_file(out + "/provenance.json").find("\"kind\": \"measured\"") != std::string::npos);
  CHECK(measure(2, scenario + " -o " + out).errors.find("already holds results - choose another -o or add --force") !=
        std::string::npos);
}

TEST_CASE("measured rounds of federated averaging learn exactly what the simulation learns") {
  if (!can_measure()) return;
  const TemporaryFolder folder;
  const std::string scenario = folder.write("lab.toml", federated);
  const std::string simulated = folder.file("simulated"), measured = folder.file("measured");
  REQUIRE(call_orrery({"run", scenario, "-o", simulated, "-q"}).exit_code == 0);
  const ChildResult result = measure(3, scenario + " -o " + measured);
  INFO(result.errors);
  REQUIRE(result.exit_code == 0);
  for (const char* name : {"round", "epoch", "accuracy", "loss", "train_loss"}) {
    CHECK(column(measured + "/curve.csv", name) == column(simulated + "/curve.csv", name));
  }
  const ChildResult comparison = call_orrery({"compare", simulated, measured, "--column", "final_accuracy"});
  CHECK(comparison.exit_code == 0);
  CHECK(comparison.output.find("fedavg    final_accuracy  1") != std::string::npos);
  CHECK(comparison.output.find("1.000     +0") != std::string::npos);
}

TEST_CASE("one process tells what is wrong for all of them") {
  if (!can_measure()) return;
  const TemporaryFolder folder;
  const std::string scenario = folder.write("lab.toml", central);
  ChildResult result = measure(2, scenario + " --strategy dtaa");
  CHECK(result.exit_code == 2);
  // Said once; before it mpirun itself may have something to say of the machine.
  CHECK(result.errors.find("orrery measure: lab has no strategy \"dtaa\" (did you mean \"data\"?)\n") !=
        std::string::npos);
  CHECK(result.errors.find("dtaa") == result.errors.rfind("dtaa"));

  result = measure(2, scenario + " --set workload.batch=0");
  CHECK(result.exit_code == 3);
  CHECK(result.errors.find("--set: workload.batch:") != std::string::npos);

  result = measure(2, scenario + " --strategy wide");
  CHECK(result.exit_code == 4);

  // The loss of a rank that diverges ends the others; nothing is written.
  const std::string out = folder.file("out");
  for (const std::string strategy : {"data", "tensor", "pipeline"}) {
    CAPTURE(strategy);
    result = measure(2, scenario + " --strategy " + strategy + " --set workload.learning_rate=1e30 -o " + out);
    CHECK(result.exit_code == 1);
    CHECK(result.errors.find("the loss is not finite at step 2: layer \"dense2\" is the first whose output is not (the "
                             "weights diverged) - lower the learning rate, which is 1e+30") != std::string::npos);
    CHECK(!fs::exists(out));
  }
  // A profile of another network.
  const std::string profile = std::string(ORRERY_TEST_DIR) + "/../models/profiles/lenet5.csv";
  result = measure(2, scenario + " --set workload.profile=" + profile + " --set workload.profile_host=xeon-8380 -o " +
                          folder.file("deep/out"));
  CHECK(result.exit_code == 3);
  CHECK(!fs::exists(folder.file("deep")));
  // Said before anything runs.
  fs::create_directories(out);
  const std::string read = folder.write("out/steps.csv", "link,constant,value,low,high,source\n");
  result = measure(2, scenario + " --set 'workload.constants=[\"" + read + "\"]' -o " + out + " --force");
  CHECK(result.exit_code == 2);
  CHECK(result.errors.find("orrery measure: -o would replace " + read + ", which is read - choose another -o\n") !=
        std::string::npos);
}

TEST_CASE("compare tells which folder holds no results") {
  const TemporaryFolder folder;
  fs::create_directories(folder.file("measured"));
  fs::create_directories(folder.file("empty"));
  folder.write("measured/results.csv", "strategy,step_time_s\nring,1\n");
  ChildResult result = call_orrery({"compare", folder.file("measured"), folder.file("mesaured")});
  CHECK(result.exit_code == 2);
  CHECK(result.errors == "orrery compare: " + folder.file("mesaured") + " is no folder (did you mean \"" +
                             folder.file("measured") + "\"?)\n");
  result = call_orrery({"compare", folder.file("measured"), folder.file("empty")});
  CHECK(result.errors ==
        "orrery compare: " + folder.file("empty") + " holds no results.csv (known: " + folder.file("measured") + ")\n");
  result = call_orrery({"compare", folder.file("measured"), folder.file("measured"), "--column", "step_tiem_s"});
  CHECK(result.errors ==
        "orrery compare: no strategy has a figure in column \"step_tiem_s\" on both sides (did you mean "
        "\"step_time_s\"?)\n");
  folder.write("other.csv", "");
  result = call_orrery({"compare", folder.file("measured"), folder.file("measured"), "-o", folder.file("other.csv")});
  CHECK(result.errors ==
        "orrery compare: " + folder.file("other.csv") + " exists - choose another -o or add --force\n");
}
