// Layouts that leave devices of their nodes unused: what stands beside the devices is powered and rented whole.
#include <nlohmann/json.hpp>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

namespace orrery {
namespace {

using testing::call_orrery;
using testing::TemporaryFolder;

nlohmann::json rows_of(const std::string& layout) {
  const TemporaryFolder folder;
  const std::string keys = "kind = \"hybrid\"\nmicrobatch = 1\n" + layout;
  const std::string file = folder.write(
      "part.toml",
      "[workload]\nnetwork = \"llama3.2-1b\"\nbatch = 12\nsteps = 10\nprecision = \"bf16\"\nframework = \"modern\"\n"
      "[cluster]\nsystem = \"aws-p5.48xlarge\"\nnodes = 4\n[[strategy]]\nname = \"folded\"\n" +
          keys + "[[strategy]]\nname = \"whole\"\nfold = \"never\"\n" + keys);
  const ChildResult result = call_orrery({"run", file, "--quiet", "--json"});
  INFO(result.errors);
  REQUIRE(result.exit_code == 0);
  return nlohmann::json::parse(result.output)["results"];
}

}  // namespace

TEST_CASE("folded or not, nodes of which a part is used are powered and paid whole") {
  const auto& [layout, nodes] = GENERATE(table<std::string, double>(
      {{"devices = 2\n", 1}, {"devices = 4\npp = 2\n", 1}, {"tp = 4\npp = 3\ndevices = 12\n", 2}}));
  INFO(layout);
  const nlohmann::json rows = rows_of(layout);
  const auto of = [&](std::size_t row, const char* column) { return rows[row][column].get<double>(); };
  CHECK(of(0, "step_energy_J") == Approx(of(1, "step_energy_J")).epsilon(1e-6));
  CHECK(of(0, "cost") == Approx(of(1, "cost")).epsilon(1e-6));
  const double of_a_node = of(0, "cost") / (of(0, "time_to_train_s") / 3600) / nodes;
  const nlohmann::json all = rows_of("tp = 8\ndevices = 32\n");
  CHECK(of_a_node == Approx(all[0]["cost"].get<double>() / (all[0]["time_to_train_s"].get<double>() / 3600) / 4));
}

}  // namespace orrery
