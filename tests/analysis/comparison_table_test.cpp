#include <regex>

#include "analysis/reports/reports.hpp"
#include "analysis/reports/text_table.hpp"
#include "analysis/reports/winners.hpp"
#include "sim/base/text.hpp"
#include "tests/analysis/hand_made.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

struct Comparison {
  Scenario scenario = hand_scenario(
      {StrategyKind::single, StrategyKind::data, StrategyKind::model, StrategyKind::pipeline, StrategyKind::federated});
  std::vector<Way> ways;

  Comparison() {
    scenario.strategies[4].federated.participation.clients_per_round = 3;
    scenario.workload.target_accuracy = 0.8;
    ways = {single_device_step(), two_device_step(), {}, two_device_step(), two_rounds_with_waste()};
    ways[2].strategy = "model";
    ways[2].status = WayStatus::infeasible;
    ways[2].error =
        "needs 20.00 GiB on each box of 16.00 GiB (weights 10.00, gradients 5.00, optimizer 5.00, "
        "activations 0.00); more devices, or a smaller batch, would mend it";
    ways[3].strategy = "pipeline";
    CurvePoint point;
    point.round = 100;
    point.accuracy = 0.8525;
    point.time = Seconds(550);
    point.bytes = Bytes(12e9);
    ways[1].curve = {point};
    point.time = Seconds(650);
    point.bytes = Bytes(0);
    ways[0].curve = {point};
    point.round = 2;
    point.accuracy = 0.79;
    ways[4].curve = {point};
  }
  [[nodiscard]] std::vector<ResultRow> rows() const { return result_rows(scenario, ways); }
};

TEST_CASE("the comparison, whole") {
  const Comparison comparison;
  CHECK(comparison_table(comparison.rows(), Colour::off) == R"(hand: what does it add up to?
tiny, batch 64, flow engine

strategy          dev    step  ratio  comp  comm  wait  sent/dev   mem/dev  to train  ratio   energy  waste     acc
-------------------------------------------------------------------------------------------------------------------
single*             1  6.50 s  1.00x  100%    0%    0%       0 B  4.50 GiB  10.8 min  1.00x  66.3 kJ         85.25%
data                2  5.50 s  0.85x   64%   18%   18%   1.00 GB  4.50 GiB  9.17 min  0.85x   109 kJ         85.25%
model      infeasible: needs 20.00 GiB on each box of 16.00 GiB (weights 10.00, gradients 5.00, optimizer 5.00,
           activations 0.00); more devices, or a smaller batch, would mend it
pipeline            2  5.50 s  0.85x   64%   18%   18%   1.00 GB  4.50 GiB  9.17 min  0.85x   109 kJ
federated  1.5 of 3/4  9.00 s          28%   28%   44%    700 kB  2.50 GiB    18.0 s  0.03x  2.36 kJ    43%  79.00%
* reference of the ratios. dev: devices. Shares of the step - comp: computing; comm: communication that computing does
not hide; wait: idle.
Federated, async: a step is one of the server; waste: trips that did not report and bytes sent again, of the clients'
and network's joules. Federated dev: (mean that reported of) clients per round / all.
federated: 1 of 2 rounds had too few reports (min_reports = 1) and left the model as it was

until 80%  steps      time  ratio    bytes   energy
---------------------------------------------------
single*      100  10.8 min  1.00x      0 B  66.3 kJ
data         100  9.17 min  0.85x  12.0 GB   109 kJ
federated  not reached; the best was 79.00%

fastest step      tie: data, pipeline (5.50 s)
fastest to train  tie: data, pipeline (9.17 min)
first to target   data (9.17 min)
bytes to target   single (0 B)
energy to target  single (66.3 kJ)
least memory      federated (2.50 GiB per device)
best accuracy     tie: single, data (85.25%)
)");
}

TEST_CASE("colours add nothing but escape codes") {
  const Comparison comparison;
  const std::string coloured = comparison_table(comparison.rows(), Colour::on);
  const std::string plain = comparison_table(comparison.rows(), Colour::off);
  CHECK(coloured != plain);
  CHECK(plain.find('\033') == std::string::npos);
  CHECK(std::regex_replace(coloured, std::regex("\033\\[[0-9]+m"), "") == plain);
}

