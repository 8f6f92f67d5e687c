// Constants found by least squares, with what the fit is worth on rows that it did not see.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/constants_csv.hpp"
#include "sim/base/ranged.hpp"

namespace orrery {

struct FitParameter {
  std::string constant;
  double start = 0, lowest = 0, highest = 1;
};

/// `ratio`: predicted / measured of one row for values in the order of the parameters; above 0.
struct FitProblem {
  std::vector<FitParameter> parameters;
  std::vector<std::string> rows;  // names
  std::function<double(std::span<const double> values, std::size_t row)> ratio;
};

struct FitOptions {
  int folds = 5;  // at most as many as rows
  std::uint64_t seed = 1;
};

/// Errors are means of |predicted / measured - 1|.
struct FitResult {
  std::vector<Ranged> constants;    // of all rows; low and high: least and most over the folds
  std::vector<std::string> untold;  // constants that no row depends on: at their start, and no result
  double error_before = 0;          // with the starting values
  double error_in_sample = 0;
  double error_held_out = 0;                             // each row predicted by the fit that left it out
  double worst_held_out = 0;                             // of one row
  double lowest_fold_error = 0, highest_fold_error = 0;  // held out, by fold
  std::string worst_row;
  std::vector<double> held_out_ratios;  // of each row, in their order
  int folds = 0;
};

/// Minimises the sum of log(ratio)^2 by Levenberg's and Marquardt's method (1944, 1963) with derivatives by
/// differences, values kept within their bounds. Rows are shuffled by the seed; every k-th of them is left out in turn,
/// k the number of folds. Throws InvalidInput when there are fewer than two rows more than parameters, and when the
/// rows depend on none of them.
FitResult fit_constants(const FitProblem& problem, const FitOptions& options);

/// Bounds for a constant that has this value: what is at most 1 from 0.02, another 0 to ten times its value or upper
/// end (100 when both are 0), within its limits.
FitParameter parameter_for(const std::string& constant, const Ranged& value, const ConstantLimits& limits);

}  // namespace orrery
