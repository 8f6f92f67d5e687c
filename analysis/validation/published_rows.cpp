#include "analysis/validation/published_rows.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/csv.hpp"
#include "sim/base/files.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string file_named(const std::string& name) {
  return (data_directory() / "analysis" / "validation" / name).string();
}

std::vector<double> rates_of(CsvRow& row) {
  std::vector<double> rates;
  for (const std::string& text : split(row.required_text("learning_rates"), ' ')) {
    const auto rate = parse_number(text);
    if (rate && *rate > 0) {
      rates.push_back(*rate);
    } else {
      row.problem("learning_rates", "\"" + text + "\" is no learning rate");
    }
  }
  return rates;
}

PublishedRow row_of(CsvRow& row) {
  PublishedRow published;
  published.name = row.required_text("row");
  published.network = row.required_text("network");
  published.partition = row.required_text("partition");
  published.clients_per_round = static_cast<std::size_t>(row.required_number("clients_per_round"));
  published.local_epochs = static_cast<int>(row.required_number("local_epochs"));
  published.local_batch = static_cast<std::int64_t>(row.required_number("local_batch"));
  published.target_accuracy = row.required_number("target_accuracy");
  published.published_rounds = row.required_number("published_rounds");
  published.band_low = row.required_number("band_low");
  published.band_high = row.required_number("band_high");
  published.learning_rates = rates_of(row);
  published.fast = row.required_text("fast") == "yes";
  published.certainty = row.required_text("certainty");
  published.source = row.required_text("source");
  return published;
}

}  // namespace

std::vector<PublishedRow> published_rows() {
  Problems problems;
  CsvTable table = CsvTable::read(
      file_named("federated_rows.csv"),
      {{"row", "network", "partition", "clients_per_round", "local_epochs", "local_batch", "target_accuracy",
        "published_rounds", "band_low", "band_high", "learning_rates", "fast", "certainty", "source"},
       {}},
      problems);
  std::vector<PublishedRow> rows;
  for (CsvRow& row : table.rows()) rows.push_back(row_of(row));
  problems.throw_if_any();
  return rows;
}

std::vector<PublishedRatio> published_ratios(const std::vector<PublishedRow>& rows) {
  Problems problems;
  CsvTable table = CsvTable::read(file_named("federated_ratios.csv"),
                                  {{"ratio", "above", "below", "published", "low", "high"}, {}}, problems);
  std::vector<PublishedRatio> ratios;
  for (CsvRow& row : table.rows()) {
    for (const char* column : {"above", "below"}) {
      const std::string& name = row.required_text(column);
      const bool is_known = std::any_of(rows.begin(), rows.end(), [&](const auto& r) { return r.name == name; });
      if (!is_known) row.problem(column, "there is no row \"" + name + "\"");
    }
    ratios.push_back({row.required_text("ratio"), row.text("above"), row.text("below"),
                      row.required_number("published"), row.required_number("low"), row.required_number("high")});
  }
  problems.throw_if_any();
  return ratios;
}

}  // namespace orrery