TEST_CASE("no line is wider than 120 characters, whatever the figures") {
  Comparison comparison;
  comparison.scenario.cost = {0.3, 2.0, "EUR"};
  comparison.scenario.strategies[4].name = comparison.ways[4].strategy = "federated-averaging";
  comparison.scenario.energy.gCO2e_per_kWh = 400;
  for (Way& way : comparison.ways) way.steps *= 1234;
  comparison.ways[4].curve.back().accuracy = 0.9;
  comparison.ways.push_back(comparison.ways[4]);  // another seed
  comparison.ways.back().curve.back().accuracy = 0.89;
  comparison.ways.back().curve.back().time = Seconds(1234.5);
  for (const std::string& line : split(comparison_table(comparison.rows(), Colour::off), '\n')) {
    INFO(line);
    CHECK(character_count(line) <= 120);
  }
}

TEST_CASE("with several seeds accuracy and time to the target have their spread") {
  Comparison comparison;
  for (const double accuracy : {0.82, 0.84}) {
    comparison.ways[4].curve.back().accuracy = accuracy;
    comparison.ways[4].curve.back().time = Seconds(accuracy == 0.82 ? 100 : 140);
    if (accuracy == 0.82) comparison.ways.push_back(comparison.ways[4]);
  }
  const std::string table = comparison_table(comparison.rows(), Colour::off);
  CHECK(table.find("  83.00\u00b11.41%\n") != std::string::npos);
  CHECK(table.find("2.00 min \u00b1 28.3 s\n") != std::string::npos);
  CHECK(table.find("acc: mean \u00b1 ") != std::string::npos);
}

TEST_CASE("without a number of steps, steps are compared by their energy") {
  Comparison comparison;
  for (Way& way : comparison.ways) way.steps = 0;
  const std::string table = comparison_table(comparison.rows(), Colour::off);
  CHECK(table.find("to train") == std::string::npos);
  CHECK(table.find("energy/step") != std::string::npos);
  CHECK(table.find("least energy/step single (663 J)") != std::string::npos);
}

TEST_CASE("a long question is wrapped") {
  Comparison comparison;
  for (int i = 0; i < 50; ++i) comparison.scenario.question += " what?";
  for (const std::string& line : split(comparison_table(comparison.rows(), Colour::off), '\n')) {
    CHECK(character_count(line) <= 120);
  }
}

TEST_CASE("an infeasible reference gives no ratios") {
  Comparison comparison;
  comparison.scenario.reference = "model";
  const std::string table = comparison_table(comparison.rows(), Colour::off);
  CHECK(table.find("ratio") == std::string::npos);
  CHECK(table.find("1.00x") == std::string::npos);
}

TEST_CASE("winners: ties are named, a federated round is no step, one candidate wins nothing") {
  const Comparison comparison;
  const std::vector<ResultRow> rows = comparison.rows();
  const std::vector<Winner> best = winners(rows);
  const auto of = [&](const std::string& criterion) {
    for (const Winner& winner : best) {
      if (winner.criterion == criterion) return join(winner.strategies, "+") + " " + winner.value;
    }
    return std::string("nobody");
  };
  CHECK(of("fastest step") == "data+pipeline 5.50 s");
  CHECK(of("fastest to train") == "data+pipeline 9.17 min");  // federated missed the target
  CHECK(of("fewest bytes") == "nobody");                      // the target's says the same
  CHECK(of("least energy") == "nobody");
  CHECK(of("least memory") == "federated 2.50 GiB per device");
  CHECK(of("best accuracy") == "single+data 85.25%");
  CHECK(of("first to target") == "data 9.17 min");
  CHECK(of("bytes to target") == "single 0 B");
  CHECK(of("energy to target") == "single 66.3 kJ");
  CHECK(of("cheapest") == "nobody");
  CHECK(winners({rows[1]}).empty());
}

std::string winner(const std::vector<ResultRow>& rows, const std::string& criterion) {
  for (const Winner& winner : winners(rows)) {
    if (winner.criterion == criterion) return join(winner.strategies, "+") + " " + winner.value;
  }
  return "nobody";
}

