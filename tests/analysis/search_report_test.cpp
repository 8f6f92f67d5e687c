// What a search that finds nothing says.
#include "analysis/reports/search_report.hpp"
#include "analysis/reports/rejection_text.hpp"
#include "tests/catch.hpp"

namespace orrery {

TEST_CASE("what fits and misses a limit is nearer than what comes closer to fitting") {
  SearchResult result;
  CHECK(nearest_constraint(result) == "there is no layout to judge");
  result.rejections = {{"a rule", 9, "rule", 0, ConstraintKind::rule},
                       {"another", 8, "other", 0, ConstraintKind::rule}};
  CHECK(nearest_constraint(result) == "rule");
  result.rejections.push_back({"does not fit", 5, "memory", 1.01, ConstraintKind::memory});
  CHECK(nearest_constraint(result) == "memory");
  result.rejections.push_back({"over: step", 2, "step", 28.7, ConstraintKind::limit});
  result.rejections.push_back({"over: cost", 1, "cost", 3, ConstraintKind::limit});
  CHECK(nearest_constraint(result) == "cost");
}

TEST_CASE("a constraint is told without its numbers, or with one letter for each") {
  CHECK(rejection_text("tp N does not divide the N heads of gpt2") == "tp does not divide the heads");
  CHECK(rejection_text("interleaving needs micro-batches in multiples of pp N, there are N") ==
        "micro-batches are no multiple of pp (interleaving needs that)");
  CHECK(rejection_text(
            "etp N with tp N: without sequence parallelism every rank has the same tokens to send to experts") ==
        "etp 1 without sequence parallelism: every rank would send experts the same tokens");
  CHECK(rejection_text("over the limit: memory N of N GiB") == "over the limit: memory");
  CHECK(rejection_text("over the limit: step N of N ms and cost of a step N of N and energy of a step N of N mJ") ==
        "over the limit: step and cost of a step and energy of a step");
  CHECK(rejection_text("does not fit in the device's memory") == "does not fit in the device's memory");
  CHECK(rejection_text("a rule of N, N and NN") == "a rule of N, M and NN");
}

TEST_CASE("constraints that differ by numbers in their words are one, with the nearest of all") {
  SearchResult result;
  result.judged = 10;
  const std::string speed =
      "balance speed gives replicas different numbers of micro-batches, but those that share experts (ep ";
  result.rejections = {{"does not fit in the device's memory", 4, "a", 1.5, ConstraintKind::memory},
                       {speed + "2) meet in every layer", 3, "b", 0, ConstraintKind::rule},
                       {speed + "4) meet in every layer", 2, "c", 0, ConstraintKind::rule}};
  const std::string text = rejections_text(result);
  CHECK(text.starts_with("10 layouts judged, 0 feasible\n       5  balance speed gives replicas"));
  CHECK(text.find("\n          nearest: b\n       4  does not fit") != std::string::npos);
  CHECK(text.find("nearest: c") == std::string::npos);
}

}  // namespace orrery
