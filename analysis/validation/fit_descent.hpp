// The way down: least squares by Levenberg's and Marquardt's method.
#pragma once

#include <vector>

#include "analysis/validation/fit.hpp"

namespace orrery {

using Values = std::vector<double>;
using Rows = std::vector<std::size_t>;

/// Positions in [0, 1] between the bounds of the parameters, so that steps in all constants are of one size; and back.
Values start_of(const FitProblem& problem, double factor);
Values values_at(const FitProblem& problem, const Values& place);

/// The position beside one that derivatives are taken to: a thousandth of it away, inside the bounds.
double beside(double position);

/// Over some of the rows of a problem, which outlives it.
class Descent {
 public:
  Descent(const FitProblem& problem, const Rows& rows) : problem_(problem), rows_(rows) {}

  [[nodiscard]] Values minimise(Values place) const;
  /// Logarithms of the ratios.
  [[nodiscard]] Values residuals(const Values& place) const;
  /// Sum of their squares; infinite where a ratio has no logarithm.
  [[nodiscard]] double cost(const Values& place) const;

 private:
  [[nodiscard]] std::vector<Values> derivatives(const Values& place, const Values& here) const;
  [[nodiscard]] Values moved(const Values& place, double damping) const;

  const FitProblem& problem_;
  const Rows& rows_;
};

}  // namespace orrery
