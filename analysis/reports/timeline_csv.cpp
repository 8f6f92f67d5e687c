#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "analysis/reports/csv_helpers.hpp"
#include "analysis/reports/reports.hpp"
#include "analysis/reports/trip_times.hpp"
#include "sim/base/csv.hpp"

namespace orrery {
namespace {

/// More trips make a file that no viewer opens.
constexpr std::size_t most_trips = 20000;

/// Of an operation, or of a phase of a trip. Indices: -1, blank.
struct TimelineLine {
  std::int64_t rank = -1;
  std::string_view stream, dimension, phase;
  std::int64_t layer = -1, microbatch = -1;
  Seconds ready{}, start{}, end{};
  Bytes bytes{};
  Flops flops{};
  std::int64_t peer = -1;
};

template <class Tag>
std::int64_t index_of(Id<Tag> id) {
  return id.valid() ? static_cast<std::int64_t>(id.index()) : -1;
}

TimelineLine line_of(const Activity& activity) {
  return {.rank = index_of(activity.rank),
          .stream = name_of(activity.stream),
          .dimension = name_of(activity.dimension),
          .phase = name_of(activity.phase),
          .layer = index_of(activity.layer),
          .microbatch = activity.microbatch,
          .ready = activity.ready,
          .start = activity.start,
          .end = activity.end,
          .bytes = activity.bytes,
          .flops = activity.flops,
          .peer = index_of(activity.peer)};
}

template <auto Member>
std::string named(const Way& /*way*/, const TimelineLine& line) {
  return std::string(line.*Member);
}
template <auto Member>
std::string numbered(const Way& /*way*/, const TimelineLine& line) {
  return line.*Member < 0 ? std::string{} : number_text(line.*Member);
}
template <auto Member>
std::string amount(const Way& /*way*/, const TimelineLine& line) {
  return number_text(line.*Member);
}

const std::vector<CsvColumn<Way, TimelineLine>>& timeline_columns() {
  static const std::vector<CsvColumn<Way, TimelineLine>> columns = {
      {"strategy", [](const Way& way, const TimelineLine&) { return way.strategy; }},
      {"rank", numbered<&TimelineLine::rank>},
      {"stream", named<&TimelineLine::stream>},
      {"dimension", named<&TimelineLine::dimension>},
      {"phase", named<&TimelineLine::phase>},
      {"layer", numbered<&TimelineLine::layer>},
      {"microbatch", numbered<&TimelineLine::microbatch>},
      {"ready_s", amount<&TimelineLine::ready>},
      {"start_s", amount<&TimelineLine::start>},
      {"end_s", amount<&TimelineLine::end>},
      {"bytes", amount<&TimelineLine::bytes>},
      {"flops", amount<&TimelineLine::flops>},
      {"peer", numbered<&TimelineLine::peer>},
  };
  return columns;
}

/// Clients are ranks by their number; the server follows them, then the edges. A gossip has neither: the peer of a trip
/// is blank (all neighbours), and so is the rank of an average (every client that took part; as long as the slowest).
class TripTimeline {
 public:
  TripTimeline(const Way& way, Coordination coordination, std::string& text) : way_(way), text_(text) {
    if (coordination == Coordination::gossip) return;
    server_ = static_cast<std::int64_t>(way.samples.size());
    for (const Trip& trip : way.federated.trips) {
      server_ = std::max<std::int64_t>(server_, trip.client + std::int64_t{1});
    }
  }

  void add(const Trip& trip) {
    const TripTimes times = times_of(trip);
    const std::int64_t peer = trip.hub < 0 ? server_ : hub(trip.hub);
    transfer("receive", trip, trip.begin, times.downloaded, trip.down, peer);
    work(trip.client, trip.round, "training", times.downloaded, times.trained);
    transfer("send", trip, times.sending, times.sent, trip.up, peer);
  }
  void add(const ServerStep& step, std::size_t round) {
    work(server_, static_cast<std::int64_t>(round), "aggregate", step.end - step.aggregation, step.end);
  }

 private:
  /// An edge stands behind the server; the peer of a gossip is a client.
  [[nodiscard]] std::int64_t hub(std::int32_t index) const {
    return way_.federated.lines.size() > 1 ? server_ + 1 + index : index;
  }
  void work(std::int64_t rank, std::int64_t round, const char* phase, Seconds start, Seconds end) {
    write({.rank = rank,
           .stream = "compute",
           .dimension = "none",
           .phase = phase,
           .microbatch = round,
           .ready = start,
           .start = start,
           .end = end});
  }
  void transfer(const char* stream, const Trip& trip, Seconds start, Seconds end, Bytes bytes, std::int64_t peer) {
    write({.rank = trip.client,
           .stream = stream,
           .dimension = "dp",
           .phase = "transfer",
           .microbatch = trip.round,
           .ready = start,
           .start = start,
           .end = end,
           .bytes = bytes,
           .peer = peer});
  }
  void write(const TimelineLine& line) {
    if (line.end > line.start) text_ += csv_line(cells_of(timeline_columns(), way_, line));
  }

  const Way& way_;
  std::int64_t server_ = -1;  // -1: there is none
  std::string& text_;
};

bool too_long(const ResultRow& row) {
  return row.way->federated.trips.size() > most_trips;
}

void add_run(const ResultRow& row, std::string& text) {
  const Way& way = *row.way;
  TripTimeline timeline(way, entry_of(row.strategy->federated.algorithm.kind).coordination, text);
  for (const Trip& trip : way.federated.trips) timeline.add(trip);
  for (std::size_t step = 0; step < way.federated.steps.size(); ++step) timeline.add(way.federated.steps[step], step);
}

}  // namespace

std::string timeline_csv(const std::vector<ResultRow>& rows) {
  std::string text = csv_line(names_of(timeline_columns()));
  for (const ResultRow& row : rows) {
    if (!row.simulated() || too_long(row)) continue;
    for (const Activity& activity : row.way->records.activities) {
      text += csv_line(cells_of(timeline_columns(), *row.way, line_of(activity)));
    }
    add_run(row, text);
  }
  return text;
}

std::vector<std::string> left_out_of_timeline(const std::vector<ResultRow>& rows) {
  std::vector<std::string> names;
  for (const ResultRow& row : rows) {
    if (row.simulated() && too_long(row)) names.push_back(row.strategy->name);
  }
  return names;
}

}  // namespace orrery
