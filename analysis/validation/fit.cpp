#include "analysis/validation/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "sim/base/constants_csv.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/random.hpp"

namespace orrery {
namespace {

using Values = std::vector<double>;
using Rows = std::vector<std::size_t>;

constexpr double infinite = std::numeric_limits<double>::infinity();

/// Positions in [0, 1] between the bounds, so that steps in all constants are of one size.
class Descent {
 public:
  Descent(const FitProblem& problem, const Rows& rows) : problem_(problem), rows_(rows) {}

  Values minimise(Values place) const {
    constexpr int most_steps = 60;
    constexpr double done = 1e-10;
    double damping = 1e-3, cost = cost_of(residuals(place));
    for (int step = 0; step < most_steps && damping < 1e9; ++step) {
      const Values next = moved(place, damping);
      const double next_cost = cost_of(residuals(next));
      if (next_cost < cost) {
        const double gain = cost - next_cost;
        place = next;
        cost = next_cost;
        damping /= 8;
        if (gain <= done * cost) break;
      } else {
        damping *= 4;
      }
    }
    return place;
  }

  [[nodiscard]] double cost(const Values& place) const { return cost_of(residuals(place)); }

 private:
  [[nodiscard]] Values residuals(const Values& place) const;
  static double cost_of(const Values& residuals) {
    double sum = 0;
    for (const double residual : residuals) sum += residual * residual;
    return std::isfinite(sum) ? sum : infinite;
  }
  [[nodiscard]] std::vector<Values> derivatives(const Values& place, const Values& here) const;
  [[nodiscard]] Values moved(const Values& place, double damping) const;

  const FitProblem& problem_;
  const Rows& rows_;
};

Values values_at(const FitProblem& problem, const Values& place) {
  Values values;
  for (std::size_t i = 0; i < place.size(); ++i) {
    const FitParameter& parameter = problem.parameters[i];
    values.push_back(parameter.lowest + place[i] * (parameter.highest - parameter.lowest));
  }
  return values;
}

Values start_of(const FitProblem& problem, double factor) {
  Values place;
  for (const FitParameter& parameter : problem.parameters) {
    const double share = (parameter.start * factor - parameter.lowest) / (parameter.highest - parameter.lowest);
    place.push_back(std::clamp(share, 0.0, 1.0));
  }
  return place;
}

Values Descent::residuals(const Values& place) const {
  const Values values = values_at(problem_, place);
  Values residuals;
  residuals.reserve(rows_.size());
  for (const std::size_t row : rows_) residuals.push_back(std::log(problem_.ratio(values, row)));
  return residuals;
}

/// Of each residual by each position.
std::vector<Values> Descent::derivatives(const Values& place, const Values& here) const {
  std::vector<Values> slopes;
  for (std::size_t i = 0; i < place.size(); ++i) {
    const double width = std::max(1e-3 * place[i], 1e-6);
    Values beside = place;
    const double step = place[i] + width <= 1.0 ? width : -width;
    beside[i] += step;
    Values there = residuals(beside);
    for (std::size_t row = 0; row < there.size(); ++row) there[row] = (there[row] - here[row]) / step;
    slopes.push_back(std::move(there));
  }
  return slopes;
}

double dot(const Values& a, const Values& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Gauss's elimination with pivots; a column of nothing leaves its unknown at 0.
Values solve(std::vector<Values> matrix, Values right) {
  const std::size_t size = right.size();
  for (std::size_t column = 0; column < size; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < size; ++row) {
      if (std::abs(matrix[row][column]) > std::abs(matrix[pivot][column])) pivot = row;
    }
    std::swap(matrix[pivot], matrix[column]);
    std::swap(right[pivot], right[column]);
    if (matrix[column][column] == 0.0) continue;
    for (std::size_t row = 0; row < size; ++row) {
      if (row == column) continue;
      const double factor = matrix[row][column] / matrix[column][column];
      for (std::size_t i = column; i < size; ++i) matrix[row][i] -= factor * matrix[column][i];
      right[row] -= factor * right[column];
    }
  }
  for (std::size_t i = 0; i < size; ++i) right[i] = matrix[i][i] == 0.0 ? 0.0 : right[i] / matrix[i][i];
  return right;
}

Values Descent::moved(const Values& place, double damping) const {
  const Values here = residuals(place);
  const std::vector<Values> slopes = derivatives(place, here);
  std::vector<Values> normal(place.size(), Values(place.size()));
  Values right(place.size());
  for (std::size_t i = 0; i < place.size(); ++i) {
    for (std::size_t j = 0; j < place.size(); ++j) normal[i][j] = dot(slopes[i], slopes[j]);
    normal[i][i] *= 1.0 + damping;
    right[i] = -dot(slopes[i], here);
  }
  const Values change = solve(std::move(normal), std::move(right));
  Values next = place;
  for (std::size_t i = 0; i < next.size(); ++i) {
    if (std::isfinite(change[i])) next[i] = std::clamp(next[i] + change[i], 0.0, 1.0);
  }
  return next;
}

/// From the starting values, half and twice of them: the best of three valleys.
Values best_of_all(const FitProblem& problem, const Rows& rows) {
  const Descent descent(problem, rows);
  Values best;
  double least = infinite;
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

FitParameter parameter_for(const std::string& constant, const Ranged& value) {
  constexpr double least_share = 0.02, widest = 10, unknown = 100;
  if (largest_value(constant) == 1.0) return {constant, value.value, least_share, 1.0};
  const double top = std::max(value.value, value.high);
  return {constant, value.value, 0.0, std::min(largest_value(constant), top > 0 ? widest * top : unknown)};
}

FitResult fit_constants(const FitProblem& problem, const FitOptions& options) {
  check_enough(problem);
  const std::size_t count = problem.rows.size();
  Rows all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  const Values whole = best_of_all(problem, all);
  FitResult result;
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
