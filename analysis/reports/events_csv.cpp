#include <algorithm>
#include <cstdint>
#include <tuple>

#include "analysis/reports/csv_helpers.hpp"
#include "analysis/reports/reports.hpp"
#include "analysis/reports/trip_times.hpp"
#include "sim/base/csv.hpp"

namespace orrery {
namespace {

/// At one instant what ends comes before what begins.
enum class Turn : std::uint8_t { end, begin };

struct Event {
  double at = 0;
  Turn turn = Turn::end;
  const char* what = "";
  std::int32_t round = 0, client = -1;  // -1: the server's
};

const char* ending(TripEnd how) {
  switch (how) {
    case TripEnd::reported:
      return "upload_end";
    case TripEnd::late:
      return "late";
    case TripEnd::surplus:
      return "surplus";
    case TripEnd::dropped:
      return "drop";
    case TripEnd::unused:
      break;
  }
  return "unused";
}

/// What comes after shows that a phase was ended.
void add_events(const Trip& trip, std::vector<Event>& events) {
  const TripTimes times = times_of(trip);
  const bool sent = trip.how == TripEnd::reported || trip.upload > Seconds{};
  const bool trained = sent || trip.compute > Seconds{};
  const auto add = [&](Seconds at, const char* what) {
    events.push_back({at.value(), Turn::end, what, trip.round, trip.client});
  };
  events.push_back({trip.begin.value(), Turn::begin, "dispatch", trip.round, trip.client});
  if (trained) add(times.downloaded, "download_end");
  if (sent) add(times.trained, "compute_end");
  add(trip.end, ending(trip.how));
}

std::vector<Event> events_of(const FederatedRun& run) {
  std::vector<Event> events;
  events.reserve(4 * run.trips.size() + run.steps.size());
  for (const Trip& trip : run.trips) add_events(trip, events);
  for (std::size_t step = 0; step < run.steps.size(); ++step) {
    events.push_back({run.steps[step].end.value(), Turn::end, "aggregate", static_cast<std::int32_t>(step), -1});
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return std::tie(a.at, a.turn) < std::tie(b.at, b.turn); });
  return events;
}

std::string client(const ResultRow& /*row*/, const Event& event) {
  return event.client < 0 ? std::string{} : std::to_string(event.client);
}

const std::vector<CsvColumn<ResultRow, Event>>& event_columns() {
  static const std::vector<CsvColumn<ResultRow, Event>> columns = {
      {"strategy", [](const ResultRow& row, const Event&) { return row.strategy->name; }},
      {"time_s", [](const ResultRow&, const Event& event) { return number_text(event.at); }},
      {"event", [](const ResultRow&, const Event& event) { return std::string(event.what); }},
      {"round", [](const ResultRow&, const Event& event) { return std::to_string(event.round); }},
      {"client", client},
  };
  return columns;
}

}  // namespace

std::string events_csv(const std::vector<ResultRow>& rows) {
  std::string text = csv_line(names_of(event_columns()));
  for (const ResultRow& row : rows) {
    if (!row.simulated()) continue;
    for (const Event& event : events_of(row.way->federated)) {
      text += csv_line(cells_of(event_columns(), row, event));
    }
  }
  return text;
}

}  // namespace orrery
