#include "analysis/validation/fit.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "sim/base/errors.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

/// Rows that obey overhead + work / rate exactly, but for `noise` of every other one.
FitProblem hockney(double overhead, double rate, double noise) {
  FitProblem problem;
  problem.parameters = {{"overhead", 1, 0, 100}, {"rate", 5, 0, 1000}};
  for (int i = 0; i < 12; ++i) problem.rows.push_back("row " + std::to_string(i));
  problem.ratio = [=](std::span<const double> values, std::size_t row) {
    const double work = std::pow(2.0, static_cast<double>(row));
    const double measured = (overhead + work / rate) * (row % 2 == 0 ? 1 + noise : 1 - noise);
    return (values[0] + work / values[1]) / measured;
  };
  return problem;
}

TEST_CASE("A fit finds the constants that rows were made with") {
  const FitResult result = fit_constants(hockney(3, 40, 0), {4, 1});
  CHECK(result.constants[0].value == Approx(3).epsilon(1e-6));
  CHECK(result.constants[1].value == Approx(40).epsilon(1e-6));
  CHECK(result.constants[1].low == Approx(40).epsilon(1e-6));
  CHECK(result.error_before > 0.5);
  CHECK(result.error_in_sample < 1e-6);
  CHECK(result.error_held_out < 1e-6);
  CHECK(result.folds == 4);
}

TEST_CASE("Rows left out are missed by more than rows that were seen, and the spread of the folds holds the value") {
  const FitResult result = fit_constants(hockney(3, 40, 0.1), {4, 1});
  CHECK(result.constants[0].low < result.constants[0].value);
  CHECK(result.constants[0].high > result.constants[0].value);
  CHECK(result.constants[1].value == Approx(40).epsilon(0.1));
  CHECK(result.error_in_sample == Approx(0.1).epsilon(0.1));
  CHECK(result.error_held_out > result.error_in_sample);
  CHECK(result.worst_held_out >= result.error_held_out);
  CHECK(result.lowest_fold_error <= result.error_held_out);
  CHECK(result.highest_fold_error >= result.error_held_out);
}

TEST_CASE("The same seed leaves out the same rows") {
  const FitResult one = fit_constants(hockney(3, 40, 0.1), {3, 7}), two = fit_constants(hockney(3, 40, 0.1), {3, 7});
  CHECK(one.held_out_ratios == two.held_out_ratios);
  CHECK(one.constants == two.constants);
  CHECK(one.held_out_ratios != fit_constants(hockney(3, 40, 0.1), {3, 8}).held_out_ratios);
}

TEST_CASE("A constant that rows do not depend on stays where it started, and is no result") {
  FitProblem problem = hockney(3, 40, 0);
  problem.parameters.push_back({"nothing", 17, 0, 100});
  const FitResult result = fit_constants(problem, {4, 1});
  CHECK(result.constants[1].value == Approx(40).epsilon(1e-6));
  CHECK(result.constants[2].value == Approx(17));
  CHECK(result.untold == std::vector<std::string>{"nothing"});
  CHECK(fit_constants(hockney(3, 40, 0), {4, 1}).untold.empty());
}

TEST_CASE("A constant that hides behind another is put back, one that came down behind it is a result") {
  // Predictions are the larger of 10 and the constant, measurements 10.
  FitProblem problem;
  problem.parameters = {{"rate", 5, 0, 100}, {"hidden", 4, 0, 100}};
  for (int i = 0; i < 6; ++i) problem.rows.push_back("row " + std::to_string(i));
  problem.ratio = [](std::span<const double> values, std::size_t) { return std::max(values[0], values[1]) / 10; };
  const FitResult below = fit_constants(problem, {3, 1});
  CHECK(below.untold == std::vector<std::string>{"hidden"});
  CHECK(below.constants[0].value == Approx(10).epsilon(1e-6));
  problem.parameters[1].start = 40;  // shows at its start: the rows tell that it is less
  const FitResult above = fit_constants(problem, {3, 1});
  CHECK(std::find(above.untold.begin(), above.untold.end(), "hidden") == above.untold.end());
}

TEST_CASE("Rows that depend on none of the constants are refused") {
  FitProblem problem = hockney(3, 40, 0);
  problem.ratio = [](std::span<const double>, std::size_t) { return 1.1; };
  try {
    (void)fit_constants(problem, {4, 1});
    FAIL("not refused");
  } catch (const InvalidInput& refused) {
    CHECK(std::string(refused.what()) ==
          "the rows do not depend on overhead, rate (other values predict the same) - give other rows, or name other "
          "constants with --constant");
  }
}

TEST_CASE("Too few rows are refused") {
  FitProblem problem = hockney(3, 40, 0);
  problem.rows.resize(3);
  try {
    (void)fit_constants(problem, {4, 1});
    FAIL("not refused");
  } catch (const InvalidInput& refused) {
    CHECK(std::string(refused.what()) ==
          "3 rows cannot tell 2 constants (at least 4 are wanted, so that some can be left out) - give more rows, or "
          "fit fewer constants with --constant");
  }
}

TEST_CASE("Bounds follow what a constant is") {
  CHECK(parameter_for("gemm_share", Ranged(0.8), divisor_limits).highest == 1.0);
  CHECK(parameter_for("gemm_share", Ranged(0.8), divisor_limits).lowest == 0.02);
  CHECK(parameter_for("gemm_k0", Ranged(340, 335, 385), {}).highest == 3850);
  CHECK(parameter_for("gemm_k0_fp8", Ranged(0), {}).highest == 100);
}

}  // namespace
}  // namespace orrery
