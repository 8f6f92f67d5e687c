#include "analysis/validation/verdicts.hpp"

#include <algorithm>

#include "sim/base/csv.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// "table 1" of "McMahan et al. 2017 table 1 C = 0.1".
std::string table_of(const PublishedRow& row) {
  const std::size_t at = row.source.find("table ");
  return at == std::string::npos ? row.source : row.source.substr(at, 7);
}

int differences(const PublishedRow& a, const PublishedRow& b) {
  return (a.clients_per_round != b.clients_per_round ? 1 : 0) + (a.local_epochs != b.local_epochs ? 1 : 0) +
         (a.local_batch != b.local_batch ? 1 : 0) + (a.partition != b.partition ? 1 : 0);
}

bool comparable(const PublishedRow& a, const PublishedRow& b) {
  return a.network == b.network && table_of(a) == table_of(b) && differences(a, b) == 1;
}

const std::vector<std::string>& titles() {
  static const std::vector<std::string> names = {
      "row",          "network",       "partition",        "clients_per_round",
      "local_epochs", "local_batch",   "target_accuracy",  "published_rounds",
      "rounds",       "ratio",         "band_low",         "band_high",
      "inside",       "learning_rate", "highest_accuracy", "seed",
      "certainty",    "source"};
  return names;
}

std::string known(const std::optional<double>& value) {
  return value ? number_text(*value) : std::string{};
}

}  // namespace

std::optional<double> RowVerdict::ratio() const {
  if (!ours->rounds) return std::nullopt;
  return *ours->rounds / published->published_rounds;
}

bool RowVerdict::inside() const {
  const auto at = ratio();
  return at && *at >= published->band_low && *at <= published->band_high;
}

bool RowVerdict::at_edge() const {
  const auto& grid = published->learning_rates;
  const auto [low, high] = std::minmax_element(grid.begin(), grid.end());
  return ours->rounds && (ours->learning_rate <= *low || ours->learning_rate >= *high);
}

std::vector<RowVerdict> judge_rows(const std::vector<PublishedRow>& published, const std::vector<RerunRow>& ours) {
  std::vector<RowVerdict> verdicts;
  for (const PublishedRow& row : published) {
    const auto found =
        std::find_if(ours.begin(), ours.end(), [&](const RerunRow& rerun) { return rerun.name == row.name; });
    if (found != ours.end()) verdicts.push_back({&row, &*found});
  }
  return verdicts;
}

std::vector<RatioVerdict> judge_ratios(const std::vector<PublishedRatio>& ratios, const std::vector<RowVerdict>& rows) {
  const auto rounds = [&rows](const std::string& name) -> std::optional<double> {
    for (const RowVerdict& row : rows) {
      if (row.published->name == name) return row.ours->rounds;
    }
    return std::nullopt;
  };
  std::vector<RatioVerdict> verdicts;
  for (const PublishedRatio& ratio : ratios) {
    const auto above = rounds(ratio.above), below = rounds(ratio.below);
    if (above && below) verdicts.push_back({ratio, *above / *below});
  }
  return verdicts;
}

std::vector<OrderingVerdict> judge_orderings(const std::vector<RowVerdict>& rows) {
  std::vector<OrderingVerdict> verdicts;
  for (const RowVerdict& fewer : rows) {
    for (const RowVerdict& more : rows) {
      if (!comparable(*fewer.published, *more.published)) continue;
      if (more.published->published_rounds < clear_difference * fewer.published->published_rounds) continue;
      const auto few = fewer.ours->rounds, many = more.ours->rounds;
      if (!few && !many) continue;  // nothing is known of them
      verdicts.push_back({fewer.published->name, more.published->name, few && (!many || *few < *many)});
    }
  }
  return verdicts;
}

std::string to_csv(const std::vector<RowVerdict>& rows) {
  std::string text = csv_line(titles());
  for (const RowVerdict& row : rows) {
    const PublishedRow& cell = *row.published;
    const RerunRow& ours = *row.ours;
    text += csv_line({cell.name, cell.network, cell.partition, std::to_string(cell.clients_per_round),
                      std::to_string(cell.local_epochs), std::to_string(cell.local_batch),
                      number_text(cell.target_accuracy), number_text(cell.published_rounds), known(ours.rounds),
                      known(row.ratio()), number_text(cell.band_low), number_text(cell.band_high),
                      row.inside() ? "yes" : "no", number_text(ours.learning_rate), number_text(ours.accuracy),
                      std::to_string(ours.seed), cell.certainty, cell.source});
  }
  return text;
}

std::vector<RerunRow> read_reruns(const std::string& file, Problems& problems) {
  CsvTable table = CsvTable::read(file, {titles(), {}}, problems);
  std::vector<RerunRow> rows;
  for (CsvRow& row : table.rows()) {
    rows.push_back({row.required_text("row"), static_cast<std::uint64_t>(row.required_number("seed")),
                    row.number("rounds"), row.required_number("learning_rate"),
                    row.required_number("highest_accuracy")});
  }
  return rows;
}

}  // namespace orrery
