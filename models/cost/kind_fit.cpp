#include "models/cost/kind_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "models/cost/pass_bytes.hpp"
#include "sim/base/quantile.hpp"

namespace orrery {
namespace {

struct Point {
  double work = 0, seconds = 0;
};
using Key = std::tuple<LayerKind, Pass, int>;

bool multiplies_matrices(const Layer& layer) {
  return layer_cost(layer).forward.value() > 0;
}

double work_of(const Layer& layer, Pass pass, int batch) {
  constexpr double bytes_per_update = 12;  // read weight and gradient, write weight
  if (pass == Pass::optimizer) return bytes_per_update * static_cast<double>(trainable_parameters(layer));
  const LayerCost cost = layer_cost(layer);
  if (multiplies_matrices(layer)) return (pass == Pass::forward ? cost.forward : cost.backward).value() * batch;
  return pass_bytes(layer, pass, batch, {}, Precision::fp32).value();
}

/// Weighted least squares of seconds = a + b work with weights 1 / seconds^2, so of relative errors; about the weighted
/// means, so that large numbers do not cancel. Where a comes out below 0 the line goes through zero instead.
struct Line {
  double a = 0, b = 0, a_error = 0, b_error = 0;
};

/// Mean square of the relative errors that are left, per degree of freedom.
double variance(const std::vector<Point>& points, const Line& line, double coefficients) {
  double residual = 0;
  for (const Point& point : points) residual += std::pow((line.a + line.b * point.work) / point.seconds - 1.0, 2);
  const double freedom = static_cast<double>(points.size()) - coefficients;
  return freedom > 0 ? residual / freedom : 0.0;
}

Line through_zero(const std::vector<Point>& points) {
  double xx = 0, xy = 0;
  for (const Point& point : points) {
    const double weight = 1.0 / (point.seconds * point.seconds);
    xx += weight * point.work * point.work;
    xy += weight * point.work * point.seconds;
  }
  Line line{.a = 0.0, .b = xy / xx};
  line.b_error = std::sqrt(variance(points, line, 1) / xx);
  return line;
}

Line fit_line(const std::vector<Point>& points) {
  double w = 0, x = 0, y = 0;
  for (const Point& point : points) {
    const double weight = 1.0 / (point.seconds * point.seconds);
    w += weight;
    x += weight * point.work;
    y += weight * point.seconds;
  }
  const double mean_work = x / w, mean_seconds = y / w;
  double xx = 0, xy = 0;
  for (const Point& point : points) {
    const double weight = 1.0 / (point.seconds * point.seconds);
    xx += weight * (point.work - mean_work) * (point.work - mean_work);
    xy += weight * (point.work - mean_work) * (point.seconds - mean_seconds);
  }
  Line line{.a = mean_seconds - xy / xx * mean_work, .b = xy / xx};
  constexpr double rounding = 1e-12;
  if (line.a < rounding * mean_seconds) return through_zero(points);
  const double left = variance(points, line, 2);
  line.a_error = std::sqrt(left * (1.0 / w + mean_work * mean_work / xx));
  line.b_error = std::sqrt(left / xx);
  return line;
}

std::size_t different_amounts(const std::vector<Point>& points) {
  std::vector<double> amounts;
  for (const Point& point : points) amounts.push_back(point.work);
  std::sort(amounts.begin(), amounts.end());
  return static_cast<std::size_t>(std::unique(amounts.begin(), amounts.end()) - amounts.begin());
}

KindFit fit(const Key& key, const std::vector<Point>& points, std::string work) {
  const Line line = fit_line(points);
  KindFit fit{std::get<0>(key), std::get<1>(key), std::get<2>(key), std::move(work)};
  fit.overhead_s = line.a;
  fit.overhead_error_s = line.a_error;
  fit.rate = 1.0 / line.b;
  fit.rate_error = line.b_error / (line.b * line.b);
  std::vector<double> errors;
  for (const Point& point : points) errors.push_back(std::abs(fit.seconds(point.work) / point.seconds - 1.0));
  fit.spread = quantile(errors, 0.5);
  fit.rows = static_cast<int>(points.size());
  return fit;
}

}  // namespace

std::vector<KindFit> fit_kinds(const StepProfile& profile, const LayerGraph& graph) {
  std::map<std::string, const Layer*> layers;
  for (const Layer& layer : graph.layers) layers[layer.name] = &layer;
  std::map<Key, std::vector<Point>> points;
  std::map<Key, bool> in_flops;
  for (const ProfileRow& row : profile.rows) {
    const auto found = layers.find(row.layer);
    if (found == layers.end() || is_view(found->second->kind)) continue;
    const double work = work_of(*found->second, row.pass, row.batch);
    const Key key{found->second->kind, row.pass, row.threads};
    if (work > 0 && row.seconds > 0) points[key].push_back({work, row.seconds});
    in_flops[key] = row.pass != Pass::optimizer && multiplies_matrices(*found->second);
  }
  std::vector<KindFit> fits;
  for (const auto& [key, measured] : points) {
    if (different_amounts(measured) < 3) continue;
    KindFit of_kind = fit(key, measured, in_flops[key] ? "FLOP" : "byte");
    if (of_kind.rate > 0 && std::isfinite(of_kind.rate)) fits.push_back(std::move(of_kind));
  }
  return fits;
}

std::string to_csv(const std::vector<KindFit>& fits) {
  std::string csv =
      "kind,pass,threads,work,overhead_s,overhead_error_s,rate_per_s,rate_error_per_s,half_work,spread,rows\n";
  for (const KindFit& fit : fits) {
    csv += fmt::format("{},{},{},{},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.4g},{}\n", name_of(fit.kind),
                       name_of(fit.pass), fit.threads, fit.work, fit.overhead_s, fit.overhead_error_s, fit.rate,
                       fit.rate_error, fit.half(), fit.spread, fit.rows);
  }
  return csv;
}

}  // namespace orrery