TEST_CASE("a way to which nobody ever reported wins nothing that a training takes, and is named") {
  Comparison comparison;
  comparison.scenario.workload.target_accuracy = 0;
  CHECK(winner(comparison.rows(), "fastest to train") == "federated 18.0 s; 1.5 of 3 clients a round counted");
  for (Trip& trip : comparison.ways[4].federated.trips) trip.how = TripEnd::late;
  const auto rows = comparison.rows();
  CHECK(winner(rows, "fastest to train") == "data+pipeline 9.17 min");
  CHECK(winner(rows, "least energy") == "single 66.3 kJ");
  const std::string table = comparison_table(rows, Colour::off);
  CHECK(table.find("\nfederated: no round had reports enough (min_reports = 1); the model is as it began\n") !=
        std::string::npos);
  CHECK(table.find("  100%  79.00%\n") != std::string::npos);
  CHECK(rows[4].federated->waste_share().value() == Approx(1));
}

TEST_CASE("a way most of whose rounds had too few reports wins nothing that a training takes, and says why") {
  Comparison comparison;
  comparison.scenario.workload.target_accuracy = 0;
  comparison.scenario.strategies[4].federated.participation.min_reports = 3;
  ServerStep third = comparison.ways[4].federated.steps.back();
  third.begin = third.end;
  third.end = Seconds(20);
  comparison.ways[4].federated.steps.push_back(third);
  comparison.ways[4].steps = 3;
  const auto rows = comparison.rows();
  CHECK(winner(rows, "fastest to train") == "data+pipeline 9.17 min");
  CHECK(winner(rows, "least energy") == "single 66.3 kJ");
  CHECK(winner(rows, "least memory") == "federated 2.50 GiB per device");
  const std::string table = comparison_table(rows, Colour::off);
  CHECK(table.find(
            "\nfederated: 2 of 3 rounds had too few reports (min_reports = 3) and left the model as it was: it does "
            "not compete for\nwhat a training takes\n") != std::string::npos);
}

TEST_CASE("a round of a secure sum that is not recovered is told with its threshold") {
  Comparison comparison;
  comparison.scenario.strategies[4].federated.secure.emplace().threshold = 0.75;
  CHECK(
      comparison_table(comparison.rows(), Colour::off)
          .find(
              "\nfederated: 1 of 2 rounds had too few reports (min_reports = 1, secure_threshold = 0.75) and left the "
              "model as it was\n") != std::string::npos);
}

TEST_CASE("a winner that reached the target did so with however few clients") {
  Comparison comparison;
  comparison.ways[4].curve.back().accuracy = 0.9;
  comparison.ways[4].curve.back().time = Seconds(18);
  CHECK(winner(comparison.rows(), "fastest to train") == "nobody");  // the same words as:
  CHECK(winner(comparison.rows(), "first to target") == "federated 18.0 s");
}

TEST_CASE("where every way that learns stopped at the target, none is the most accurate") {
  Comparison comparison;
  CHECK(winner(comparison.rows(), "best accuracy") == "single+data 85.25%");
  comparison.ways[4].curve.back().accuracy = 0.9;
  CHECK(winner(comparison.rows(), "best accuracy") == "nobody");
  comparison.ways.push_back(comparison.ways[4]);  // another seed, which missed it
  comparison.ways.back().curve.back().accuracy = 0.7;
  CHECK(winner(comparison.rows(), "best accuracy") == "single+data 85.25%");
}

TEST_CASE("the cheapest speaks for those that have a price, and carbon has a column and a winner") {
  Comparison comparison;
  comparison.scenario.workload.target_accuracy = 0;
  comparison.scenario.cost = {0.3, 2.0, "EUR"};
  comparison.scenario.energy.gCO2e_per_kWh = 400;
  const auto rows = comparison.rows();
  CHECK(winner(rows, "cheapest").find("; of the 3 ways that have a price and trained") != std::string::npos);
  CHECK(winner(rows, "least CO2e").substr(0, 10) == "federated ");
  CHECK(comparison_table(rows, Colour::off).find(" CO2e ") != std::string::npos);
}

TEST_CASE("when not all seeds reach the target the table says how many, and means are of all seeds") {
  Comparison comparison;
  comparison.ways.push_back(comparison.ways[4]);
  comparison.ways.back().curve.back().accuracy = 0.85;
  const auto rows = comparison.rows();
  CHECK(rows[4].seeds.reached == 1U);
  CHECK(rows[4].seeds.time_to_train_s.value().mean == Approx(18));
  CHECK(rows[4].seeds.energy_J.value().sd == Approx(0).margin(1e-9));
  const std::string table = comparison_table(rows, Colour::off);
  CHECK(table.find(
            "not reached by the first seed; 1 of 2 seeds reached it; the best was 82.00%, mean over the seeds\n") !=
        std::string::npos);
}

