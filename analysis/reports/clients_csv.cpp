#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "analysis/reports/csv_helpers.hpp"
#include "analysis/reports/reports.hpp"
#include "scenarios/client_population.hpp"
#include "sim/base/csv.hpp"

namespace orrery {
namespace {

/// Of larger populations only the clients that took part have a line.
constexpr std::size_t most_clients = 10000;

struct ClientSums {
  TripCounts trips;
  Seconds compute, download, upload, offline, waiting;
  Bytes down, up;
  std::optional<Joules> energy, wasted;  // nothing where the power of a device is unknown
  std::int64_t staleness = 0;
};

void add(const FederatedRun& run, const Trip& trip, const std::optional<FederationPower>& power, ClientSums& sums) {
  sums.trips.add(trip.how);
  sums.compute += trip.compute;
  sums.download += trip.download;
  sums.upload += trip.upload;
  sums.offline += trip.offline;
  sums.waiting += trip.waiting;
  sums.down += trip.down;
  sums.up += trip.up;
  if (trip.how == TripEnd::reported) sums.staleness += trip.staleness;
  if (!power) return;
  const auto round = static_cast<std::size_t>(trip.round);
  const Seconds aggregation = round < run.steps.size() ? run.steps[round].aggregation : Seconds{};
  const FederationPower::Spent joules = power->spent(trip, aggregation);
  *sums.energy += joules.total();
  *sums.wasted += joules.wasted.total();
}

/// By client, in their order.
std::map<std::size_t, ClientSums> sums_of(const ResultRow& row, std::size_t clients,
                                          const std::optional<FederationPower>& power) {
  ClientSums none;
  if (power) none.energy = none.wasted = Joules();
  std::map<std::size_t, ClientSums> sums;
  for (std::size_t client = 0; client < clients && clients <= most_clients; ++client) sums.try_emplace(client, none);
  const FederatedRun& run = row.way->federated;
  for (const Trip& trip : run.trips) {
    add(run, trip, power, sums.try_emplace(static_cast<std::size_t>(trip.client), none).first->second);
  }
  return sums;
}

/// Of the widest histogram; 0 without learning.
std::size_t classes_of(const std::vector<ResultRow>& rows) {
  std::size_t classes = 0;
  for (const ResultRow& row : rows) {
    if (!row.way->histograms.empty()) classes = std::max(classes, row.way->histograms.front().size());
  }
  return classes;
}

template <auto Member>
std::string sum(const ClientSums& sums) {
  return number_text(sums.*Member);
}
template <auto Member>
std::string trips(const ClientSums& sums) {
  return number_text(sums.trips.*Member);
}
std::string mean_staleness(const ClientSums& sums) {
  const auto reports = static_cast<double>(sums.trips.reported);
  return reports > 0 ? number_text(static_cast<double>(sums.staleness) / reports) : std::string{};
}

const std::vector<CsvColumn<ClientSums>>& sum_columns() {
  static const std::vector<CsvColumn<ClientSums>> columns = {
      {"trips", trips<&TripCounts::selected>},  {"reported", trips<&TripCounts::reported>},
      {"dropped", trips<&TripCounts::dropped>}, {"late", trips<&TripCounts::late>},
      {"surplus", trips<&TripCounts::surplus>}, {"unused", trips<&TripCounts::unused>},
      {"compute_s", sum<&ClientSums::compute>}, {"download_s", sum<&ClientSums::download>},
      {"upload_s", sum<&ClientSums::upload>},   {"offline_s", sum<&ClientSums::offline>},
      {"waiting_s", sum<&ClientSums::waiting>}, {"bytes_down", sum<&ClientSums::down>},
      {"bytes_up", sum<&ClientSums::up>},       {"energy_J", sum<&ClientSums::energy>},
      {"wasted_J", sum<&ClientSums::wasted>},   {"staleness_mean", mean_staleness},
  };
  return columns;
}

Cells header(std::size_t classes) {
  Cells names = {"strategy", "client", "group", "device", "samples"};
  for (std::size_t label = 0; label < classes; ++label) names.push_back("class_" + std::to_string(label));
  for (const std::string& name : names_of(sum_columns())) names.push_back(name);
  return names;
}

void add_identity(const Way& way, const Population& population, std::size_t client, std::size_t classes, Cells& cells) {
  cells = {way.strategy, std::to_string(client), std::to_string(population.clients[client].group),
           population.group(client).device.id,
           client < way.samples.size() ? std::to_string(way.samples[client]) : std::string{}};
  const bool known = client < way.histograms.size();
  for (std::size_t label = 0; label < classes; ++label) {
    const bool there = known && label < way.histograms[client].size();
    cells.push_back(there ? std::to_string(way.histograms[client][label]) : std::string{});
  }
}

void add_clients(const ResultRow& row, std::size_t classes, std::string& text) {
  const Population population = client_population(*row.scenario, *row.strategy, row.way->seed);
  const auto power = FederationPower::of(population, site_of(*row.strategy), row.scenario->energy);
  Cells cells;
  for (const auto& [client, sums] : sums_of(row, population.clients.size(), power)) {
    add_identity(*row.way, population, client, classes, cells);
    for (std::string& cell : cells_of(sum_columns(), sums)) cells.push_back(std::move(cell));
    text += csv_line(cells);
  }
}

}  // namespace

std::string clients_csv(const std::vector<ResultRow>& rows) {
  const std::size_t classes = classes_of(rows);
  std::string text = csv_line(header(classes));
  for (const ResultRow& row : rows) {
    if (row.simulated() && row.cosimulated()) add_clients(row, classes, text);
  }
  return text;
}

}  // namespace orrery
