// Layouts from outside: what a run of them writes and prints.
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::read_file;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;

namespace {

/// Of the lines of a CSV file without quotes, the sum over some columns, the last one being 0.
double sum_of_last(const std::string& text, std::size_t columns) {
  double sum = 0;
  std::istringstream lines(text.substr(text.find('\n') + 1));
  for (std::string line; std::getline(lines, line);) {
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t comma = line.rfind(',');
      sum += std::stod(line.substr(comma + 1));
      line.resize(comma);
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("layers.csv of a layout adds up to its step where software and wires add nothing") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("layers.toml", R"([workload]
network = "gpt2"
batch = 8
precision = "bf16"
optimizer = "adamw"
framework = "ideal"
[cluster]
system = "dgx-a100"
[[strategy]]
name = "one"
kind = "hybrid"
microbatch = 2
devices = 1
)");
  const ChildResult result = call_orrery({"run", scenario, "--json", "-o", folder.file("out")});
  REQUIRE(result.exit_code == 0);
  const double step = nlohmann::json::parse(result.output)["results"][0]["step_time_s"];
  CHECK(sum_of_last(read_file(folder.file("out/layers.csv")), 3) == Approx(step));
}

TEST_CASE("rows that were priced by different compute models are told apart under the table") {
  const TemporaryFolder folder;
  const std::string file = folder.write(
      "laws.toml",
      "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 32\nprecision = \"fp16\"\ncompute = "
      "\"roofline\"\n[cluster]\nsystem = \"dgx-a100\"\n"
      "[[strategy]]\nname = \"replicas\"\nkind = \"data\"\n[[strategy]]\nname = \"layout\"\nkind = \"hybrid\"\n");
  const ChildResult both = call_orrery({"run", file, "--quiet"});
  INFO(both.errors);
  const std::string models = "Strategies use different compute models, which may explain part of a difference:";
  CHECK(both.output.find(models + " hybrid by operators; data by roofline.") != std::string::npos);
  const std::string alone = read_file(file).substr(0, read_file(file).find("[[strategy]]\nname = \"layout\""));
  CHECK(call_orrery({"run", folder.write("alone.toml", alone), "--quiet"}).output.find("different compute") ==
        std::string::npos);
  CHECK(call_orrery({"run", file, "--quiet", "--set", "workload.compute=\"auto\""}).output.find("different compute") ==
        std::string::npos);
}

TEST_CASE("the bottleneck of a folded layout is the one of all its devices") {
  const TemporaryFolder folder;
  const std::string layout = "kind = \"hybrid\"\npp = 8\n";
  const std::string file =
      folder.write("folded.toml",
                   "[workload]\nnetwork = \"llama3.2-1b\"\nbatch = 64\nprecision = \"bf16\"\nframework = \"modern\"\n"
                   "[cluster]\nsystem = \"dgx-h100\"\nnodes = 4\nnics = 2\nnetwork_link = \"eth-25g\"\n"
                   "[[strategy]]\nname = \"folded\"\n" +
                       layout + "[[strategy]]\nname = \"whole\"\nfold = \"never\"\n" + layout);
  const ChildResult result = call_orrery({"run", file, "--quiet", "--json"});
  INFO(result.errors);
  REQUIRE(result.exit_code == 0);
  const auto rows = nlohmann::json::parse(result.output)["results"];
  CHECK(rows[0]["bottleneck_link"] == rows[1]["bottleneck_link"]);
  const auto utilisation = [&](std::size_t row) { return rows[row]["bottleneck_utilisation"].get<double>(); };
  CHECK(utilisation(1) > 0);
  CHECK(utilisation(0) == Approx(utilisation(1)).epsilon(1e-6));
}
