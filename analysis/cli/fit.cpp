// `orrery fit`: constants of a device, a link or a framework from measured rows or a PyTorch trace.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <string>

#include "analysis/cli/command.hpp"
#include "analysis/cli/output_file.hpp"
#include "analysis/validation/fit.hpp"
#include "analysis/validation/fit_rows.hpp"
#include "analysis/validation/fit_trace.hpp"
#include "sim/base/files.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

namespace po = boost::program_options;

CommandSpec fit_spec() {
  CommandSpec spec;
  spec.name = "fit";
  spec.summary = "constants of a device, a link or a framework from measurements, tried on rows left out";
  spec.examples = {"orrery fit analysis/validation/measured.csv --rows C-GEMM --device a100-sxm-40 -o a100.csv",
                   "orrery fit analysis/validation/measured.csv --rows C-NCCL --link nvswitch2 -o nvswitch2.csv",
                   "orrery fit steps.csv --framework modern --constant host_forward_us -o modern.csv",
                   "orrery fit trace.json.gz --device h100-sxm -o h100.csv"};
  spec.positional = {"ROWS_OR_TRACE"};
  spec.notes =
      "ROWS: a CSV with the columns of analysis/validation/measured.csv (id, metric, value and unit are needed).\n"
      "A device is told by gemm_tflops, a link by time, busbw and algbw of collectives, a framework by times and "
      "rates\n"
      "of training steps. TRACE: what export_chrome_trace() of torch.profiler writes (record_shapes=True), .json or\n"
      ".json.gz; its matrix products tell a device. The file written holds value, low and high (least and most over "
      "the\n"
      "folds) and says how far rows that were left out are missed.";
  auto add = spec.options.add_options();
  add("device", po::value<std::string>()->value_name("ID"), "id of the catalogue: its law of matrix products");
  add("link", po::value<std::string>()->value_name("ID"), "id of the catalogue: the law of collectives over it");
  add("framework", po::value<std::string>()->value_name("ID"), "id of a framework: its host times and stragglers");
  add("rows", po::value<std::string>()->default_value("")->value_name("BEGIN"), "only rows whose id begins so");
  add("constant", po::value<std::vector<std::string>>()->value_name("NAME"),
      "fit this one, not the usual ones; may be repeated");
  add("folds", po::value<int>()->default_value(5)->value_name("N"), "parts of the rows that are left out in turn");
  add("seed", po::value<std::uint64_t>()->default_value(1)->value_name("N"), "of the order in which rows are left out");
  add("output,o", po::value<std::string>()->value_name("FILE"), "file of constants to write (required)");
  add("force", "replace an existing file");
  return spec;
}

FitTarget target_of(const po::variables_map& values) {
  std::vector<FitTarget> targets;
  for (const FitTarget::Kind kind : {FitTarget::Kind::device, FitTarget::Kind::link, FitTarget::Kind::framework}) {
    if (values.count(name_of(kind)) > 0) targets.push_back({kind, values[name_of(kind)].as<std::string>()});
  }
  if (targets.size() != 1) throw UsageError("orrery fit: give one of --device, --link and --framework");
  return targets.front();
}

bool is_trace(const std::string& file) {
  return file.ends_with(".json") || file.ends_with(".json.gz") || file.ends_with(".gz");
}

RowsToFit problem_of(const std::string& file, const FitTarget& target, const po::variables_map& values) {
  const auto constants =
      values.count("constant") > 0 ? values["constant"].as<std::vector<std::string>>() : std::vector<std::string>{};
  const ValidationTables tables = read_validation_tables();
  Problems problems;
  if (is_trace(file)) {
    const std::vector<TracedProduct> products = traced_products(read_trace(file, problems), file, problems);
    problems.throw_if_any();
    return problem_of_products(products, tables, target, constants);
  }
  std::vector<MeasuredRow> rows = read_measured_rows(file, problems);
  problems.throw_if_any();
  const std::string prefix = values["rows"].as<std::string>();
  std::erase_if(rows, [&prefix](const MeasuredRow& row) { return !row.id.starts_with(prefix); });
  return problem_of_rows(rows, tables, target, constants);
}

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

/// Six digits are more than any fit is worth. Rounding keeps the order of low, value and high.
Ranged rounded(const Ranged& value) {
  const auto round = [](double number) { return std::stod(fmt::format("{:.6g}", number)); };
  return {round(value.value), round(value.low), round(value.high)};
}

bool is_told(const FitResult& result, const std::string& constant) {
  return std::find(result.untold.begin(), result.untold.end(), constant) == result.untold.end();
}

