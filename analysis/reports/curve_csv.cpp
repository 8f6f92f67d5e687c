// The columns of curve.csv, one line per point of a learning curve.
#include "analysis/reports/csv_helpers.hpp"
#include "analysis/reports/reports.hpp"
#include "sim/base/csv.hpp"

namespace orrery {
namespace {

using Column = CsvColumn<ResultRow, CurveEntry>;

template <auto Member>
std::string of_point(const ResultRow& /*row*/, const CurveEntry& entry) {
  return number_text(entry.point.*Member);
}
template <auto Member>
std::string of_entry(const ResultRow& /*row*/, const CurveEntry& entry) {
  return number_text(entry.*Member);
}
template <auto Member>
std::string of_spending(const ResultRow& /*row*/, const CurveEntry& entry) {
  return number_text(entry.spent.*Member);
}
/// Blank where nothing is co-simulated, here and below.
template <auto Member>
std::string of_trips(const ResultRow& /*row*/, const CurveEntry& entry) {
  return entry.totals ? number_text(entry.totals->trips.*Member) : std::string{};
}
template <auto Member>
std::string of_totals(const ResultRow& /*row*/, const CurveEntry& entry) {
  return entry.totals ? number_text(entry.totals.value().*Member) : std::string{};
}

/// Blank where the power of a device is unknown, or where joules were counted by processors.
bool has_joules(const ResultRow& row, const CurveEntry& entry) {
  return entry.totals && row.federated && row.federated->has_energy;
}
template <auto Member>
std::string of_joules(const ResultRow& row, const CurveEntry& entry) {
  return has_joules(row, entry) ? number_text(entry.totals->energy().*Member) : std::string{};
}
std::string server_joules(const ResultRow& row, const CurveEntry& entry) {
  return has_joules(row, entry) ? number_text(entry.totals->energy().server()) : std::string{};
}
std::string wasted_joules(const ResultRow& row, const CurveEntry& entry) {
  return has_joules(row, entry) ? number_text(entry.totals->wasted_energy.total()) : std::string{};
}

std::string joules(const ResultRow& /*row*/, const CurveEntry& entry) {
  return entry.spent.energy ? number_text(entry.point.energy) : std::string{};
}
/// Blank where nobody reported since the point before: then there is none.
std::string train_loss(const ResultRow& /*row*/, const CurveEntry& entry) {
  const bool none = entry.totals && !entry.staleness_mean;
  return none ? std::string{} : number_text(entry.point.train_loss);
}

const std::vector<Column>& curve_columns() {
  static const std::vector<Column> columns = {
      {"strategy", [](const ResultRow& row, const CurveEntry&) { return row.strategy->name; }},
      {"seed", [](const ResultRow& row, const CurveEntry&) { return std::to_string(row.way->seed); }},
      {"curve_source",
       [](const ResultRow& row, const CurveEntry&) { return std::string(name_of(row.way->curve_source)); }},
      {"round", of_point<&CurvePoint::round>},
      {"epoch", of_point<&CurvePoint::epoch>},
      {"time_s", of_point<&CurvePoint::time>},
      {"selected", of_trips<&TripCounts::selected>},
      {"completed", of_trips<&TripCounts::reported>},
      {"dropped", of_trips<&TripCounts::dropped>},
      {"late", of_trips<&TripCounts::late>},
      {"surplus", of_trips<&TripCounts::surplus>},
      {"unused", of_trips<&TripCounts::unused>},
      {"accuracy", of_point<&CurvePoint::accuracy>},
      {"loss", of_point<&CurvePoint::loss>},
      {"train_loss", train_loss},
      {"bytes", of_point<&CurvePoint::bytes>},
      {"bytes_down", of_totals<&FederatedTotals::down>},
      {"bytes_up", of_totals<&FederatedTotals::up>},
      {"bytes_wasted", of_totals<&FederatedTotals::wasted>},
      {"staleness_mean", of_entry<&CurveEntry::staleness_mean>},
      {"staleness_max", of_entry<&CurveEntry::staleness_max>},
      {"energy_J", joules},
      {"energy_client_compute_J", of_joules<&FederatedEnergy::client_compute>},
      {"energy_upload_J", of_joules<&FederatedEnergy::upload>},
      {"energy_download_J", of_joules<&FederatedEnergy::download>},
      {"energy_client_idle_J", of_joules<&FederatedEnergy::client_idle>},
      {"energy_network_J", of_joules<&FederatedEnergy::network>},
      {"energy_server_J", server_joules},
      {"energy_wasted_J", wasted_joules},
      {"epsilon", of_point<&CurvePoint::epsilon>},
      {"consensus", of_point<&CurvePoint::consensus>},
      {"cost", of_spending<&Spending::cost>},
      {"emissions_kgCO2e", of_spending<&Spending::emissions_kg>},
  };
  return columns;
}

void add_curve(const ResultRow& row, std::string& text) {
  for (const CurveEntry& entry : row.curve) text += csv_line(cells_of(curve_columns(), row, entry));
  for (const ResultRow& other : row.repetitions) add_curve(other, text);
}

}  // namespace

std::string curve_csv(const std::vector<ResultRow>& rows) {
  std::string text = csv_line(names_of(curve_columns()));
  for (const ResultRow& row : rows) add_curve(row, text);
  return text;
}

}  // namespace orrery
