#include "analysis/validation/fit_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "analysis/validation/measured/metrics.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

/// A row that tells something, and how it is predicted.
struct Told {
  MeasuredRow row;
  Metric metric;
};

std::optional<Metric> metric_of(const MeasuredRow& row, const std::vector<Metric>& metrics) {
  for (const Metric& metric : metrics) {
    const bool unit =
        metric.unit.empty() || metric.unit == row.unit || (metric.unit == "time" && seconds_per(row.unit));
    if (metric.name == row.metric && unit) return metric;
  }
  return std::nullopt;
}

[[noreturn]] void refuse(const std::string& what, const std::string& why, const std::string& suggestion) {
  throw InvalidInput({{{}, {}, what, why, suggestion, {}}});
}

/// Constants of the target as they are, by name.
class Target {
 public:
  Target(const ValidationTables& tables, const FitTarget& target) : tables_(tables), target_(target) {
    if (target.kind == FitTarget::Kind::device) {
      const Device* device = tables.catalogue.device(target.id);
      if (device == nullptr) unknown(ids_of(tables.catalogue.devices));
      take(tables.device_laws.of(*device), device_constants());
    } else if (target.kind == FitTarget::Kind::link) {
      const Link* link = tables.catalogue.link(target.id);
      if (link == nullptr) unknown(ids_of(tables.catalogue.links));
      take(tables.fabric_laws.of(*link), fabric_constants());
    } else {
      std::vector<std::string> ids;
      for (const FrameworkProfile& framework : tables.frameworks) ids.push_back(framework.id);
      if (std::find(ids.begin(), ids.end(), target.id) == ids.end()) unknown(ids);
      take(tables.framework(target.id), framework_constants());
    }
  }

  [[nodiscard]] const Ranged& value(const std::string& constant) const {
    const auto found = std::find(names_.begin(), names_.end(), constant);
    if (found == names_.end()) {
      refuse(fmt::format("unknown constant \"{}\" of a {}", constant, name_of(target_.kind)), "",
             did_you_mean(constant, names_));
    }
    return values_[static_cast<std::size_t>(found - names_.begin())];
  }

 private:
  [[noreturn]] void unknown(const std::vector<std::string>& ids) const {
    const std::string kind = name_of(target_.kind);
    refuse(fmt::format("unknown {} \"{}\"", kind, target_.id), "",
           did_you_mean(target_.id, ids, "orrery list " + kind + "s"));
  }
  template <class Law, class Table>
  void take(const Law& law, const Table& table) {
    for (const auto& constant : table) {
      names_.emplace_back(constant.name);
      values_.push_back(law.*(constant.member));
    }
  }

  const ValidationTables& tables_;
  const FitTarget& target_;
  std::vector<std::string> names_;
  std::vector<Ranged> values_;
};

std::vector<Metric> metrics_for(FitTarget::Kind kind) {
  switch (kind) {
    case FitTarget::Kind::device:
      return kernel_metrics();
    case FitTarget::Kind::link:
      return collective_metrics();
    case FitTarget::Kind::framework:
      return training_metrics();
  }
  return {};
}

/// Whether the row was measured on the target. Throws RowSkipped.
bool concerns(const MeasuredRow& row, const ValidationTables& tables, const FitTarget& target) {
  if (target.kind == FitTarget::Kind::framework) return true;
  if (target.kind == FitTarget::Kind::device) {
    const NamedDevice named = find_device(row.device, tables.devices, tables.catalogue);
    return named.device != nullptr && named.device->id == target.id;
  }
  RowCase where;
  set_cluster(where, row, row.devices.value_or(1), tables);
  const ClusterDescription& cluster = where.job.cluster;
  const std::optional<Link>& used = cluster.nodes > 1 ? cluster.network_link : cluster.node_link;
  return used && used->id == target.id;
}

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
    const std::optional<Metric> metric = metric_of(row, metrics);
    if (!metric) continue;
    try {
      if (!concerns(row, tables, target)) continue;
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
};

StepRow step_row(const Told& told, CaseSolver& solver, const FrameworkProfile& framework) {
  const SolvedCase& solved = solver.solve(told.row);
  StepRow step{solved.row.job, solved.row.layout, told.metric.predict(told.row, solver).value.value / told.row.value,
               solved.step.time().value(), seconds_per(told.row.unit) ? 1.0 : -1.0};
  step.job.framework = framework;
  return step;
}

double ratio_of(const StepRow& step, const std::vector<FitParameter>& parameters, std::span<const double> values) {
  TrainingJob job = step.job;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    set_constant(job.framework, framework_constants(), {{}, parameters[i].constant, Ranged(values[i]), {}, {}});
  }
  LayoutJudge judge(std::move(job));
  return step.ratio * std::pow(judge.predict(step.layout).time().value() / step.seconds, step.power);
}

bool has_metric_of(const std::vector<Told>& told, std::string_view part) {
  return std::any_of(told.begin(), told.end(), [part](const Told& each) {
    const std::string text = each.row.precision.empty() ? each.row.device : each.row.precision;
    return text.find(part) != std::string::npos;
  });
}

std::vector<std::string> usual_device_constants(const std::vector<Told>& told) {
  std::vector<std::string> names;
  const bool narrow = has_metric_of(told, "fp8"), wide = has_metric_of(told, "tf32") || has_metric_of(told, "fp32");
  if (has_metric_of(told, "16") || (!narrow && !wide)) names = {"gemm_share", "gemm_k0"};
  if (narrow) names.insert(names.end(), {"gemm_share_fp8", "gemm_k0_fp8"});
  if (wide) names.emplace_back("gemm_share_tf32");
  return names;
}

std::vector<std::string> usual_constants(const Target& target, FitTarget::Kind kind, const std::vector<Told>& told) {
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

std::string name_of(FitTarget::Kind kind) {
  switch (kind) {
    case FitTarget::Kind::device:
      return "device";
    case FitTarget::Kind::link:
      return "link";
    case FitTarget::Kind::framework:
      return "framework";
  }
  return {};
}

RowsToFit problem_of_rows(const std::vector<MeasuredRow>& rows, const ValidationTables& tables, const FitTarget& target,
                          const std::vector<std::string>& constants) {
  const Target known(tables, target);
  RowsToFit fit;
  std::vector<Told> told = rows_that_tell(rows, tables, target, fit.left_out);
  if (told.empty()) {
    refuse(fmt::format("no row tells anything of {} \"{}\"", name_of(target.kind), target.id),
           fit.left_out.empty() ? "none has a metric that depends on it" : "left out: " + fit.left_out.front(),
           "a device is told by gemm_tflops, a link by time, busbw or algbw, a framework by times and rates of steps");
  }
  for (const std::string& name : constants.empty() ? usual_constants(known, target.kind, told) : constants) {
    fit.problem.parameters.push_back(parameter_for(name, known.value(name)));
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
