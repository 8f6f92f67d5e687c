#include "analysis/validation/fit_descent.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace orrery {
namespace {

double cost_of(const Values& residuals) {
  double sum = 0;
  for (const double residual : residuals) sum += residual * residual;
  return std::isfinite(sum) ? sum : std::numeric_limits<double>::infinity();
}

double dot(const Values& a, const Values& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

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

double beside(double position) {
  const double width = std::max(1e-3 * position, 1e-6);
  return position + (position + width <= 1.0 ? width : -width);
}

Values Descent::minimise(Values place) const {
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

double Descent::cost(const Values& place) const {
  return cost_of(residuals(place));
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
    Values next = place;
    next[i] = beside(place[i]);
    const double step = next[i] - place[i];
    Values there = residuals(next);
    for (std::size_t row = 0; row < there.size(); ++row) there[row] = (there[row] - here[row]) / step;
    slopes.push_back(std::move(there));
  }
  return slopes;
}

Values Descent::moved(const Values& place, double damping) const {
  const Values here = residuals(place);
  const std::vector<Values> slopes = derivatives(place, here);
  const auto size = static_cast<Eigen::Index>(place.size());
  Eigen::MatrixXd normal(size, size);
  Eigen::VectorXd right(size);
  for (std::size_t i = 0; i < place.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    for (std::size_t j = 0; j < place.size(); ++j) {
      normal(row, static_cast<Eigen::Index>(j)) = dot(slopes[i], slopes[j]);
    }
    normal(row, row) *= 1.0 + damping;
    right[row] = -dot(slopes[i], here);
  }
  // A column of nothing has a pivot of 0, for which this leaves the unknown at 0.
  const Eigen::VectorXd change = normal.ldlt().solve(right);
  Values next = place;
  for (std::size_t i = 0; i < next.size(); ++i) {
    const double step = change[static_cast<Eigen::Index>(i)];
    if (std::isfinite(step)) next[i] = std::clamp(next[i] + step, 0.0, 1.0);
  }
  return next;
}

}  // namespace orrery
