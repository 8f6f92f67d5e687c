// Measured rows as a problem of least squares: which constants of a device, a link or a framework they tell.
#pragma once

#include <string>
#include <vector>

#include "analysis/validation/fit.hpp"
#include "analysis/validation/fit_target.hpp"
#include "analysis/validation/measured/measured_row.hpp"
#include "analysis/validation/measured/tables.hpp"

namespace orrery {

struct RowsToFit {
  FitProblem problem;
  std::vector<std::string> left_out;  // "C-GEMM-001: why"; rows of other metrics and other devices are not named
};

/// device: rows of rates of matrix products on it; link: collectives inside a node over it, or between nodes over it;
/// framework: times and rates of training steps, every one priced with this framework, whose rows state their layout.
/// `constants`: empty, the usual ones: of a device those of the precisions of its rows; of a link bus_GBps and base_us
/// (the plateau in the switch, and fill_us, where the law has them); of a framework host_forward_us and
/// straggler_per_doubling. Throws InvalidInput for an unknown id or constant, or when no row tells anything, with what
/// the rows do tell of.
RowsToFit problem_of_rows(const std::vector<MeasuredRow>& rows, const ValidationTables& tables, const FitTarget& target,
                          const std::vector<std::string>& constants);

}  // namespace orrery
