// Joules of a search against those of the same layouts on the closed-form engine.
#include <cmath>
#include <map>

#include "sim/base/files.hpp"
#include "sim/base/text.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

namespace orrery::testing {
namespace {

struct Found {
  std::string layout;
  double step = 0, joules = 0, simulated_step = 0, simulated_joules = 0;
};

/// All layouts that a search finds and the closed-form engine runs.
std::vector<Found> found_in(const std::string& workload, const std::string& cluster, const std::string& search) {
  const TemporaryFolder folder;
  const std::string text = "[scenario]\nengine = \"closed-form\"\n[workload]\nprecision = \"bf16\"\n" + workload +
                           "[cluster]\n" + cluster + "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + search;
  const ChildResult result =
      call_orrery({"search", folder.write("search.toml", text), "--top", "100", "-o", folder.file("out")});
  INFO(result.errors);
  REQUIRE(result.exit_code == 0);
  const std::vector<std::string> lines = split(read_file(folder.file("out/search.csv")), '\n');
  const std::vector<std::string> names = split(lines.at(0), ',');
  std::vector<Found> all;
  for (std::size_t i = 1; i < lines.size() && !lines[i].empty(); ++i) {
    const std::vector<std::string> cells = split(lines[i], ',');
    std::map<std::string, std::string> row;
    for (std::size_t cell = 0; cell < names.size(); ++cell) row[names[cell]] = cells.at(cell);
    REQUIRE(row["status"] == "ok");
    all.push_back({row["layout"], std::stod(row["step_s"]), std::stod(row["energy_J"]),
                   std::stod(row["simulated_step_s"]), std::stod(row["simulated_energy_J"])});
  }
  return all;
}

/// Checks at least so many layouts whose steps the two agree about.
void check_joules(const std::vector<Found>& all, std::size_t least, double within) {
  std::size_t checked = 0;
  for (const Found& each : all) {
    if (std::abs(each.step / each.simulated_step - 1) > 1e-3) continue;
    ++checked;
    INFO(each.layout);
    CHECK(each.joules == Approx(each.simulated_joules).epsilon(within));
  }
  CHECK(checked >= least);
}

const std::string one_microbatch = "microbatch = [2]\ninterleave = [1]\n";

}  // namespace

TEST_CASE("devices that wait for their host stand by in a search as in a run, whatever moves beside") {
  check_joules(
      found_in("network = \"vit-l16\"\nbatch = 32\nframework = \"modern\"\n",
               "device = \"rtx4090\"\nnodes = 8\nnetwork_link = \"ib-ndr\"\n",
               "[search]\ntp = [1]\nmicrobatch = [1, 4]\ninterleave = [1]\nrecompute = [\"none\", \"full\"]\n"),
      30, 0.002);
}

TEST_CASE("devices that wait for training data stand by in a search as in a run") {
  check_joules(
      found_in("network = \"resnet50\"\nbatch = 64\nframework = \"pytorch\"\n", "system = \"dgx-h100\"\n",
               "input = { samples_per_s = 10 }\n[search]\ntp = [1]\npp = [1]\nmicrobatch = [8]\ninterleave = [1]\n"),
      3, 0.002);
}

TEST_CASE("stages that are done before others stand by in a search as in a run") {
  const std::string nodes = "device = \"a100-sxm-80\"\nnodes = 8\nnetwork_link = \"ib-hdr\"\n";
  // The ends of the pipeline exchange a tied embedding; stages between them are done.
  check_joules(found_in("network = \"gpt2-medium\"\nbatch = 32\nframework = \"modern\"\n", nodes,
                        "[search]\ntp = [1]\npp = [4, 8]\nzero_stage = [0]\nrecompute = [\"full\"]\n" + one_microbatch),
               2, 0.005);
}

TEST_CASE("the time that a node of several stages works is estimated in a search") {
  check_joules(
      found_in("network = \"gpt2-medium\"\nbatch = 96\nframework = \"modern\"\n", "system = \"dgx-h100\"\nnodes = 3\n",
               "[search]\ntp = [1]\npp = [4, 6, 12]\nzero_stage = [0]\nrecompute = [\"none\"]\n"
               "microbatch = [1]\nschedule = [\"1f1b\", \"gpipe\"]\ninterleave = [1]\n"),
      4, 0.05);
}

TEST_CASE("a node of which a part is used works whole in a search as in a run") {
  // Stages 0 to 3 on eight devices, 4 on two of another node.
  check_joules(
      found_in("network = \"gpt2-medium\"\nbatch = 80\nframework = \"modern\"\n", "system = \"dgx-a100\"\nnodes = 2\n",
               "devices = 10\n[search]\ntp = [1]\npp = [5]\nzero_stage = [0]\nrecompute = [\"none\"]\n"
               "microbatch = [1]\ninterleave = [1]\n"),
      1, 0.001);
}

TEST_CASE("shards that are gathered beside computing cost in a search what they do in a run") {
  check_joules(found_in("network = \"vit-b16\"\nbatch = 96\nframework = \"megatron-2021\"\n",
                        "system = \"hgx-mi300x\"\nnodes = 3\n",
                        "[search]\ntp = [2]\npp = [1]\nzero_stage = [3]\nsequence_parallel = [\"off\"]\n"
                        "microbatch = [1, 2, 4]\n"),
               4, 0.002);
}

}  // namespace orrery::testing
