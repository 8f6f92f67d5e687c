#include <algorithm>
#include <map>

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
  Joules energy, wasted;
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
  const bool reported = trip.how == TripEnd::reported;
  if (reported) sums.staleness += trip.staleness;
  if (!power) return;
  FederatedEnergy joules = power->trip(trip);
  const auto round = static_cast<std::size_t>(trip.round);
  if (reported && round < run.steps.size()) joules += power->average(trip, run.steps[round].aggregation);
  sums.energy += joules.total();
  if (!reported) sums.wasted += joules.total();
}

/// By client, in their order.
std::map<std::size_t, ClientSums> sums_of(const ResultRow& row, std::size_t clients,
                                          const std::optional<FederationPower>& power) {
  std::map<std::size_t, ClientSums> sums;
  for (std::size_t client = 0; client < clients && clients <= most_clients; ++client) sums.try_emplace(client);
  const FederatedRun& run = row.way->federated;
  for (const Trip& trip : run.trips) add(run, trip, power, sums[static_cast<std::size_t>(trip.client)]);
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

Cells header(std::size_t classes) {
  Cells names = {"strategy", "client", "group", "device", "samples"};
  for (std::size_t label = 0; label < classes; ++label) names.push_back("class_" + std::to_string(label));
  for (const char* name :
       {"trips", "reported", "dropped", "late", "surplus", "unused", "compute_s", "download_s", "upload_s", "offline_s",
        "waiting_s", "bytes_down", "bytes_up", "energy_J", "wasted_J", "staleness_mean"}) {
    names.emplace_back(name);
  }
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

void add_sums(const ClientSums& sums, bool power_known, Cells& cells) {
  const TripCounts& trips = sums.trips;
  for (const std::int64_t count :
       {trips.selected, trips.reported, trips.dropped, trips.late, trips.surplus, trips.unused}) {
    cells.push_back(number(count));
  }
  for (const Seconds time : {sums.compute, sums.download, sums.upload, sums.offline, sums.waiting}) {
    cells.push_back(number(time));
  }
  cells.push_back(number(sums.down));
  cells.push_back(number(sums.up));
  cells.push_back(power_known ? number(sums.energy) : std::string{});
  cells.push_back(power_known ? number(sums.wasted) : std::string{});
  const auto reports = static_cast<double>(trips.reported);
  cells.push_back(reports > 0 ? number_text(static_cast<double>(sums.staleness) / reports) : std::string{});
}

void add_clients(const ResultRow& row, std::size_t classes, std::string& text) {
  const Population population = client_population(*row.scenario, *row.strategy, row.way->seed);
  const auto power = FederationPower::of(population, site_of(*row.strategy), row.scenario->energy);
  Cells cells;
  for (const auto& [client, sums] : sums_of(row, population.clients.size(), power)) {
    add_identity(*row.way, population, client, classes, cells);
    add_sums(sums, power.has_value(), cells);
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
