#include "analysis/metrics/learning_curve.hpp"

#include <algorithm>

namespace orrery {
namespace {

/// `from` and `to`: server steps done at the point before and at this one; `transfer`: bytes sent before the first.
void fill_from(const Ledger& ledger, std::size_t from, std::size_t to, Bytes transfer, CurveEntry& entry) {
  const FederatedTotals& totals = ledger.after(to);
  const FederatedTotals& before = ledger.after(from);
  entry.totals = totals;
  entry.point.bytes = transfer + totals.sent;
  const std::int64_t reports = totals.trips.reported - before.trips.reported;
  if (reports == 0) return;
  entry.staleness_mean = static_cast<double>(totals.staleness - before.staleness) / static_cast<double>(reports);
  entry.staleness_max = ledger.worst_staleness(from, to);
}

}  // namespace

std::vector<CurveEntry> learning_curve(const Way& way, const Account& account, const Ledger* ledger) {
  std::vector<CurveEntry> curve;
  curve.reserve(way.curve.size());
  std::size_t before = 0;
  for (const CurvePoint& point : way.curve) {
    CurveEntry entry;
    entry.point = point;
    entry.spent = spending_after(account, static_cast<double>(point.round));
    if (entry.spent.energy) entry.point.energy = entry.spent.energy->total();
    if (ledger != nullptr) {
      const auto done = static_cast<std::size_t>(point.round);
      fill_from(*ledger, before, done, way.data_transfer.bytes, entry);
      before = done;
    }
    curve.push_back(entry);
  }
  return curve;
}

std::optional<CurveEntry> first_at(const std::vector<CurveEntry>& curve, double target) {
  if (target <= 0) return std::nullopt;
  const auto reached = std::find_if(curve.begin(), curve.end(),
                                    [target](const CurveEntry& entry) { return entry.point.accuracy >= target; });
  return reached == curve.end() ? std::nullopt : std::optional(*reached);
}

}  // namespace orrery
