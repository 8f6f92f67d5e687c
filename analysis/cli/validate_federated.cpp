// `orrery validate --federated`: published rounds, learned anew and set beside ours.
#include "analysis/cli/validate_federated.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "analysis/cli/command.hpp"
#include "analysis/cli/progress_bar.hpp"
#include "analysis/reports/text_table.hpp"
#include "analysis/validation/verdicts.hpp"
#include "models/networks/layer_patterns.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/files.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

namespace po = boost::program_options;

/// Those that are asked for.
std::vector<PublishedRow> wanted_rows(const po::variables_map& values, const std::vector<PublishedRow>& all) {
  if (values.count("full") != 0 && values.count("rows") != 0) {
    throw UsageError("orrery validate: --full is every row and --rows some of them - give one of the two");
  }
  std::vector<PublishedRow> rows;
  for (const PublishedRow& row : all) {
    const bool is_wanted = values.count("rows") != 0 ? matches(values["rows"].as<std::string>(), row.name)
                                                     : values.count("full") != 0 || row.fast;
    if (is_wanted) rows.push_back(row);
  }
  if (rows.empty()) throw UsageError("orrery validate: no row matches " + values["rows"].as<std::string>());
  return rows;
}

/// Where rows go, and what stands there already.
class ResultsFile {
 public:
  explicit ResultsFile(const po::variables_map& values) {
    if (values.count("output") == 0) {
      if (values.count("resume") == 0) return;
      throw UsageError("orrery validate: --resume goes on with a file - name it with -o");
    }
    path_ = values["output"].as<std::string>();
    if (!std::filesystem::exists(path_)) return;
    if (values.count("resume") != 0) {
      Problems problems;
      rows_ = read_reruns(path_, problems);
      problems.throw_if_any();
      keep(values["seed"].as<std::uint64_t>());
    } else if (values.count("force") == 0) {
      throw UsageError(
          fmt::format("orrery validate: {} exists - choose another -o, or add --resume or --force", path_));
    }
  }

  [[nodiscard]] bool has(const std::string& row) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](const RerunRow& done) { return done.name == row; });
  }

  void add(RerunRow row, const std::vector<PublishedRow>& published) {
    rows_.push_back(std::move(row));
    if (!path_.empty()) write_file(path_, to_csv(judge_rows(published, rows_)));
  }

  [[nodiscard]] const std::vector<RerunRow>& rows() const { return rows_; }

 private:
  void keep(std::uint64_t seed) const {
    for (const RerunRow& row : rows_) {
      if (row.seed == seed) continue;
      throw UsageError(
          fmt::format("orrery validate: {} has rows of seed {} - go on with --seed {}", path_, row.seed, row.seed));
    }
  }

  std::string path_;
  std::vector<RerunRow> rows_;
};

void run_rows(const po::variables_map& values, const std::vector<PublishedRow>& wanted,
              const std::vector<PublishedRow>& all, ResultsFile& results) {
  const DataSet data = load_data_set("mnist", 1);
  ProgressBar bar(verbosity_of(values));
  for (std::size_t index = 0; index < wanted.size(); ++index) {
    const PublishedRow& row = wanted[index];
    if (results.has(row.name)) continue;
    const auto report = [&](double share, const std::string& detail) {
      bar.show(row.name, (static_cast<double>(index) + share) / static_cast<double>(wanted.size()), detail);
    };
    results.add(rerun_row(row, data, values["seed"].as<std::uint64_t>(), report), all);
  }
}

std::string figure(const std::optional<double>& value, int decimals) {
  return value ? fmt::format("{:.{}f}", *value, decimals) : "-";
}

void print_rows(const std::vector<RowVerdict>& rows) {
  std::vector<TextRow> lines;
  for (const RowVerdict& row : rows) {
    const PublishedRow& cell = *row.published;
    lines.push_back(
        {{cell.name, number_text(cell.published_rounds), figure(row.ours->rounds, 1), figure(row.ratio(), 2),
          fmt::format("{} to {}", number_text(cell.band_low), number_text(cell.band_high)), row.inside() ? "yes" : "no",
          number_text(row.ours->learning_rate) + (row.at_edge() ? ", edge of the grid" : ""), cell.certainty},
         {}});
  }
  std::cout << "Rounds of federated averaging to the target accuracy (McMahan et al. 2017), MNIST, 100 clients\n\n";
  for (const std::string& line : text_table({{"row", Align::left},
                                             {"published"},
                                             {"ours"},
                                             {"ratio"},
                                             {"band"},
                                             {"inside"},
                                             {"learning rate"},
                                             {"certainty", Align::left}},
                                            lines, 120)) {
    std::cout << line << '\n';
  }
}

void print_ratios(const std::vector<RatioVerdict>& ratios) {
  for (const RatioVerdict& ratio : ratios) {
    std::cout << fmt::format("  {}: {:.1f} (published {}, band {} to {}): {}\n", ratio.published.name, ratio.ours,
                             number_text(ratio.published.published), number_text(ratio.published.low),
                             number_text(ratio.published.high), ratio.inside() ? "inside" : "outside");
  }
}

void print_orderings(const std::vector<OrderingVerdict>& orderings) {
  const auto held = std::count_if(orderings.begin(), orderings.end(), [](const auto& o) { return o.holds; });
  std::cout << fmt::format(
      "  orderings of the tables (one setting differs, published rounds by more than {} x): {} of {} hold\n",
      clear_difference, held, orderings.size());
  for (const OrderingVerdict& ordering : orderings) {
    if (!ordering.holds) std::cout << fmt::format("    not held: {} before {}\n", ordering.fewer, ordering.more);
  }
}

ExitCode report(const std::vector<PublishedRow>& all, const std::vector<RerunRow>& ours) {
  const std::vector<RowVerdict> rows = judge_rows(all, ours);
  const std::vector<RatioVerdict> ratios = judge_ratios(published_ratios(all), rows);
  const std::vector<OrderingVerdict> orderings = judge_orderings(rows);
  print_rows(rows);
  std::cout << "\nBetween rows\n";
  print_ratios(ratios);
  print_orderings(orderings);
  const bool all_inside = std::all_of(rows.begin(), rows.end(), [](const auto& row) { return row.inside(); }) &&
                          std::all_of(ratios.begin(), ratios.end(), [](const auto& r) { return r.inside(); }) &&
                          std::all_of(orderings.begin(), orderings.end(), [](const auto& o) { return o.holds; });
  return all_inside ? ExitCode::ok : ExitCode::assertion_failed;
}

}  // namespace

ExitCode validate_federated(const po::variables_map& values) {
  const std::vector<PublishedRow> all = published_rows();
  const std::vector<PublishedRow> wanted = wanted_rows(values, all);
  ResultsFile results(values);
  run_rows(values, wanted, all, results);
  return report(all, results.rows());
}

}  // namespace orrery
