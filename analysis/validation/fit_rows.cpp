#include "analysis/validation/fit_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <memory>

#include "analysis/validation/fit_target.hpp"
#include "analysis/validation/measured/metric_names.hpp"
#include "analysis/validation/measured/stated_settings.hpp"
#include "analysis/validation/measured/stated_software.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// A row that tells something, and how it is predicted.
struct Told {
  MeasuredRow row;
  Metric metric;
};

void check_settled(const MeasuredRow& row, const ValidationTables& tables) {
  if (case_of(row, tables).open.any())
    throw RowSkipped("leaves settings open (micro-batch, interleave, recompute or degrees)");
}

std::vector<Told> rows_that_tell(const std::vector<MeasuredRow>& rows, const ValidationTables& tables,
                                 const FitTarget& target, std::vector<std::string>& left_out) {
  const std::vector<Metric> metrics = metrics_for(target.kind);
  std::vector<Told> told;
  CaseSolver solver(tables);
  for (const MeasuredRow& row : rows) {
    const Metric* metric = find_metric(row, metrics);
    if (metric == nullptr) continue;
    try {
      if (owner_of(row, tables, target) != target.id) continue;
      if (target.kind == FitTarget::Kind::framework) check_settled(row, tables);
      const double predicted = metric->predict(row, solver).value.value;
      if (!(predicted > 0) || !(row.value > 0)) throw RowSkipped("has no logarithm");
      told.push_back({row, *metric});
    } catch (const RowSkipped& skipped) {
      left_out.push_back(row.id + ": " + skipped.what());
    }
  }
  return told;
}

/// The devices or links that rows were measured on, each once.
std::vector<std::string> told_owners(const std::vector<MeasuredRow>& rows, const ValidationTables& tables,
                                     const FitTarget& target) {
  const std::vector<Metric> metrics = metrics_for(target.kind);
  std::vector<std::string> owners;
  for (const MeasuredRow& row : rows) {
    if (find_metric(row, metrics) == nullptr) continue;
    try {
      const std::string owner = owner_of(row, tables, target);
      if (!owner.empty() && std::find(owners.begin(), owners.end(), owner) == owners.end()) owners.push_back(owner);
    } catch (const RowSkipped&) {  // a row that names no device or link tells of none
      continue;
    }
  }
  return owners;
}

[[noreturn]] void refuse_silence(const std::vector<MeasuredRow>& rows, const ValidationTables& tables,
                                 const FitTarget& target, const std::vector<std::string>& left_out) {
  const std::vector<std::string> owners = told_owners(rows, tables, target);
  const bool is_named = std::find(owners.begin(), owners.end(), target.id) != owners.end();
  const std::string what = fmt::format("no row tells anything of {} \"{}\"", name_of(target.kind), target.id);
  if (!owners.empty() && !is_named) refuse(what, "", "the rows tell of " + join(owners, ", "));
  refuse(what, left_out.empty() ? "none has a metric that depends on it" : "left out: " + left_out.front(),
         "a device is told by gemm_tflops, a link by time, busbw or algbw, a framework by times and rates of steps");
}

/// Tables with the values being tried for the constants that are fitted; all others keep theirs, and their ranges.
ValidationTables with_constants(ValidationTables tables, const FitTarget& target,
                                const std::vector<FitParameter>& parameters, std::span<const double> values) {
  std::vector<ConstantRow> rows;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    rows.push_back({target.id, parameters[i].constant, Ranged(values[i]), "being fitted", {}});
  }
  if (target.kind == FitTarget::Kind::device) {
    tables.device_laws.overlay(std::move(rows));
  } else {
    tables.fabric_laws.overlay(std::move(rows));
  }
  return tables;
}

/// Predictions of kernels and collectives cost microseconds: each is asked anew, with tables that hold the values.
class TableRatio {
 public:
  TableRatio(const ValidationTables& tables, FitTarget target, std::vector<FitParameter> parameters,
             std::vector<Told> told)
      : tables_(std::make_shared<ValidationTables>(tables)),
        target_(std::move(target)),
        parameters_(std::move(parameters)),
        told_(std::move(told)) {}

  double operator()(std::span<const double> values, std::size_t row) {
    if (!std::equal(values.begin(), values.end(), last_.begin(), last_.end())) {
      *tables_ = with_constants(std::move(*tables_), target_, parameters_, values);
      last_.assign(values.begin(), values.end());
    }
    CaseSolver solver(*tables_);
    return told_[row].metric.predict(told_[row].row, solver).value.value / told_[row].row.value;
  }

