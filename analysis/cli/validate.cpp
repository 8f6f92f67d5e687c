// `orrery validate`: predictions set beside published measurements.
#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <iostream>

#include "analysis/cli/command.hpp"
#include "analysis/cli/output_file.hpp"
#include "analysis/cli/validate_federated.hpp"
#include "analysis/validation/measured/metric_names.hpp"
#include "analysis/validation/measured/outcome.hpp"
#include "analysis/validation/measured/set_scores.hpp"
#include "models/cost/constants_file.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

namespace po = boost::program_options;

constexpr std::size_t table_width = 120;

/// "a; b; c", as many on a line as it holds.
std::string wrapped(const std::vector<std::string>& parts) {
  std::string text, line;
  for (const std::string& part : parts) {
    if (line.size() + part.size() + 2 > table_width) {
      text += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "  " : " ") + part + ";";
  }
  line.back() = '.';
  return text + line;
}

std::string metric_notes() {
  return fmt::format("Metrics and their units (time: {}):\n{}", fmt::join(time_unit_names(), ", "),
                     wrapped(metric_lines(all_metrics())));
}

CommandSpec validate_spec() {
  CommandSpec spec;
  spec.name = "validate";
  spec.summary =
      "predict published measurements and print how far off we are, set by set; or learn published rounds anew";
  spec.examples = {"orrery validate                              # the rows that ship with Orrery",
                   "orrery validate rows.csv -o predictions.csv  # signed error, range and reason of every row",
                   "orrery validate rows.csv --constants mine.csv         # with constants of your own (orrery fit)",
                   "orrery validate --federated",
                   "orrery validate --federated --rows '2nn-iid-*' -o rows.csv",
                   "orrery validate --federated --full -o rows.csv --resume     # hours; goes on where it stopped"};
  spec.positional = {"[ROWS.csv]"};
  spec.options.add_options()("federated", "rounds of federated averaging to a target accuracy (McMahan et al. 2017)")(
      "full", "federated: every row of tables 1, 2 and 4; without it those that take about two minutes")(
      "rows", po::value<std::string>()->value_name("PATTERN"),
      "federated: only rows whose name matches; * stands for any letters")(
      "seed", po::value<std::uint64_t>()->default_value(1)->value_name("N"),
      "federated: of partition, selection and weights")(
      "constants", po::value<std::vector<std::string>>()->value_name("FILE"),
      "file that `orrery fit` wrote, in the place of the catalogue's constants; may be given several times")(
      "output,o", po::value<std::string>()->value_name("FILE"), "CSV of the rows")(
      "resume", "federated: keep the rows that stand in FILE already")("force", "overwrite FILE")("quiet,q",
                                                                                                  "no progress bar");
  spec.notes =
      "ROWS.csv has the columns of analysis/validation/measured.csv, of which id, metric, value and unit are needed. "
      "Rows\n"
      "that do not say enough are skipped, and the reason stands in FILE; what was assumed for the others stands there "
      "too.\n"
      "--federated reads MNIST (`./dev data mnist`). The learning rate of each row is the best of a grid, as in the "
      "paper: see\n"
      "analysis/validation/federated_rows.csv. Ends with code 5 when a row, a ratio or an ordering is outside its "
      "band.\n\n" +
      metric_notes();
  return spec;
}

void refuse_federated_options(const po::variables_map& values) {
  for (const char* option : {"full", "rows", "seed", "resume"}) {
    if (values.count(option) == 0 || values[option].defaulted()) continue;
    throw UsageError(
        fmt::format("orrery validate: --{} belongs to --federated - add it, or leave --{} out", option, option));
  }
}

std::vector<std::string> owners_of(const std::string& kind, const ValidationTables& tables) {
  if (kind == "device") return ids_of(tables.catalogue.devices);
  if (kind == "link") return ids_of(tables.catalogue.links);
  return ids_of(tables.frameworks);
}

void check_owners(const ConstantsFile& file, const ValidationTables& tables, Problems& problems) {
  const std::vector<std::string> known = owners_of(file.kind, tables);
  for (const ConstantRow& row : file.rows) {
    if (row.owner.starts_with("default") || std::find(known.begin(), known.end(), row.owner) != known.end()) continue;
    problems.add({row.at,
                  file.kind,
                  fmt::format("unknown {} \"{}\"", file.kind, row.owner),
                  "its constant would change nothing",
                  did_you_mean(row.owner, known, "orrery list " + file.kind + "s"),
                  {}});
  }
}

