#include <algorithm>
#include <cstddef>

#include "analysis/reports/csv_helpers.hpp"
#include "analysis/reports/reports.hpp"
#include "analysis/reports/trip_times.hpp"
#include "sim/base/csv.hpp"

namespace orrery {
namespace {

/// More trips make a file that no viewer opens.
constexpr std::size_t most_trips = 20000;

/// Empty when the id is invalid.
template <class Tag>
std::string index_text(Id<Tag> id) {
  return id.valid() ? std::to_string(id.index()) : std::string{};
}

Cells timeline_cells(const std::string& strategy, const Activity& activity) {
  return {strategy,
          index_text(activity.rank),
          std::string(name_of(activity.stream)),
          std::string(name_of(activity.dimension)),
          std::string(name_of(activity.phase)),
          index_text(activity.layer),
          activity.microbatch < 0 ? std::string{} : std::to_string(activity.microbatch),
          number(activity.ready),
          number(activity.start),
          number(activity.end),
          number(activity.bytes),
          number(activity.flops),
          index_text(activity.peer)};
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
  static std::string rank_text(std::int64_t rank) { return rank < 0 ? std::string{} : std::to_string(rank); }
  /// An edge stands behind the server; the peer of a gossip is a client.
  [[nodiscard]] std::int64_t hub(std::int32_t index) const {
    return way_.federated.lines.size() > 1 ? server_ + 1 + index : index;
  }
  void work(std::int64_t rank, std::int64_t round, const char* phase, Seconds start, Seconds end) {
    if (end <= start) return;
    text_ += csv_line({way_.strategy, rank_text(rank), "compute", "none", phase, "", number(round), number(start),
                       number(start), number(end), "0", "0", ""});
  }
  void transfer(const char* stream, const Trip& trip, Seconds start, Seconds end, Bytes bytes, std::int64_t peer) {
    if (end <= start) return;
    text_ +=
        csv_line({way_.strategy, std::to_string(trip.client), stream, "dp", "transfer", "", std::to_string(trip.round),
                  number(start), number(start), number(end), number(bytes), "0", rank_text(peer)});
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
  std::string text = csv_line({"strategy", "rank", "stream", "dimension", "phase", "layer", "microbatch", "ready_s",
                               "start_s", "end_s", "bytes", "flops", "peer"});
  for (const ResultRow& row : rows) {
    if (!row.simulated() || too_long(row)) continue;
    for (const Activity& activity : row.way->records.activities) {
      text += csv_line(timeline_cells(row.way->strategy, activity));
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
