// Shapes that reports from production show (Yousefpour et al. 2023, Green Federated Learning, arXiv 2303.14604): no
// figure of theirs can be compared, since their phones and model are not ours, but how carbon, time and shares move
// can. What we get is printed.
#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/text.hpp"
#include "tests/catch.hpp"
#include "tests/cli/orrery_process.hpp"

using orrery::ChildResult;
using orrery::CsvRow;
using orrery::CsvTable;
using orrery::Problems;
using orrery::testing::call_orrery;
using orrery::testing::TemporaryFolder;

namespace {

// 34 samples per user, a timeout of 4 minutes and 400 g/kWh: the report's 34 and 240 s, and an assumed grid.
// sample_ms and speed_sigma: assumed; 0.6 is FedScale's spread.
const std::string phones =
    "device = \"phone-mid\"\nlink = \"wifi5\"\nspeed_sigma = 0.6\nsample_ms = 20\nserver = \"xeon-8380\"\n"
    "server_link = \"eth-10g\"\n";
const std::string grid = "[energy]\ngCO2e_per_kWh = 400\n";

using Columns = std::map<std::string, double>;

/// results.csv of a run, by strategy.
std::map<std::string, Columns> run(const std::string& scenario) {
  const TemporaryFolder folder;
  const ChildResult result =
      call_orrery({"run", folder.write("shapes.toml", scenario), "-o", folder.file("out"), "--quiet"});
  INFO(result.errors);
  REQUIRE(result.exit_code == 0);
  const std::vector<std::string> wanted = {
      "emissions_kgCO2e",        "time_to_train_s", "time_to_accuracy_s", "steps",
      "energy_client_compute_J", "energy_upload_J", "energy_download_J",  "energy_client_idle_J",
      "energy_network_J",        "energy_server_J"};
  Problems problems;
  const std::string csv = orrery::read_file(folder.file("out") + "/results.csv");
  const std::string header = csv.substr(0, csv.find('\n'));
  CsvTable table = CsvTable::parse(csv, "results.csv", {{}, orrery::split(header, ',')}, problems);
  problems.throw_if_any();
  std::map<std::string, Columns> rows;
  for (CsvRow& row : table.rows()) {
    for (const std::string& column : wanted) rows[row.text("strategy")][column] = row.number(column).value_or(0);
  }
  return rows;
}

std::string strategy(const std::string& name, const std::string& keys) {
  return "[[strategy]]\nname = \"" + name + "\"\nkind = \"federated\"\n" + keys;
}

double of_clients(const Columns& row) {
  return row.at("energy_client_compute_J") + row.at("energy_upload_J") + row.at("energy_download_J");
}

double server_share(const Columns& row) {
  const double all =
      of_clients(row) + row.at("energy_client_idle_J") + row.at("energy_network_J") + row.at("energy_server_J");
  return row.at("energy_server_J") / all;
}

/// Share of the variance of y that a straight line over x explains.
double r_squared(const std::vector<double>& x, const std::vector<double>& y) {
  double mean_x = 0, mean_y = 0, xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / static_cast<double>(x.size());
    mean_y += y[i] / static_cast<double>(y.size());
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  return xy * xy / (xx * yy);
}

}  // namespace

// The report counts 45 W for each of two servers that are busy for 1 %; ours is a whole Xeon that stands by, so that
// its share gets to a few percent at a higher concurrency than theirs.
TEST_CASE("carbon is linear in concurrency x rounds, and the server's share falls to a few percent") {
  std::string scenario =
      "[workload]\nnetwork = \"2nn\"\ndataset_samples = 170000\n[federation]\nclients = 5000\n" + phones + grid;
  for (const int clients : {50, 200, 800, 3200}) {
    for (const int rounds : {5, 10}) {
      scenario += strategy(fmt::format("{}x{}", clients, rounds),
                           fmt::format("clients_per_round = {}\nrounds = {}\ndeadline_s = 240\n", clients, rounds));
    }
  }
  auto rows = run(scenario);
  std::vector<double> work, carbon;
  for (const int clients : {50, 200, 800}) {  // the report: 50 to 1,500
    for (const int rounds : {5, 10}) {
      work.push_back(clients * rounds);
      carbon.push_back(rows.at(fmt::format("{}x{}", clients, rounds)).at("emissions_kgCO2e"));
    }
  }
  const double fit = r_squared(work, carbon);
  const double few = server_share(rows.at("50x10")), many = server_share(rows.at("800x10")),
               most = server_share(rows.at("3200x10"));
  const double sooner = rows.at("50x10").at("time_to_train_s") / rows.at("800x10").at("time_to_train_s");
  std::cerr << fmt::format(
      "carbon over concurrency x rounds: R2 = {:.4f}; server's share {:.1f} % of 50 clients at once, {:.1f} % of 800, "
      "{:.1f} % of 3,200 (published: 1 to 2 % of 1,000); a round of 800 takes {:.1f} times as long as one of 50\n",
      fit, 100 * few, 100 * many, 100 * most, 1 / sooner);
  CHECK(fit > 0.98);
  CHECK(many < 0.10);
  CHECK(many < few / 3);
  CHECK(most < 0.05);
}

TEST_CASE("asynchronous training gets to its target sooner, and costs its clients more") {
  // The buffer is the concurrency, as in the report (both 1,000).
  const auto rows =
      run("[workload]\nnetwork = \"2nn\"\ndataset = \"synthetic\"\nlearn = true\ntarget_accuracy = 0.85\n"
          "learning_rate = 0.02\n[federation]\nclients = 200\npartition = \"dirichlet-clients\"\nalpha = 0.5\n" +
          phones + grid + strategy("sync", "clients_per_round = 100\nrounds = 100\n") +
          strategy("async", "algorithm = \"fedbuff\"\nclients_per_round = 100\nbuffer = 100\nrounds = 100\n"));
  const Columns &sync = rows.at("sync"), &async = rows.at("async");
  const double sooner = sync.at("time_to_accuracy_s") / async.at("time_to_accuracy_s");
  const double dearer = of_clients(async) / of_clients(sync);
  std::cerr << fmt::format(
      "asynchronous: {:.1f} times sooner, {:.2f} times the clients' joules, {} server steps for {}\n", sooner, dearer,
      async.at("steps"), sync.at("steps"));
  CHECK(sooner > 1.5);
  CHECK(dearer > 1.05);
}
