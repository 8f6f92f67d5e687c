// `orrery compare DIR DIR`: two folders of results side by side.
#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <filesystem>
#include <iostream>

#include "analysis/cli/command.hpp"
#include "analysis/cli/output_file.hpp"
#include "analysis/reports/results_comparison.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

CommandSpec compare_spec() {
  CommandSpec spec;
  spec.name = "compare";
  spec.summary = "two folders of results side by side: what was measured against what was simulated";
  spec.examples = {"orrery compare out/simulated out/measured",
                   "orrery compare out/simulated out/measured --column step_time_s -o comparison.csv"};
  spec.positional = {"A", "B"};
  spec.options.add_options()("output,o", po::value<std::string>()->value_name("FILE.csv"),
                             "write strategy, column, unit, a, b, ratio, difference of every shared figure")(
      "column", po::value<std::vector<std::string>>()->composing()->value_name("NAME"),
      "show this column only; may be repeated; default: all that both have")("force", "overwrite FILE.csv");
  spec.notes = "Rows are paired by the name of the strategy. ratio = b / a, difference = b - a.";
  return spec;
}

/// Folders inside `parent` that hold results.
std::vector<std::string> folders_in(const fs::path& parent) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent.empty() ? fs::path(".") : parent, error)) {
    if (fs::exists(entry.path() / "results.csv")) names.push_back((parent / entry.path().filename()).string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Folders with results inside `folder`, or else beside it.
std::vector<std::string> folders_near(const fs::path& folder) {
  std::vector<std::string> inside = folders_in(folder);
  return inside.empty() ? folders_in(folder.parent_path()) : inside;
}

std::string results_in(const std::string& folder) {
  return (fs::path(folder) / "results.csv").string();
}

/// What is wrong with a folder; empty: it holds results.
std::string complaint_of(const std::string& folder) {
  if (fs::exists(results_in(folder))) return {};
  const std::string what = fs::is_directory(folder) ? "holds no results.csv" : "is no folder";
  const std::vector<std::string> near = folders_near(fs::path(folder).lexically_normal());
  return fmt::format(
      "orrery compare: {} {}{}", folder, what,
      near.empty() ? " - make one with `orrery run SCENARIO -o DIR`" : " (" + did_you_mean(folder, near) + ")");
}

/// Throws UsageError with what is wrong with each.
void require_results(const std::vector<std::string>& folders) {
  std::vector<std::string> complaints;
  for (const std::string& folder : folders) {
    std::string text = complaint_of(folder);
    const bool is_new = std::find(complaints.begin(), complaints.end(), text) == complaints.end();
    if (!text.empty() && is_new) complaints.push_back(std::move(text));
  }
  if (!complaints.empty()) throw UsageError(join(complaints, "\n"));
}

ResultsComparison compared(const std::string& a, const std::string& b) {
  Problems problems;
  const ResultsTable of_a = read_results(results_in(a), problems), of_b = read_results(results_in(b), problems);
  problems.throw_if_any();
  return compare_results(of_a, of_b);
}

/// Only the columns asked for, if any were.
std::vector<ComparedFigure> shown(std::vector<ComparedFigure> figures, const po::variables_map& values) {
  if (values.count("column") == 0) return figures;
  std::vector<std::string> known;
  for (const ComparedFigure& figure : figures) {
    if (std::find(known.begin(), known.end(), figure.column) == known.end()) known.push_back(figure.column);
  }
  const auto wanted = values["column"].as<std::vector<std::string>>();
  for (const std::string& name : wanted) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw UsageError(fmt::format("orrery compare: no strategy has a figure in column \"{}\" on both sides ({})", name,
                                 did_you_mean(name, known)));
  }
  std::erase_if(figures, [&](const ComparedFigure& figure) {
    return std::find(wanted.begin(), wanted.end(), figure.column) == wanted.end();
  });
  return figures;
}

}  // namespace

ExitCode compare_command(const Arguments& arguments) {
  const auto values = parse(compare_spec(), arguments);
  if (!values) return ExitCode::ok;
  const std::string a = (*values)["A"].as<std::string>(), b = (*values)["B"].as<std::string>();
  require_results({a, b});
  refuse_inputs("compare", text_of(*values, "output"), {results_in(a), results_in(b)});
  const std::string output = new_file("compare", *values);
  const ResultsComparison comparison = compared(a, b);
  for (const std::string& name : comparison.only_a) std::cerr << "orrery: only " << a << " has " << name << '\n';
  for (const std::string& name : comparison.only_b) std::cerr << "orrery: only " << b << " has " << name << '\n';
  if (comparison.figures.empty()) {
    throw UsageError(fmt::format("orrery compare: {} and {} share no figure of a strategy", a, b));
  }
  const std::vector<ComparedFigure> figures = shown(comparison.figures, *values);
  if (!output.empty()) write_file(output, comparison_csv(figures));
  std::cout << comparison_text(figures);
  return ExitCode::ok;
}

}  // namespace orrery
