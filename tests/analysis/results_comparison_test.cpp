// Two small tables of results, compared by hand.
#include "analysis/reports/results_comparison.hpp"
#include "tests/catch.hpp"

using namespace orrery;

namespace {

ResultsTable table(const std::string& text) {
  Problems problems;
  ResultsTable parsed = parse_results(text, "results.csv", problems);
  problems.throw_if_any();
  return parsed;
}

std::string problem_with(const std::string& text) {
  try {
    table(text);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return {};
}

const char* const simulated =
    "scenario,strategy,status,step_time_s,bubble_s,energy_J,straggler_s\n"
    "lab,ring,ok,0.5,0,10,0\n"
    "lab,tree,ok,2,0.25,12,0\n";
// Columns in another order, one fewer and one more; no energy.
const char* const measured =
    "strategy,bubble_s,step_time_s,scenario,status,energy_J,ranks,straggler_s\n"
    "tree,0.125,3,lab,ok,,2,0\n"
    "single,0,1,lab,ok,,1,0\n"
    "ring,0.1,0.75,lab,ok,,2,0\n";

}  // namespace

TEST_CASE("rows are paired by strategy, figures by column") {
  const ResultsComparison comparison = compare_results(table(simulated), table(measured));
  CHECK(comparison.only_a.empty());
  CHECK(comparison.only_b == std::vector<std::string>{"single"});
  CHECK(comparison_csv(comparison.figures) ==
        "strategy,column,unit,a,b,ratio,difference\n"
        "ring,step_time_s,s,0.5,0.75,1.5,0.25\n"
        "ring,bubble_s,s,0,0.1,,0.1\n"
        "ring,straggler_s,s,0,0,,0\n"
        "tree,step_time_s,s,2,3,1.5,1\n"
        "tree,bubble_s,s,0.25,0.125,0.5,-0.125\n"
        "tree,straggler_s,s,0,0,,0\n");
}

TEST_CASE("for people, figures that are nothing on both sides are left out") {
  const ResultsComparison comparison = compare_results(table(simulated), table(measured));
  CHECK(comparison_text(comparison.figures) ==
        "strategy  column       unit     a      b  b / a   b - a\n"
        "-------------------------------------------------------\n"
        "ring      step_time_s  s      0.5   0.75  1.500   +0.25\n"
        "          bubble_s     s        0    0.1           +0.1\n"
        "tree      step_time_s  s        2      3  1.500      +1\n"
        "          bubble_s     s     0.25  0.125  0.500  -0.125\n");
  CHECK(comparison_text({{"ring", "bubble_s", "s", 0, 0}}) == "every shared figure is 0 on both sides\n");
}

TEST_CASE("a table that is none is refused") {
  CHECK(problem_with("scenario,step_time_s\nlab,1\n") ==
        "results.csv:1: column \"strategy\" is missing (required)\n  scenario,step_time_s");
  CHECK(problem_with("strategy,step_time_s\nring,1\nring,2\n") ==
        "results.csv:3:1: strategy: \"ring\" stands here twice (rows are paired by it)\n  ring,2\n  ^");
}
