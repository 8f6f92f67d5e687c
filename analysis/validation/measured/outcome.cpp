#include "analysis/validation/measured/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/validation/measured/metric_names.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string assumed_text(std::vector<std::string> assumed) {
  if (assumed.empty()) return {};
  std::vector<std::string> once;
  for (std::string& text : assumed) {
    if (std::find(once.begin(), once.end(), text) == once.end()) once.push_back(std::move(text));
  }
  return "assumed: " + join(once, "; ");
}

bool is_usable(const Ranged& range) {
  return std::isfinite(range.value) && std::isfinite(range.low) && std::isfinite(range.high);
}

/// Some figures fall as the constants rise.
Ranged in_order(const Ranged& range) {
  const auto [low, high] = std::minmax({range.value, range.low, range.high});
  return {range.value, low, high};
}

/// Lengths and batches may change in the course of a run, and are then words that metrics look at; nothing else is.
void require_counts(const MeasuredRow& row) {
  for (const auto& [column, text] : row.in_words) {
    const bool may_change = column == "seq_len" || column == "global_batch" || column == "micro_batch";
    if (!may_change) throw RowSkipped(fmt::format("{} \"{}\" is no number", column, text));
  }
}

RowOutcome outcome_of(const MeasuredRow& row, const std::vector<Metric>& metrics, CaseSolver& solver) {
  RowOutcome outcome{&row, std::nullopt, "", {}};
  try {
    if (row.value <= 0) {
      throw RowSkipped(fmt::format("measured {}: an error is relative to more than nothing", number_text(row.value)));
    }
    require_counts(row);
    Predicted predicted = known_metric(row, metrics).predict(row, solver);
    if (!is_usable(predicted.value)) throw RowSkipped("the prediction is no finite number");
    outcome.predicted = in_order(predicted.value);
    outcome.null = predicted.null;
    outcome.reason = assumed_text(std::move(predicted.assumed));
  } catch (const RowSkipped& skipped) {
    outcome.reason = skipped.what();
  } catch (const Infeasible& infeasible) {
    outcome.reason = infeasible.what();
  }
  return outcome;
}

std::string cell(const std::optional<double>& value) {
  return value ? number_text(*value) : "";
}

}  // namespace

std::optional<double> RowOutcome::signed_error() const {
  if (!predicted) return std::nullopt;
  return predicted->value / row->value - 1;
}

bool RowOutcome::is_covered() const {
  return predicted && predicted->low <= row->value && row->value <= predicted->high;
}

std::vector<RowOutcome> predict_rows(const std::vector<MeasuredRow>& rows, const ValidationTables& tables) {
  const std::vector<Metric> metrics = all_metrics();
  CaseSolver solver(tables);
  std::vector<RowOutcome> outcomes;
  outcomes.reserve(rows.size());
  for (const MeasuredRow& row : rows) outcomes.push_back(outcome_of(row, metrics, solver));
  return outcomes;
}

std::string to_csv(const std::vector<RowOutcome>& outcomes) {
  std::string text = csv_line({"id", "set", "metric", "unit", "measured", "predicted", "predicted_low",
                               "predicted_high", "signed_error", "status", "reason"});
  for (const RowOutcome& outcome : outcomes) {
    const MeasuredRow& row = *outcome.row;
    const auto& predicted = outcome.predicted;
    const auto end = [&](double Ranged::*member) { return predicted ? number_text((*predicted).*member) : ""; };
    text +=
        csv_line({row.id, row.set, row.metric, row.unit, number_text(row.value), end(&Ranged::value), end(&Ranged::low),
                  end(&Ranged::high), cell(outcome.signed_error()), predicted ? "ok" : "skipped", outcome.reason});
  }
  return text;
}

}  // namespace orrery
