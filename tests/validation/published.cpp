// Predictions against published measurements, nothing tuned to them. The table is printed whatever it says; the bounds
// say how wrong the README admits the model to be, so that a change that makes it worse shows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

#include "scenarios/way.hpp"
#include "sim/base/csv.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"
#include "tests/topologies/shipped_catalogue.hpp"

using orrery::CsvRow;
using orrery::CsvTable;
using orrery::Problems;
using orrery::read_scenario;
using orrery::Scenario;
using orrery::shipped_catalogue;
using orrery::simulate_way;
using orrery::Way;
using orrery::WayStatus;

namespace {

struct Row {
  std::string device, node_link, precision;
  int devices = 1, batch = 1;
  double published = 0, predicted = 0;
  [[nodiscard]] double error() const { return predicted / published - 1.0; }
};

std::vector<Row> read_rows(const std::string& file) {
  Problems problems;
  CsvTable table = CsvTable::read(
      file, {{"device", "devices", "node_link", "precision", "batch_per_device", "images_per_s"}, {}}, problems);
  std::vector<Row> rows;
  for (CsvRow& cells : table.rows()) {
    Row row;
    row.device = cells.text("device");
    row.node_link = cells.text("node_link");
    row.precision = cells.text("precision");
    row.devices = static_cast<int>(cells.required_number("devices"));
    row.batch = static_cast<int>(cells.required_number("batch_per_device"));
    row.published = cells.required_number("images_per_s");
    rows.push_back(row);
  }
  problems.throw_if_any();
  return rows;
}

std::string scenario_of(const Row& row) {
  return fmt::format(
      "[scenario]\nname = \"row\"\n[workload]\nnetwork = \"resnet50\"\nbatch = {}\nprecision = \"{}\"\noptimizer = "
      "\"momentum\"\n"
      "[cluster]\ndevice = \"{}\"\ndevices_per_node = {}\n{}[[strategy]]\nname = \"way\"\nkind = \"{}\"\n{}",
      row.batch * row.devices, row.precision, row.device, row.devices,
      row.devices > 1 ? fmt::format("node_link = \"{}\"\n", row.node_link) : "", row.devices > 1 ? "data" : "single",
      row.devices > 1 ? fmt::format("devices = {}\n", row.devices) : "");
}

double predict(const Row& row) {
  const orrery::testing::TemporaryFolder folder;
  const Scenario scenario = read_scenario(folder.write("row.toml", scenario_of(row)), {}, shipped_catalogue());
  const Way way = simulate_way(scenario, 0, shipped_catalogue(), {});
  INFO(way.error);
  REQUIRE(way.status != WayStatus::failed);
  if (way.status == WayStatus::infeasible) return 0.0;
  return way.samples_per_step / (way.records.makespan.value() * (1.0 + way.straggler_share));
}

}  // namespace

TEST_CASE("ResNet-50 training throughput stays within the error that the README admits", "[validation]") {
  std::vector<Row> rows = read_rows(std::string(ORRERY_TEST_DIR) + "/validation/resnet50_training.csv");
  double sum = 0.0, worst = 0.0;
  std::cout << "device         devices  precision  published  predicted  error\n";
  for (Row& row : rows) {
    row.predicted = predict(row);
    std::cout << fmt::format("{:<14} {:>7}  {:<9} {:>10.0f} {:>10.0f}  {:>+5.0f} %\n", row.device, row.devices,
                             row.precision, row.published, row.predicted, 100.0 * row.error());
    sum += std::fabs(row.error());
    worst = std::max(worst, std::fabs(row.error()));
  }
  const double mean = sum / static_cast<double>(rows.size());
  std::cout << fmt::format("mean absolute error {:.0f} %, worst {:.0f} %\n", 100.0 * mean, 100.0 * worst);
  CHECK(mean < 0.12);
  CHECK(worst < 0.30);
}
