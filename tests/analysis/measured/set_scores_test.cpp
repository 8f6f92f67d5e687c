// Statistics of sets, by hand.
#include "analysis/validation/measured/set_scores.hpp"

#include <cmath>

#include "tests/catch.hpp"

namespace orrery {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Rows of one job with tp 1, 2, 4, ...
std::vector<MeasuredRow> rows_with(const std::vector<double>& measured, const std::string& unit) {
  std::vector<MeasuredRow> rows;
  for (const double value : measured) {
    MeasuredRow row;
    row.id = "A-T-" + std::to_string(rows.size());
    row.set = "A-T";
    row.metric = unit == "ms" ? "iteration_time" : "throughput";
    row.unit = unit;
    row.model = "GPT";
    row.value = value;
    row.tp = std::int64_t{1} << rows.size();
    rows.push_back(row);
  }
  return rows;
}

std::vector<RowOutcome> outcomes_of(const std::vector<MeasuredRow>& rows, const std::vector<Ranged>& predicted) {
  std::vector<RowOutcome> outcomes;
  for (std::size_t at = 0; at < rows.size(); ++at) outcomes.push_back({&rows[at], predicted[at], "", {1, -1}});
  return outcomes;
}

}  // namespace

TEST_CASE("rank correlation by hand, ties at the mean of their ranks") {
  CHECK(rank_correlation({1, 2, 3, 4}, {10, 20, 30, 40}).value() == Approx(1));
  CHECK(rank_correlation({1, 2, 3, 4}, {4, 3, 2, 1}).value() == Approx(-1));
  CHECK(rank_correlation({1, 2, 3}, {1, 3, 2}).value() == Approx(0.5));  // 1 - 6 (0 + 1 + 1) / (3 x 8)
  // ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / sqrt(4.5 x 5)
  CHECK(rank_correlation({1, 2, 2, 5}, {1, 2, 3, 4}).value() == Approx(4.5 / std::sqrt(4.5 * 5)));
  CHECK_FALSE(rank_correlation({1, 1, 1}, {1, 2, 3}).has_value());
}

TEST_CASE("regret: how much worse the layout predicted best is than the best") {
  CHECK(regret({10, 12, 11}, {5, 6, 7}, Better::lower) == 0);
  CHECK(regret({10, 12, 11}, {6, 5, 7}, Better::lower) == Approx(0.2));
  CHECK(regret({100, 80, 90}, {1, 3, 2}, Better::higher) == Approx(0.25));
}

TEST_CASE("errors, bias, coverage and the null model of a set") {
  const auto rows = rows_with({10, 20, 40, 80}, "ms");
  auto outcomes = outcomes_of(rows, {Ranged(11, 9, 12), Ranged(18, 17, 19), Ranged(40, 39, 41), Ranged(80, 79, 81)});
  outcomes[3].predicted.reset();
  outcomes[3].reason = "missing";
  const auto scores = set_scores(outcomes, {{"A-T", "calibration", ""}});
  REQUIRE(scores.size() == 1);
  CHECK(scores[0].role == "calibration");
  CHECK(scores[0].rows == 4);
  CHECK(scores[0].scored == 3);
  CHECK(scores[0].mean == Approx(0.2 / 3));
  CHECK(scores[0].median == Approx(0.1));
  CHECK(scores[0].worst == Approx(0.1));
  CHECK(scores[0].bias == Approx(0.0).margin(1e-12));
  CHECK(scores[0].covered == Approx(2.0 / 3));
  CHECK(scores[0].rank.value() == Approx(1));
  CHECK(scores[0].regret.value() == 0);
  // one rate for 10, 20, 40 ms of equal work: the median, 20 ms
  CHECK(scores[0].null_mean.value() == Approx((1.0 + 0 + 0.5) / 3));
}

TEST_CASE("a set of rates and efficiencies has a null model of each") {
  const auto rows = rows_with({10, 20, 20, 0.5, 1}, "x");
  auto outcomes = outcomes_of(rows, {Ranged(1), Ranged(1), Ranged(1), Ranged(1), Ranged(1)});
  for (RowOutcome& outcome : outcomes) outcome.null.exponent = 1;
  for (std::size_t at = 3; at < 5; ++at) outcomes[at].null.rate = NullModel::Rate::scaling;
  // 20 for 10, 20, 20; the geometric mean of 0.5 and 1 for these two
  const double middle = std::sqrt(0.5);
  CHECK(set_scores(outcomes, {})[0].null_mean.value() == Approx((1 + (middle / 0.5 - 1) + (1 - middle)) / 5));
}

TEST_CASE("layouts of one job are a group, other batches are other jobs") {
  auto rows = rows_with({1, 2, 3, 4}, "tokens/s");
  rows[3].global_batch = 7;
  const auto outcomes = outcomes_of(rows, {Ranged(1), Ranged(2), Ranged(3), Ranged(4)});
  std::vector<const RowOutcome*> pointers;
  for (const RowOutcome& outcome : outcomes) pointers.push_back(&outcome);
  const auto groups = layout_groups(pointers, 3);
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].size() == 3);
  CHECK(layout_groups(pointers, 4).empty());
}

TEST_CASE("sets stand in the order of their rows, those without a prediction too") {
  auto rows = rows_with({1, 2}, "ms");
  rows[1].set = "E-T";
  auto outcomes = outcomes_of(rows, {Ranged(1), Ranged(2)});
  outcomes[1].predicted.reset();
  const auto scores = set_scores(outcomes, {});
  REQUIRE(scores.size() == 2);
  CHECK(scores[0].set == "A-T");
  CHECK(scores[0].role == "test");
  CHECK(scores[1].scored == 0);
  const auto table = score_table(scores, 120);
  REQUIRE(table.size() == 4);
  CHECK(has(table[2], "A-T  test"));
}

TEST_CASE("what calibrates is never counted with what tests") {
  auto rows = rows_with({1, 2, 4}, "ms");
  rows[2].set = "A-C";
  const auto outcomes = outcomes_of(rows, {Ranged(1.1), Ranged(2), Ranged(8)});
  const auto scores = role_scores(outcomes, {{"A-C", "calibration", ""}});
  REQUIRE(scores.size() == 2);
  CHECK(scores[0].role == "test");
  CHECK(scores[0].scored == 2);
  CHECK(scores[0].mean == Approx(0.05));
  CHECK(scores[1].role == "calibration");
  CHECK(scores[1].mean == Approx(1));
  CHECK_FALSE(scores[0].null_mean.has_value());
}

TEST_CASE("roles of the sets that ship") {
  Problems problems;
  const auto roles = read_set_roles(problems);
  problems.throw_if_any();
  const auto role = [&](const std::string& set) {
    for (const SetRole& known : roles) {
      if (known.set == set) return known.role;
    }
    return std::string("test");
  };
  CHECK(role("A-VTS") == "calibration");
  CHECK(role("A-NEMOL") == "doubtful");
  CHECK(role("A-KORT") == "test");
}

}  // namespace orrery
