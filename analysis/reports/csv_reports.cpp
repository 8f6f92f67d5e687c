#include "analysis/reports/csv_helpers.hpp"
#include "analysis/reports/reports.hpp"
#include "sim/base/csv.hpp"

namespace orrery {
namespace {

Cells link_cells(const ResultRow& row, const WireUse& use, Seconds duration) {
  const bool ran = duration > Seconds{};
  return {row.way->strategy,
          use.name,
          std::string(name_of(use.scope)),
          number_text(use.bandwidth.value() / giga),
          number(use.bytes),
          number(use.busy),
          ran ? number_text(use.busy / duration) : std::string{},
          ran ? number_text(use.bytes / (use.bandwidth * duration)) : std::string{}};
}

void add_links(const ResultRow& row, std::string& text) {
  const Way& way = *row.way;
  if (!row.cosimulated()) {
    for (const WireUse& use : wires(way.platform, way.records.links)) {
      text += csv_line(link_cells(row, use, way.records.makespan));
    }
    return;
  }
  const FederatedRun& run = way.federated;
  if (run.steps.empty()) return;
  const LinkScope scope = row.traffic.wan > Bytes{} ? LinkScope::wan : LinkScope::inter_node;
  for (const WireUse& use : wires(run, scope)) {
    text += csv_line(link_cells(row, use, run.steps.back().end - run.steps.front().begin));
  }
}

const Cells& curve_header() {
  static const Cells names = {"strategy",
                              "seed",
                              "curve_source",
                              "round",
                              "epoch",
                              "time_s",
                              "selected",
                              "completed",
                              "dropped",
                              "late",
                              "surplus",
                              "unused",
                              "accuracy",
                              "loss",
                              "train_loss",
                              "bytes",
                              "bytes_down",
                              "bytes_up",
                              "bytes_wasted",
                              "staleness_mean",
                              "staleness_max",
                              "energy_J",
                              "energy_client_compute_J",
                              "energy_upload_J",
                              "energy_download_J",
                              "energy_client_idle_J",
                              "energy_network_J",
                              "energy_server_J",
                              "energy_wasted_J",
                              "epsilon",
                              "consensus",
                              "cost",
                              "emissions_kgCO2e"};
  return names;
}

void add(Cells& cells, Cells more) {
  for (std::string& cell : more) cells.push_back(std::move(cell));
}

Cells count_cells(const CurveEntry& entry) {
  if (!entry.totals) return Cells(6);
  const TripCounts& trips = entry.totals->trips;
  return {number(trips.selected), number(trips.reported), number(trips.dropped),
          number(trips.late),     number(trips.surplus),  number(trips.unused)};
}

Cells byte_cells(const CurveEntry& entry) {
  if (!entry.totals) return Cells(3);
  return {number(entry.totals->down), number(entry.totals->up), number(entry.totals->wasted)};
}

/// Blank where the power of a device is unknown, or where joules were counted by processors.
Cells energy_cells(const ResultRow& row, const CurveEntry& entry) {
  if (!entry.totals || !row.federated || !row.federated->has_energy) return Cells(7);
  const FederatedEnergy joules = entry.totals->energy();
  return {number(joules.client_compute),
          number(joules.upload),
          number(joules.download),
          number(joules.client_idle),
          number(joules.network),
          number(joules.server()),
          number(entry.totals->wasted_energy.total())};
}

/// Blank where nobody reported since the point before: then there is none.
std::string train_loss(const CurveEntry& entry) {
  const bool none = entry.totals && !entry.staleness_mean;
  return none ? std::string{} : number(entry.point.train_loss);
}

Cells curve_cells(const ResultRow& row, const CurveEntry& entry) {
  const CurvePoint& point = entry.point;
  Cells cells = {row.strategy->name,  std::to_string(row.way->seed), std::string(name_of(row.way->curve_source)),
                 number(point.round), number(point.epoch),           number(point.time)};
  add(cells, count_cells(entry));
  add(cells, {number(point.accuracy), number(point.loss), train_loss(entry), number(point.bytes)});
  add(cells, byte_cells(entry));
  add(cells, {number(entry.staleness_mean), number(entry.staleness_max)});
  cells.push_back(entry.spent.energy ? number(point.energy) : std::string{});
  add(cells, energy_cells(row, entry));
  add(cells,
      {number(point.epsilon), number(point.consensus), number(entry.spent.cost), number(entry.spent.emissions_kg)});
  return cells;
}

void add_curve(const ResultRow& row, std::string& text) {
  for (const CurveEntry& entry : row.curve) text += csv_line(curve_cells(row, entry));
  for (const ResultRow& other : row.repetitions) add_curve(other, text);
}

}  // namespace

std::string results_csv(const std::vector<ResultRow>& rows) {
  Cells header;
  for (const Column& column : columns()) header.push_back(column.name);
  std::string text = csv_line(header);
  for (const ResultRow& row : rows) {
    Cells cells;
    for (const Column& column : columns()) cells.push_back(cell_text(column.get(row)));
    text += csv_line(cells);
  }
  return text;
}

std::string links_csv(const std::vector<ResultRow>& rows) {
  std::string text =
      csv_line({"strategy", "link", "scope", "bandwidth_GBps", "bytes", "busy_s", "busy_fraction", "utilisation"});
  for (const ResultRow& row : rows) {
    if (row.simulated()) add_links(row, text);
  }
  return text;
}

std::string curve_csv(const std::vector<ResultRow>& rows) {
  std::string text = csv_line(curve_header());
  for (const ResultRow& row : rows) add_curve(row, text);
  return text;
}

}  // namespace orrery
