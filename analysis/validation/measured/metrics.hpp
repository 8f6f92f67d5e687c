// What each published metric is, as a function of a prediction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/validation/measured/solved_case.hpp"

namespace orrery {

/// What the null model says: value = scale x rate ^ exponent, with one rate of a kind for a whole set: FLOP/s of a
/// device, bytes per second of a bus, a share of the maximum power or of perfect scaling. exponent 1 for rates, -1 for
/// times; 0: it says nothing.
struct NullModel {
  enum class Rate : std::uint8_t { work, bus, power, scaling };
  double scale = 0, exponent = 0;
  Rate rate = Rate::work;
};

/// A prediction in the unit of its row, and what was assumed for it.
struct Predicted {
  Ranged value;
  std::vector<std::string> assumed;
  NullModel null;
};

struct Metric {
  std::string_view name, unit;  // unit "time": any unit of time
  Predicted (*predict)(const MeasuredRow& row, CaseSolver& solver);
};
/// Every metric that can be predicted, by name and unit.
std::vector<Metric> training_metrics();
std::vector<Metric> memory_metrics();
std::vector<Metric> layer_metrics();
std::vector<Metric> ratio_metrics();
std::vector<Metric> length_metrics();
std::vector<Metric> collective_metrics();
std::vector<Metric> kernel_metrics();
std::vector<Metric> power_metrics();

/// FLOPs of one device in a step, recomputation included: what a null model of times is made of.
double work_per_device(const SolvedCase& solved);

/// Units of time, "us, ms, s, ...".
std::vector<std::string> time_unit_names();
/// Seconds of a unit of time ("us", "ms", "s", "min", "h", "days"); nothing for another unit.
std::optional<double> seconds_per(std::string_view unit);

/// The range of a figure that is proportional to the inverse of another.
Ranged inverse_of(const Ranged& range, double numerator);
/// `middle` with the relative deviations of `like`.
Ranged as_sure_as(double middle, const Ranged& like);

}  // namespace orrery
