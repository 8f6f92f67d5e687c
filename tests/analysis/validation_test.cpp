// Published rows of federated averaging, and what is said of our reruns.
#include <algorithm>
#include <set>

#include "analysis/validation/verdicts.hpp"
#include "models/networks/layer_graph.hpp"
#include "models/training/partition.hpp"
#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

PublishedRow published(const std::string& name, std::size_t clients, const std::string& partition, double rounds) {
  PublishedRow row;
  row.name = name;
  row.network = "2nn";
  row.partition = partition;
  row.clients_per_round = clients;
  row.target_accuracy = 0.97;
  row.published_rounds = rounds;
  row.band_low = 0.25;
  row.band_high = 1.1;
  row.certainty = "read";
  row.source = "McMahan et al. 2017 table 1 C = " + std::to_string(clients);
  return row;
}

const std::vector<PublishedRow>& three_rows() {
  static const std::vector<PublishedRow> rows = {
      published("iid", 10, "iid", 100), published("shards", 10, "shards", 400), published("one", 1, "iid", 120)};
  return rows;
}

}  // namespace

TEST_CASE("rounds to a target are read off the monotone curve by straight lines") {
  const std::vector<RoundAccuracy> curve = {{0, 0.1}, {1, 0.5}, {2, 0.4}, {3, 0.7}, {10, 0.9}};
  CHECK(rounds_to_target(curve, 0.3).value() == Approx(0.5));
  CHECK(rounds_to_target(curve, 0.6).value() == Approx(2.5));  // from the best so far, 0.5, not from 0.4
  CHECK(rounds_to_target(curve, 0.8).value() == Approx(6.5));
  CHECK(rounds_to_target(curve, 0.7).value() == Approx(3));
  CHECK(rounds_to_target(curve, 0.1).value() == 0);
  CHECK_FALSE(rounds_to_target(curve, 0.95).has_value());
  CHECK_FALSE(rounds_to_target({}, 0.1).has_value());
}

TEST_CASE("a row is inside when ours / published lies in its band") {
  const std::vector<RerunRow> ours = {
      {"iid", 1, 25.0, 0.1, 0.97}, {"shards", 1, 441.0, 0.1, 0.97}, {"one", 1, std::nullopt, 0.1, 0.9}};
  const std::vector<RowVerdict> rows = judge_rows(three_rows(), ours);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].ratio().value() == 0.25);
  CHECK(rows[0].inside());
  CHECK_FALSE(rows[1].inside());  // 1.1025
  CHECK_FALSE(rows[2].ratio().has_value());
  CHECK_FALSE(rows[2].inside());
  CHECK(judge_rows(three_rows(), {{"shards", 1, 100.0, 0.1, 0.97}}).size() == 1);
}

TEST_CASE("orderings are asked of rows that differ in one setting and clearly in rounds") {
  const auto orderings = [](double iid, std::optional<double> shards, double one) {
    const std::vector<RerunRow> ours = {
        {"iid", 1, iid, 0.1, 0.97}, {"shards", 1, shards, 0.1, 0.97}, {"one", 1, one, 0.1, 0.97}};
    return judge_orderings(judge_rows(three_rows(), ours));
  };
  // iid and one differ by 1.2 only; shards and one in two settings.
  REQUIRE(orderings(50, 300, 70).size() == 1);
  CHECK(orderings(50, 300, 70)[0].fewer == "iid");
  CHECK(orderings(50, 300, 70)[0].more == "shards");
  CHECK(orderings(50, 300, 70)[0].holds);
  CHECK_FALSE(orderings(50, 40, 70)[0].holds);
  CHECK(orderings(50, std::nullopt, 70)[0].holds);  // never there is later
}

TEST_CASE("ratios are of rows that both reached their targets") {
  const std::vector<PublishedRatio> ratios = {{"shards against IID", "shards", "iid", 4, 2, 6},
                                              {"one against ten", "one", "iid", 1.2, 0.8, 1.6}};
  const std::vector<RerunRow> ours = {
      {"iid", 1, 50.0, 0.1, 0.97}, {"shards", 1, 350.0, 0.1, 0.97}, {"one", 1, std::nullopt, 0.1, 0.9}};
  const std::vector<RowVerdict> rows = judge_rows(three_rows(), ours);
  const std::vector<RatioVerdict> verdicts = judge_ratios(ratios, rows);
  REQUIRE(verdicts.size() == 1);
  CHECK(verdicts[0].ours == 7);
  CHECK_FALSE(verdicts[0].inside());
}

TEST_CASE("finished rows read back as they were") {
  const std::vector<RerunRow> ours = {{"iid", 7, 43.25, 0.1, 0.9712}, {"one", 7, std::nullopt, 0.3, 0.95}};
  const ScratchFolder folder;
  const std::string file = (folder.path() / "rows.csv").string();
  write_file(file, to_csv(judge_rows(three_rows(), ours)));
  Problems problems;
  const std::vector<RerunRow> again = read_reruns(file, problems);
  CHECK(problems.empty());
  REQUIRE(again.size() == 2);
  CHECK(again[0].rounds.value() == 43.25);
  CHECK(again[0].seed == 7);
  CHECK(again[1].name == "one");
  CHECK_FALSE(again[1].rounds.has_value());
  CHECK(again[1].learning_rate == 0.3);
}

TEST_CASE("the published tables are whole: every cell once, of networks and partitions that exist") {
  const std::vector<PublishedRow> rows = published_rows();
  std::set<std::string> names;
  for (const PublishedRow& row : rows) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    const std::vector<std::string> networks = network_names();
    CHECK(std::find(networks.begin(), networks.end(), row.network) != networks.end());
    CHECK(std::any_of(partitions().begin(), partitions().end(),
                      [&](const PartitionEntry& entry) { return entry.name == row.partition; }));
    CHECK(row.clients_per_round <= 100);
    CHECK_FALSE(row.learning_rates.empty());
  }
  const auto of_table = [&](const std::string& table) {
    return std::count_if(rows.begin(), rows.end(),
                         [&](const PublishedRow& row) { return row.source.find(table) != std::string::npos; });
  };
  CHECK(of_table("table 1") == 40 - 5);  // five cells are dashes
  CHECK(of_table("table 2") == 18);
  CHECK(of_table("table 4") == 18);
  CHECK(std::count_if(rows.begin(), rows.end(), [](const PublishedRow& row) { return row.fast; }) == 4);
  CHECK(published_ratios(rows).size() == 3);
}

}  // namespace orrery
