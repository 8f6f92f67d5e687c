// `orrery search`: what it prints and writes, the same for any number of threads, and its exit codes.
#include <map>

#include "sim/base/files.hpp"
#include "sim/base/text.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::read_file;
using orrery::split;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;

namespace {

/// Cells of the first layout in search.csv by their column.
std::map<std::string, std::string> first_found(const std::string& csv) {
  const std::vector<std::string> lines = split(csv, '\n');
  const std::vector<std::string> names = split(lines.at(0), ','), cells = split(lines.at(1), ',');
  std::map<std::string, std::string> found;
  for (std::size_t i = 0; i < names.size(); ++i) found[names[i]] = cells.at(i);
  return found;
}

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
  CHECK(csv.starts_with("rank,pareto,layout,dp,tp,pp,cp,ep,etp,zero_stage,"));
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
  CHECK(some.output.find("the closed form leaves straggler and jitter out") != std::string::npos);
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
  CHECK(result.output.find("  over the limit: memory\n") != std::string::npos);
}

TEST_CASE("the layout nearest to a limit is one that fits") {
  const TemporaryFolder folder;
  const std::string file = folder.write("scenario.toml", scenario);
  const ChildResult result = call_orrery({"search", file, "--limit", "step_s=1e-6"});
  INFO(result.errors);
  CHECK(result.exit_code == 4);
  CHECK(result.errors.find(": over the limit: step ") != std::string::npos);
}

TEST_CASE("why layouts are out is told without numbers that stand for several") {
  const TemporaryFolder folder;
  const std::string file = folder.write("scenario.toml", scenario.substr(0, scenario.find("[search]")));
  const ChildResult result = call_orrery({"search", file, "--top", "1", "--set", "workload.batch=8"});
  INFO(result.output << result.errors);
  REQUIRE(result.exit_code == 0);
  CHECK(result.output.find("  micro-batches are no multiple of pp (interleaving needs that)\n") != std::string::npos);
  CHECK(result.output.find(" N ") == std::string::npos);
  CHECK(result.output.find("\nb: samples of a micro-batch; v: chunks per stage (interleave);") != std::string::npos);
}

TEST_CASE("a search looks at layouts of as many devices as the strategy says") {
  const TemporaryFolder folder;
  const std::string file = folder.write("scenario.toml", scenario);
  const ChildResult result = call_orrery(
      {"search", file, "--set", "strategy.0.devices=4", "--set", "search.tp=[2, 8]", "-o", folder.file("out")});
  INFO(result.errors);
  REQUIRE(result.exit_code == 0);
  CHECK(result.output.starts_with("not tried: tp 8: the strategy has 4 devices - use 4 at most\n"));
  const std::vector<std::string> lines = split(read_file(folder.file("out/search.csv")), '\n');
  REQUIRE(lines.size() > 1);
  for (std::size_t i = 1; i < lines.size() && !lines[i].empty(); ++i) {
    CHECK((lines[i].find(",tp2 pp1 dp2 ") != std::string::npos || lines[i].find(",tp2 pp2 dp1 ") != std::string::npos));
  }
}

