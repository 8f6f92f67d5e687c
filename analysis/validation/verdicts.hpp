// What of the published holds in our reruns.
#pragma once

#include <string>
#include <vector>

#include "analysis/validation/published_rows.hpp"
#include "analysis/validation/rerun_row.hpp"

namespace orrery {

/// Published and ours of one row. Both outlive it.
struct RowVerdict {
  const PublishedRow* published = nullptr;
  const RerunRow* ours = nullptr;
  [[nodiscard]] std::optional<double> ratio() const;  // ours / published; nothing when the target was not reached
  [[nodiscard]] bool inside() const;
  /// Whether the best learning rate is the lowest or highest of the grid: a better one may lie beyond.
  [[nodiscard]] bool at_edge() const;
};
/// Of the rows that were run, in the order of `published`.
std::vector<RowVerdict> judge_rows(const std::vector<PublishedRow>& published, const std::vector<RerunRow>& ours);

struct RatioVerdict {
  PublishedRatio published;
  double ours = 0;
  [[nodiscard]] bool inside() const { return ours >= published.low && ours <= published.high; }
};
/// Of the ratios both of whose rows reached their targets.
std::vector<RatioVerdict> judge_ratios(const std::vector<PublishedRatio>& ratios, const std::vector<RowVerdict>& rows);

/// Two rows of one table that differ in one setting (clients per round, epochs, batch or partition), and whose
/// published rounds differ by more than `clear_difference`: less is within what seeds and learning rates do.
struct OrderingVerdict {
  std::string fewer, more;
  bool holds = false;
};
inline constexpr double clear_difference = 1.5;
std::vector<OrderingVerdict> judge_orderings(const std::vector<RowVerdict>& rows);

/// One line per finished row: published, ours, their ratio, whether it is inside the band.
std::string to_csv(const std::vector<RowVerdict>& rows);
/// What of that is ours. Every defect is a problem.
std::vector<RerunRow> read_reruns(const std::string& file, Problems& problems);

}  // namespace orrery
