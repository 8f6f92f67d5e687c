// How well the rows of a set were predicted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/validation/measured/outcome.hpp"

namespace orrery {

/// What a set is for: rows that constants were fitted to say nothing of how good predictions are.
struct SetRole {
  std::string set, role;  // role: calibration, test, or doubtful (the row's own settings are in question)
  std::string note;
};
/// measured_sets.csv.
std::vector<SetRole> read_set_roles(Problems& problems);

struct SetScore {
  std::string set, role;
  std::size_t rows = 0, scored = 0;
  double mean = 0, median = 0, worst = 0, bias = 0;  // of |error|, |error|, |error|, error
  double covered = 0;                                // share of the scored rows within their range
  std::optional<double> rank;                        // mean Spearman correlation over groups, see layout_groups()
  std::optional<double> regret;     // mean share by which the layout predicted fastest is slower than the fastest
  std::optional<double> null_mean;  // mean |error| of the null model (NullModel), its rates the medians of the set's
};

/// One line per set, in the order of first appearance; sets without a scored row too.
std::vector<SetScore> set_scores(const std::vector<RowOutcome>& outcomes, const std::vector<SetRole>& roles);

/// The sets of each role together, as lines named "all": test, calibration, doubtful; none for a role without rows.
std::vector<SetScore> role_scores(const std::vector<RowOutcome>& outcomes, const std::vector<SetRole>& roles);

/// Rows of equal metric, model, batch and number of devices, at least `least` of them with different settings.
std::vector<std::vector<const RowOutcome*>> layout_groups(const std::vector<const RowOutcome*>& rows,
                                                          std::size_t least);

/// Spearman's rank correlation, equal values sharing the mean of their ranks; nothing when either is constant.
std::optional<double> rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

/// measured[argmin predicted] / min measured - 1, for times; of rates the other way round.
enum class Better : std::uint8_t { lower, higher };
double regret(const std::vector<double>& measured, const std::vector<double>& predicted, Better better);

/// The table on the terminal.
std::vector<std::string> score_table(const std::vector<SetScore>& scores, std::size_t width);

}  // namespace orrery