TEST_CASE("limits are one constraint, in units to read") {
  const TemporaryFolder folder;
  const std::string file = folder.write("scenario.toml", scenario);
  const ChildResult result = call_orrery({"search", file, "--limit", "energy_J=0.9", "--limit", "step_s=0.01"});
  CHECK(result.exit_code == 4);
  const std::string all = "over the limit: step and energy of a step\n";
  CHECK(result.output.find(all) != std::string::npos);
  CHECK(result.output.find(all) == result.output.rfind(all));
  CHECK(result.output.find("e+0") == std::string::npos);
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

TEST_CASE("a search's energy and cost are those of a run of the closed form") {
  const TemporaryFolder folder;
  const std::string start = scenario.substr(0, scenario.find("[search]"));
  const auto found = [&](const std::string& lists) {
    const std::string text = "[scenario]\nengine = \"closed-form\"\n" + start + "[search]\n" + lists +
                             "microbatch = [1]\nrecompute = [\"none\"]\ntop = 1\n[energy]\npue = 1.2\n[cost]\n"
                             "price_per_device_hour = 2\nelectricity_per_kWh = 0.3\ncurrency = \"EUR\"\n";
    const ChildResult result =
        call_orrery({"search", folder.write("priced.toml", text), "-o", folder.file("out"), "--force"});
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    return first_found(read_file(folder.file("out/search.csv")));
  };
  auto alone = found("tp = [1]\npp = [1]\nzero_stage = [0]\n");
  CHECK(std::stod(alone["energy_J"]) == Approx(std::stod(alone["simulated_energy_J"])).epsilon(1e-9));
  CHECK(std::stod(alone["cost"]) == Approx(std::stod(alone["simulated_cost"])).epsilon(1e-9));
  const double devices = 8, hours = std::stod(alone["step_s"]) / 3600, kWh = std::stod(alone["energy_J"]) / 3.6e6;
  CHECK(std::stod(alone["cost"]) == Approx(devices * hours * 2 + kWh * 0.3));
  // Parameters gathered after the update are on no wire of a run; stages of one node share its host.
  auto sharded = found("tp = [1]\npp = [1]\nzero_stage = [1]\n");
  CHECK(std::stod(sharded["energy_J"]) == Approx(std::stod(sharded["simulated_energy_J"])).epsilon(0.01));
  auto staged = found("tp = [2]\npp = [2]\nzero_stage = [1]\ninterleave = [1]\n");
  CHECK(std::stod(staged["energy_J"]) == Approx(std::stod(staged["simulated_energy_J"])).epsilon(0.05));
}

TEST_CASE("a layout that exceeds a limit once it is simulated is told so, and what is not simulated is marked") {
  const TemporaryFolder folder;
  // Two stages that interleave: the flow engine takes a little longer than the closed form.
  const std::string file = folder.write(
      "scenario.toml", scenario.substr(0, scenario.find("[search]")) +
                           "[search]\ntp = [2]\npp = [2, 4]\nzero_stage = [1]\nmicrobatch = [1]\ninterleave = [3]\n"
                           "recompute = [\"none\"]\ntop = 1\nobjective = \"energy\"\n");
  REQUIRE(call_orrery({"search", file, "-o", folder.file("out")}).exit_code == 0);
  auto found = first_found(read_file(folder.file("out/search.csv")));
  const double closed_form = std::stod(found["step_s"]), simulated = std::stod(found["simulated_step_s"]);
  REQUIRE(simulated > closed_form);
  const ChildResult over =
      call_orrery({"search", file, "--limit", "step_s=" + std::to_string((closed_form + simulated) / 2)});
  INFO(over.output << over.errors);
  CHECK(over.exit_code == 0);
  CHECK(over.output.find(", simulated, is over the limit: step ") != std::string::npos);
  const ChildResult two = call_orrery({"search", file, "--set", "search.recompute=[\"none\", \"full\"]"});
  CHECK(two.output.find("  ~") != std::string::npos);
}

TEST_CASE("a list of values that no layout can have says why and what could be") {
  const TemporaryFolder folder;
  const std::string file = folder.write("scenario.toml", scenario);
  const ChildResult none = call_orrery({"search", file, "--set", "search.tp=[5]"});
  CHECK(none.exit_code == 4);
  CHECK(none.errors ==
        "orrery: there is no layout to judge: tp 5: the cluster's 8 devices are no multiple of it - use 4 or 8, or "
        "list dp\n");
  const ChildResult some = call_orrery({"search", file, "--set", "search.tp=[5, 8]", "--set", "search.pp=[1]"});
  CHECK(some.exit_code == 0);
  CHECK(some.output.starts_with("not tried: tp 5: "));
}

TEST_CASE("the simulated step of experts is that of the layout shown") {
  const TemporaryFolder folder;
  const std::string file = folder.write(
      "experts.toml",
      "[scenario]\nengine = \"closed-form\"\n[workload]\nnetwork = \"mixtral-8x7b\"\nbatch = 128\n"
      "precision = \"bf16\"\noptimizer = \"adamw\"\nframework = \"modern\"\n[cluster]\nsystem = \"dgx-h100\"\n"
      "nodes = 8\n[[strategy]]\nname = \"a\"\nkind = \"hybrid\"\n[search]\ntp = [2]\npp = [4]\nep = [8]\n"
      "zero_stage = [1]\nmicrobatch = [2]\ninterleave = [1]\nrecompute = [\"none\"]\n");
  for (const std::string split : {"[\"tp\"]", "[\"1\"]"}) {
    const ChildResult result =
        call_orrery({"search", file, "-o", folder.file("out"), "--force", "--set", "search.etp=" + split});
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    auto found = first_found(read_file(folder.file("out/search.csv")));
    CHECK(found["etp"] == (split == "[\"1\"]" ? "1" : "2"));
    CHECK(std::stod(found["simulated_step_s"]) == Approx(std::stod(found["step_s"])).epsilon(2e-3));
  }
}