TEST_CASE("layouts have the range of their step and their utilisation beside it") {
  Comparison comparison;
  comparison.scenario.strategies[3].kind = StrategyKind::hybrid;
  const std::string without = comparison_table(comparison.rows(), Colour::off);
  CHECK(without.find("range") == std::string::npos);
  comparison.ways[3].layout.emplace().step_time = {5, 4, 15};
  const std::string table = comparison_table(comparison.rows(), Colour::off);
  CHECK(table.find(" 5.50 s 4.40-16.5 ") != std::string::npos);
  CHECK(table.find(" mfu ") != std::string::npos);
  CHECK(table.find("\nrange: of the step, from the ranges of all constants together") != std::string::npos);
  CHECK(table.find("\nmfu: model FLOPs of a step / ") != std::string::npos);
  const ResultRow row = comparison.rows()[3];
  for (const Column& column : columns()) {
    if (column.name == "step_time_low_s") CHECK(cell_text(column.get(row)) == "4.4");
    if (column.name == "step_time_high_s") CHECK(cell_text(column.get(row)) == "16.5");
  }
}

TEST_CASE("a parameter server is one of the devices, as in the results") {
  Comparison comparison;
  CHECK(comparison_table(comparison.rows(), Colour::off).find("server included") == std::string::npos);
  comparison.scenario.strategies[1].devices = 1;
  const std::string table = comparison_table(comparison.rows(), Colour::off);
  CHECK(table.find("\ndata                2 ") != std::string::npos);
  CHECK(table.find(" dev: devices, a parameter server included.") != std::string::npos);
}

TEST_CASE("what moving the data to the cluster is part of is told where data is moved") {
  Comparison comparison;
  CHECK(comparison_table(comparison.rows(), Colour::off).find("Moving the data") == std::string::npos);
  comparison.ways[1].data_transfer.time = Seconds(90);
  comparison.ways[1].data_transfer.bytes = Bytes(3e9);
  const std::string line =
      "\nMoving the data to the cluster (1.50 min, 3.00 GB) is in to train, energy, cost and the winners' bytes, not "
      "in "
      "the step.\n";
  CHECK(comparison_table(comparison.rows(), Colour::off).find(line) != std::string::npos);
  comparison.ways[1].steps = 0;
  CHECK(comparison_table(comparison.rows(), Colour::off).find("Moving the data") == std::string::npos);
}

TEST_CASE("columns that are not there are not explained") {
  Comparison comparison;
  for (Way& way : comparison.ways) way.status = WayStatus::infeasible;
  const std::string table = comparison_table(comparison.rows(), Colour::off);
  CHECK(table.find("Shares of the step") == std::string::npos);
  CHECK(table.find("\ndata       infeasible: ") != std::string::npos);
}

TEST_CASE("a list has its texts under each other, wrapped beside the names") {
  const std::vector<std::pair<std::string, std::string>> entries = {{"a", "one two three"}, {"long", ""}};
  CHECK(join(named_list(entries, 13), "\n") == "a     one two\n      three\nlong");
  CHECK(join(named_list(entries, 100), "\n") == "a     one two three\nlong");
}

TEST_CASE("a table drops empty columns, aligns by characters and wraps sentences") {
  const std::vector<TextColumn> columns = {{"name", Align::left}, {"a"}, {"empty"}, {"b"}};
  const std::vector<TextRow> rows = {{{"\xC3\xBC", "1", "", "22"}, {}}, {{"yy"}, "one two three four"}};
  CHECK(join(text_table(columns, rows, 16), "\n") ==
        "name  a   b\n"
        "-----------\n"
        "\xC3\xBC     1  22\n"
        "yy    one two\n"
        "      three four");
  CHECK(join(text_table(columns, rows, 10), "\n") ==
        "name a  b\n"
        "---------\n"
        "\xC3\xBC    1 22\n"
        "yy   one\n"
        "     two\n"
        "     three\n"
        "     four");
}

}  // namespace
}  // namespace orrery