std::vector<std::string> constants_files(const po::variables_map& values) {
  return values.count("constants") != 0 ? values["constants"].as<std::vector<std::string>>()
                                        : std::vector<std::string>{};
}

/// Constants that the user has fitted, in the place of those that ship.
void take_constants(const po::variables_map& values, ValidationTables& tables) {
  Problems problems;
  for (const std::string& name : constants_files(values)) {
    const ConstantsFile file = read_constants_file(name, problems);
    check_owners(file, tables, problems);
    overlay(file, tables.device_laws), overlay(file, tables.fabric_laws);
    for (FrameworkProfile& framework : tables.frameworks) overlay(file, framework);
  }
  problems.throw_if_any();
}

std::ptrdiff_t predicted_of(const std::vector<RowOutcome>& outcomes) {
  return std::count_if(outcomes.begin(), outcomes.end(),
                       [](const RowOutcome& row) { return row.predicted.has_value(); });
}

/// Why no row could be predicted: the reasons of the first few.
void print_reasons(const std::vector<RowOutcome>& outcomes) {
  constexpr std::size_t shown = 5;
  for (std::size_t i = 0; i < std::min(shown, outcomes.size()); ++i) {
    std::cout << outcomes[i].row->id << ": " << outcomes[i].reason << '\n';
  }
  if (outcomes.size() > shown) std::cout << fmt::format("... and {} more (-o FILE has all)\n", outcomes.size() - shown);
}

void print_scores(const std::vector<RowOutcome>& outcomes, const std::vector<SetScore>& scores) {
  std::cout << fmt::format("Predictions of {} of {} published measurements: error = predicted / measured - 1\n\n",
                           predicted_of(outcomes), outcomes.size());
  for (const std::string& line : score_table(scores, table_width)) std::cout << line << '\n';
  std::cout
      << "\nmean, median, worst: of |error| in %; in range: % of the measurements inside the predicted range; rank,\n"
         "regret: order of layouts of one job (Spearman), and by how much the predicted best is worse than the\n"
         "best; null: mean |error| of one rate for the whole set. calibration: constants were fitted to these rows;\n"
         "doubtful: their own settings are in question.\n";
}

ExitCode validate_rows(const po::variables_map& values) {
  refuse_federated_options(values);
  const std::string file =
      values.count("ROWS.csv") != 0 ? values["ROWS.csv"].as<std::string>() : shipped_measured_rows();
  std::vector<std::string> inputs = constants_files(values);
  inputs.push_back(file);
  refuse_inputs("validate", text_of(values, "output"), inputs);
  const std::string output = new_file("validate", values);
  Problems problems;
  const std::vector<MeasuredRow> rows = read_measured_rows(file, problems);
  const std::vector<SetRole> roles = read_set_roles(problems);
  problems.throw_if_any();
  ValidationTables tables = read_validation_tables();
  take_constants(values, tables);
  const std::vector<RowOutcome> outcomes = predict_rows(rows, tables);
  if (!output.empty()) write_file(output, to_csv(outcomes));
  std::vector<SetScore> scores = set_scores(outcomes, roles);
  const std::vector<SetScore> together = role_scores(outcomes, roles);
  scores.insert(scores.end(), together.begin(), together.end());
  print_scores(outcomes, scores);
  if (outcomes.empty() || predicted_of(outcomes) > 0) return ExitCode::ok;
  std::cout << "\nNo row says enough:\n";
  print_reasons(outcomes);
  return ExitCode::infeasible;
}

}  // namespace

ExitCode validate_command(const Arguments& arguments) {
  const auto values = parse(validate_spec(), arguments);
  if (!values) return ExitCode::ok;
  if (values->count("federated") == 0) return validate_rows(*values);
  if (values->count("ROWS.csv") != 0) {
    throw UsageError("orrery validate: --federated has its own rows - leave ROWS.csv out, or --federated");
  }
  if (values->count("constants") != 0) {
    throw UsageError("orrery validate: --federated learns, and prices nothing - leave --constants out, or --federated");
  }
  return validate_federated(*values);
}

}  // namespace orrery
