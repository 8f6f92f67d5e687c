#include "analysis/validation/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/validation/fit_descent.hpp"
#include "sim/base/constants_csv.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/random.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// From the starting values, half and twice of them: the best of three valleys.
Values best_of_all(const FitProblem& problem, const Rows& rows) {
  const Descent descent(problem, rows);
  Values best;
  double least = std::numeric_limits<double>::infinity();
  for (const double factor : {1.0, 0.5, 2.0}) {
    const Values place = descent.minimise(start_of(problem, factor));
    const double cost = descent.cost(place);
    if (!best.empty() && cost >= least) continue;
    best = place;
    least = cost;
  }
  return best;
}

double mean_error(const FitProblem& problem, const Values& values) {
  double sum = 0;
  for (std::size_t row = 0; row < problem.rows.size(); ++row) sum += std::abs(problem.ratio(values, row) - 1.0);
  return sum / static_cast<double>(problem.rows.size());
}

bool are_alike(const Values& a, const Values& b) {
  constexpr double rounding = 1e-12;
  return std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return std::abs(x - y) <= rounding; });
}

/// Puts constants that no row depends on back to their start, and returns which: neither a small step to either side
/// nor the way back changes a prediction.
std::vector<std::size_t> put_back_untold(const FitProblem& problem, const Descent& descent, Values& place) {
  const Values start = start_of(problem, 1.0);
  const Values here = descent.residuals(place);
  std::vector<std::size_t> untold;
  for (std::size_t i = 0; i < place.size(); ++i) {
    const double above = beside(place[i]), below = std::clamp(2 * place[i] - above, 0.0, 1.0);
    const auto changes = [&](double position) {
      Values moved = place;
      moved[i] = position;
      return !are_alike(descent.residuals(moved), here);
    };
    if (changes(above) || changes(below) || changes(start[i])) continue;
    place[i] = start[i];
    untold.push_back(i);
  }
  return untold;
}

std::vector<std::string> names_of(const FitProblem& problem, const std::vector<std::size_t>& parameters) {
  std::vector<std::string> names;
  for (const std::size_t parameter : parameters) names.push_back(problem.parameters[parameter].constant);
  return names;
}

void check_told(const FitProblem& problem, const std::vector<std::string>& untold) {
  if (untold.size() < problem.parameters.size()) return;
  throw InvalidInput({{{},
                       {},
                       fmt::format("the rows do not depend on {}", join(untold, ", ")),
                       "other values predict the same",
                       "give other rows, or name other constants with --constant",
                       {}}});
}

void check_enough(const FitProblem& problem) {
  const std::size_t wanted = problem.parameters.size() + 2;
  if (problem.rows.size() >= wanted) return;
  throw InvalidInput({{{},
                       {},
                       fmt::format("{} rows cannot tell {} constants", problem.rows.size(), problem.parameters.size()),
                       fmt::format("at least {} are wanted, so that some can be left out", wanted),
                       "give more rows, or fit fewer constants with --constant",
                       {}}});
}

void add_fold(const FitProblem& problem, const Values& values, const Rows& left_out, FitResult& result) {
  double sum = 0;
  for (const std::size_t row : left_out) {
    const double ratio = problem.ratio(values, row);
    const double error = std::abs(ratio - 1.0);
    result.held_out_ratios[row] = ratio;
    sum += error;
    if (result.worst_row.empty() || error > result.worst_held_out) {
      result.worst_held_out = error;
      result.worst_row = problem.rows[row];
    }
  }
  const double mean = sum / static_cast<double>(left_out.size());
  result.error_held_out += sum / static_cast<double>(problem.rows.size());
  result.lowest_fold_error = result.folds == 0 ? mean : std::min(result.lowest_fold_error, mean);
  result.highest_fold_error = std::max(result.highest_fold_error, mean);
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.constants[i].low = std::min(result.constants[i].low, values[i]);
    result.constants[i].high = std::max(result.constants[i].high, values[i]);
  }
  ++result.folds;
}

}  // namespace

FitParameter parameter_for(const std::string& constant, const Ranged& value, const ConstantLimits& limits) {
  constexpr double least_share = 0.02, widest = 10, unknown = 100;
  if (limits.largest == 1.0) return {constant, value.value, least_share, 1.0};
  const double top = std::max(value.value, value.high);
  return {constant, value.value, 0.0, std::min(limits.largest, top > 0 ? widest * top : unknown)};
}

FitResult fit_constants(const FitProblem& problem, const FitOptions& options) {
  check_enough(problem);
  const std::size_t count = problem.rows.size();
  Rows all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  Values whole = best_of_all(problem, all);
  FitResult result;
  result.untold = names_of(problem, put_back_untold(problem, Descent(problem, all), whole));
  check_told(problem, result.untold);
  result.held_out_ratios.resize(count);
  result.error_before = mean_error(problem, values_at(problem, start_of(problem, 1.0)));
  result.error_in_sample = mean_error(problem, values_at(problem, whole));
  for (const double value : values_at(problem, whole)) result.constants.emplace_back(value);

  Rows order = all;
  Random(options.seed).shuffle(order);
  const std::size_t folds = std::clamp<std::size_t>(static_cast<std::size_t>(std::max(2, options.folds)), 2, count);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    Rows kept, left_out;
    for (std::size_t i = 0; i < count; ++i) (i % folds == fold ? left_out : kept).push_back(order[i]);
    add_fold(problem, values_at(problem, Descent(problem, kept).minimise(whole)), left_out, result);
  }
  return result;
}

}  // namespace orrery
