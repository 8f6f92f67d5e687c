// What a search that finds nothing says.
#include "analysis/reports/search_report.hpp"
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

}  // namespace orrery