std::vector<ConstantRow> rows_of(const RowsToFit& fit, const FitResult& result, const FitTarget& target,
                                 const std::string& file) {
  const std::string name = std::filesystem::path(file).filename().string();
  const std::string source = fmt::format("fit to {}: {} rows, held-out error {}", name, fit.problem.rows.size(),
                                         percent(result.error_held_out));
  std::vector<ConstantRow> rows;
  for (std::size_t i = 0; i < result.constants.size(); ++i) {
    const std::string& constant = fit.problem.parameters[i].constant;
    if (is_told(result, constant)) rows.push_back({target.id, constant, rounded(result.constants[i]), source, {}});
  }
  if (target.kind == FitTarget::Kind::framework) {
    const Ranged error(result.error_held_out, result.lowest_fold_error, result.highest_fold_error);
    rows.push_back({target.id, "model_error", rounded(error), source + "; least and most of a fold", {}});
  }
  return rows;
}

/// A constant whose folds disagree by more than itself was not learned.
std::string remark(const FitParameter& parameter, const Ranged& value) {
  if (value.high - value.low > value.value) return "  hardly determined: the folds disagree";
  const double width = parameter.highest - parameter.lowest;
  const double to_end = std::min(value.value - parameter.lowest, parameter.highest - value.value);
  return to_end <= 1e-6 * width ? "  at the end of its range: these rows may need another law" : "";
}

void print_constant(const std::string& constant, const Ranged& value, const std::string& more) {
  std::cout << fmt::format("{:<24} {:>10}  ({} to {}){}\n", constant, number_text(value.value), number_text(value.low),
                           number_text(value.high), more);
}

void print(const RowsToFit& fit, const FitResult& result, const std::vector<ConstantRow>& rows) {
  for (std::size_t i = 0; i < fit.problem.parameters.size(); ++i) {
    const FitParameter& parameter = fit.problem.parameters[i];
    const std::string start = number_text(parameter.start);
    if (!is_told(result, parameter.constant)) {
      std::cout << fmt::format("{:<24} {:>10}  kept, with its range: the rows do not depend on it\n",
                               parameter.constant, start);
      continue;
    }
    print_constant(parameter.constant, rounded(result.constants[i]),
                   "  was " + start + remark(parameter, result.constants[i]));
  }
  if (rows.back().constant == "model_error") print_constant(rows.back().constant, rows.back().value, "");
  std::cout << fmt::format("mean error of {} rows: {} before, {} in sample, {} held out ({} folds; worst {}: {})\n",
                           fit.problem.rows.size(), percent(result.error_before), percent(result.error_in_sample),
                           percent(result.error_held_out), result.folds, result.worst_row,
                           percent(result.worst_held_out));
}

void print_left_out(const std::vector<std::string>& left_out) {
  constexpr std::size_t most_shown = 8;
  for (std::size_t i = 0; i < std::min(most_shown, left_out.size()); ++i) {
    std::cerr << "left out " << left_out[i] << '\n';
  }
  if (left_out.size() > most_shown) std::cerr << fmt::format("left out {} more\n", left_out.size() - most_shown);
}

void fit_and_write(const std::string& file, const FitTarget& target, const po::variables_map& values,
                   const std::string& out) {
  const RowsToFit fit = problem_of(file, target, values);
  print_left_out(fit.left_out);
  const FitResult result = fit_constants(fit.problem, {values["folds"].as<int>(), values["seed"].as<std::uint64_t>()});
  const std::vector<ConstantRow> rows = rows_of(fit, result, target, file);
  print(fit, result, rows);
  write_file(out, constants_csv(name_of(target.kind), rows));
}

/// Of no line of a file: what was asked for cannot be, and the command says so.
std::vector<Problem> told_by_command(std::vector<Problem> problems) {
  for (Problem& problem : problems) {
    if (problem.at.file.empty()) problem.at.file = "orrery fit";
  }
  return problems;
}

}  // namespace

ExitCode fit_command(const Arguments& arguments) {
  const CommandSpec spec = fit_spec();
  const auto values = parse(spec, arguments);
  if (!values) return ExitCode::ok;
  if (values->count("output") == 0) throw UsageError("orrery fit: -o FILE is missing (the file of constants to write)");
  if ((*values)["folds"].as<int>() < 2) throw UsageError("orrery fit: --folds must be at least 2");
  const std::string file = (*values)["ROWS_OR_TRACE"].as<std::string>();
  const FitTarget target = target_of(*values);
  refuse_inputs("fit", text_of(*values, "output"), {file});
  const std::string out = new_file("fit", *values);
  try {
    fit_and_write(file, target, *values, out);
  } catch (const InvalidInput& error) {
    throw InvalidInput(told_by_command(error.problems()));
  }
  return ExitCode::ok;
}

}  // namespace orrery
