// The learning curve with what every point of it cost.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/metrics/ledger.hpp"
#include "analysis/metrics/spending.hpp"
#include "scenarios/way.hpp"

namespace orrery {

struct CurveEntry {
  CurvePoint point;  // with energy (zero when it is unknown); bytes of co-simulated ways: the ledger's
  Spending spent;    // up to it, moving the data included
  std::optional<FederatedTotals> totals;  // of co-simulated ways, up to it
  // Of the reports since the point before; no figure without any.
  std::optional<double> staleness_mean;
  std::optional<std::int64_t> staleness_max;
};

/// `ledger`: of a co-simulated way, else null.
std::vector<CurveEntry> learning_curve(const Way& way, const Account& account, const Ledger* ledger);

/// The first entry that reached the target accuracy; nothing for none, or for the target 0.
std::optional<CurveEntry> first_at(const std::vector<CurveEntry>& curve, double target);

}  // namespace orrery
