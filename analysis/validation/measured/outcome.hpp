// Every row with what is predicted of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/validation/measured/measured_row.hpp"
#include "analysis/validation/measured/metrics.hpp"
#include "analysis/validation/measured/tables.hpp"
#include "sim/base/ranged.hpp"

namespace orrery {

struct RowOutcome {
  const MeasuredRow* row = nullptr;  // outlives it
  std::optional<Ranged> predicted;   // in the row's unit; nothing: skipped
  std::string reason;                // skipped: what is missing; predicted: "assumed: ...", or empty
  NullModel null;

  /// predicted / measured - 1.
  [[nodiscard]] std::optional<double> signed_error() const;
  /// Whether the measurement lies within the range.
  [[nodiscard]] bool is_covered() const;
};

/// In the order of the rows. Rows that cannot be predicted are skipped with the reason; never throws for a row.
std::vector<RowOutcome> predict_rows(const std::vector<MeasuredRow>& rows, const ValidationTables& tables);

/// id,set,metric,unit,measured,predicted,predicted_low,predicted_high,signed_error,status,reason
std::string to_csv(const std::vector<RowOutcome>& outcomes);

}  // namespace orrery