 private:
  std::shared_ptr<ValidationTables> tables_;
  FitTarget target_;
  std::vector<FitParameter> parameters_;
  std::vector<Told> told_;
  std::vector<double> last_;
};

/// A step's row: its job, its layout, and what the metric says at the time it was solved with.
struct StepRow {
  TrainingJob job;
  Layout layout;
  double ratio = 1;    // predicted / measured at `seconds`
  double seconds = 1;  // of the step then
  double power = 1;    // times grow with the step, rates fall
  std::vector<std::string> stated =
      {};  // constants that the row itself states, of which it tells nothing ("CUDA graphs")
};

StepRow step_row(const Told& told, CaseSolver& solver, const FrameworkProfile& framework) {
  const SolvedCase& solved = solver.solve(told.row);
  StepRow step{solved.row.job, solved.row.layout, told.metric.predict(told.row, solver).value.value / told.row.value,
               solved.step.time().value(), seconds_per(told.row.unit) ? 1.0 : -1.0};
  step.job.framework = framework;
  set_stated_software(step.job.framework, told.row);
  step.stated = stated_constants(told.row);
  return step;
}

double ratio_of(const StepRow& step, const std::vector<FitParameter>& parameters, std::span<const double> values) {
  TrainingJob job = step.job;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string& constant = parameters[i].constant;
    if (std::find(step.stated.begin(), step.stated.end(), constant) != step.stated.end()) continue;
    set_constant(job.framework, framework_constants(), {{}, constant, Ranged(values[i]), {}, {}});
  }
  LayoutJudge judge(std::move(job));
  return step.ratio * std::pow(judge.predict(step.layout).time().value() / step.seconds, step.power);
}

bool has_precision(const std::vector<Told>& told, std::initializer_list<Precision> wanted) {
  return std::any_of(told.begin(), told.end(), [&wanted](const Told& each) {
    const auto precision = precision_named(each.row.precision.empty() ? each.row.device : each.row.precision);
    return precision && std::find(wanted.begin(), wanted.end(), *precision) != wanted.end();
  });
}

std::vector<std::string> usual_device_constants(const std::vector<Told>& told) {
  std::vector<std::string> names;
  const bool narrow = has_precision(told, {Precision::fp8});
  const bool wide = has_precision(told, {Precision::tf32, Precision::fp32});
  if (has_precision(told, {Precision::fp16, Precision::bf16}) || (!narrow && !wide)) names = {"gemm_share", "gemm_k0"};
  if (narrow) names.insert(names.end(), {"gemm_share_fp8", "gemm_k0_fp8"});
  if (wide) names.emplace_back("gemm_share_tf32");
  return names;
}

std::vector<std::string> usual_constants(const FitConstants& target, FitTarget::Kind kind,
                                         const std::vector<Told>& told) {
  if (kind == FitTarget::Kind::device) return usual_device_constants(told);
  if (kind == FitTarget::Kind::framework) return {"host_forward_us", "straggler_per_doubling"};
  std::vector<std::string> names = {"bus_GBps", "base_us"};
  for (const char* name : {"in_network_GBps", "fill_us", "fill_MB"}) {
    const bool fills = std::string_view(name) == "fill_MB" && target.value("fill_us").value == 0;
    if (target.value(name).value > 0 && !fills) names.emplace_back(name);
  }
  return names;
}

}  // namespace

RowsToFit problem_of_rows(const std::vector<MeasuredRow>& rows, const ValidationTables& tables, const FitTarget& target,
                          const std::vector<std::string>& constants) {
  const FitConstants known(tables, target);
  RowsToFit fit;
  std::vector<Told> told = rows_that_tell(rows, tables, target, fit.left_out);
  if (told.empty()) refuse_silence(rows, tables, target, fit.left_out);
  for (const std::string& name : constants.empty() ? usual_constants(known, target.kind, told) : constants) {
    fit.problem.parameters.push_back(parameter_for(name, known.value(name), known.limits(name)));
  }
  for (const Told& each : told) fit.problem.rows.push_back(each.row.id);
  if (target.kind != FitTarget::Kind::framework) {
    fit.problem.ratio = TableRatio(tables, target, fit.problem.parameters, std::move(told));
    return fit;
  }
  CaseSolver solver(tables);
  std::vector<StepRow> steps;
  for (const Told& each : told) steps.push_back(step_row(each, solver, tables.framework(target.id)));
  fit.problem.ratio = [steps = std::move(steps), parameters = fit.problem.parameters](std::span<const double> values,
                                                                                      std::size_t row) {
    return ratio_of(steps[row], parameters, values);
  };
  return fit;
}

}  // namespace orrery
