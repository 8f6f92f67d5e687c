// Times and rates of whole steps.
#include <fmt/format.h>

#include <array>

#include "analysis/validation/measured/metrics.hpp"
#include "analysis/validation/measured/words.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

struct TimeUnit {
  std::string_view name;
  double seconds;
};
constexpr TimeUnit time_units[] = {{"us", 1e-6}, {"ms", 1e-3},    {"s", 1},       {"min", 60},
                                   {"h", 3600},  {"hours", 3600}, {"days", 86400}};

double batch_of(const SolvedCase& solved) {
  return static_cast<double>(solved.row.job.batch);
}

double devices_of(const SolvedCase& solved) {
  return static_cast<double>(solved.row.layout.devices());
}

double peak_of(const SolvedCase& solved) {
  return solved.row.job.cluster.device.peak_for(solved.row.job.precision).value();
}

double counted_model(const MeasuredRow& row, const SolvedCase& solved) {
  return model_flops(solved.flops, convention_of(row), batch_of(solved));
}

double counted_hardware(const MeasuredRow& row, const SolvedCase& solved) {
  return hardware_flops(solved.flops, convention_of(row), solved.row.layout.recompute, batch_of(solved));
}

/// A rate hardly depends on how a batch is rounded, a time does: replicas with a sample more or fewer take as much
/// more.
void need_whole_batch(const MeasuredRow& row, const SolvedCase& solved) {
  if (!row.global_batch || *row.global_batch == solved.row.job.batch) return;
  throw RowSkipped(
      fmt::format("batch {} does not divide into micro-batches on dp {} ({} does): the time of its step is unknown",
                  *row.global_batch, solved.row.layout.dp, solved.row.job.batch));
}

Predicted iteration_time(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  need_whole_batch(row, solved);
  const double unit = *seconds_per(row.unit);
  return {solved.seconds * (1 / unit), solved.row.assumed, {work_per_device(solved) / unit, -1}};
}

/// `amount`: of one step.
Predicted per_second(const SolvedCase& solved, double amount) {
  return {inverse_of(solved.seconds, amount), solved.row.assumed, {amount / work_per_device(solved), 1}};
}

Predicted samples_per_second(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return per_second(solved, batch_of(solved));
}

double tokens_of(const SolvedCase& solved) {
  const RowNetwork& network = solved.row.network;
  if (network.is_transformer()) return batch_of(solved) * static_cast<double>(network.shape.tokens);
  if (network.counted_tokens == 0) throw RowSkipped("an image has no tokens");
  return batch_of(solved) * static_cast<double>(network.counted_tokens);
}

Predicted tokens_per_second(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return per_second(solved, tokens_of(solved));
}

Predicted tokens_per_device(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return per_second(solved, tokens_of(solved) / devices_of(solved));
}

Predicted samples_per_device(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return per_second(solved, batch_of(solved) / devices_of(solved));
}

Predicted model_teraflops(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return per_second(solved, counted_model(row, solved) / devices_of(solved) / tera);
}

Predicted hardware_teraflops(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return per_second(solved, counted_hardware(row, solved) / devices_of(solved) / tera);
}

Predicted aggregate_petaflops(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return per_second(solved, counted_hardware(row, solved) / 1e15);
}

double percent_of_peak(const SolvedCase& solved, double flops) {
  return 100 * flops / devices_of(solved) / peak_of(solved);
}

Predicted model_utilisation(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return per_second(solved, percent_of_peak(solved, counted_model(row, solved)));
}

Predicted hardware_utilisation(const MeasuredRow& row, CaseSolver& solver) {
  const SolvedCase& solved = solver.solve(row);
  return per_second(solved, percent_of_peak(solved, counted_hardware(row, solved)));
}

/// Percent as a fraction.
template <Predicted (*percent)(const MeasuredRow&, CaseSolver&)>
Predicted fraction(const MeasuredRow& row, CaseSolver& solver) {
  Predicted predicted = percent(row, solver);
  predicted.value = predicted.value * 0.01;
  predicted.null.scale *= 0.01;
  return predicted;
}

}  // namespace

double work_per_device(const SolvedCase& solved) {
  return hardware_flops(solved.flops, FlopConvention::full, solved.row.layout.recompute, batch_of(solved)) /
         devices_of(solved);
}

std::vector<std::string> time_unit_names() {
  std::vector<std::string> names;
  for (const TimeUnit& unit : time_units) names.emplace_back(unit.name);
  return names;
}

std::optional<double> seconds_per(std::string_view unit) {
  for (const TimeUnit& known : time_units) {
    if (known.name == unit) return known.seconds;
  }
  return std::nullopt;
}

Ranged inverse_of(const Ranged& range, double numerator) {
  return {numerator / range.value, numerator / range.high,
          range.low > 0 ? numerator / range.low : numerator / range.value};
}

Ranged as_sure_as(double middle, const Ranged& like) {
  return like * (middle / like.value);
}

std::vector<Metric> training_metrics() {
  return {{"iteration_time", "time", iteration_time},
          {"step_time", "time", iteration_time},
          {"throughput", "tokens/s", tokens_per_second},
          {"throughput", "sequences/s", samples_per_second},
          {"throughput", "samples/s", samples_per_second},
          {"throughput", "images/s", samples_per_second},
          {"throughput", "tokens/s/GPU", tokens_per_device},
          {"throughput", "images/s/GPU", samples_per_device},
          {"throughput", "samples/s/GPU", samples_per_device},
          {"throughput_per_gpu", "tokens/s/GPU", tokens_per_device},
          {"throughput_per_gpu", "sequences/s/GPU", samples_per_device},
          {"throughput_per_gpu", "tokens/s", tokens_per_device},
          {"throughput_per_gpu", "samples/s/GPU", samples_per_device},
          {"throughput_per_gpu", "images/s/GPU", samples_per_device},
          {"tflops_per_gpu_model", "TFLOP/s", model_teraflops},
          {"tflops_per_gpu_hw", "TFLOP/s", hardware_teraflops},
          {"aggregate_pflops_hw", "PFLOP/s", aggregate_petaflops},
          {"pct_peak", "%", hardware_utilisation},
          {"mfu", "%", model_utilisation},
          {"hfu", "%", hardware_utilisation},
          {"mfu", "fraction", fraction<model_utilisation>},
          {"hfu", "fraction", fraction<hardware_utilisation>}};
}

}  // namespace orrery
