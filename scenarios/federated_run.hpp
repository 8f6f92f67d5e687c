// What happened in a federated run, client by client and server step by server step: from these all of its metrics are
// computed, its joules and its waste too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/units.hpp"

namespace orrery {

/// How a client's trip ended. reported: its update went into the model. late: the deadline came first. surplus: enough
/// others had reported (over-selection). dropped: it went offline and gave up, or for good. unused: it was under way
/// when the run ended, or its report waited for a step that never came (too few reports).
enum class TripEnd : std::uint8_t { reported, late, surplus, dropped, unused };
std::string_view name_of(TripEnd end);

/// One client's trip: download, local training, upload, or as much of it as happened. Everything but `reported` is
/// waste, and of a trip that reported what was discarded. The durations sum to end - begin.
struct Trip {
  std::int32_t client = 0;
  std::int32_t round = 0;  // server step that its update went into, or during which it ended; from 0
  std::int32_t hub =
      -1;  // hierarchical: the edge it talked to; -1: the server; gossip: its neighbours, all in one trip
  TripEnd how = TripEnd::reported;
  std::int32_t staleness = 0;  // server steps between its download and its report
  Seconds begin, end;
  Seconds download, compute, upload;  // really moving or computing, contention included
  Seconds offline;                    // paused between
  Seconds waiting;           // online, for others: keys of secure aggregation, the server's half of a split network
  Bytes down, up;            // really moved: a transfer that starts again moves more than a model
  double compute_share = 0;  // of the local work that was asked for; may end below 1
  Bytes discarded_down, discarded_up;  // of down and up: what transfers had moved before they started again
};

/// One step of the server (a round where rounds are synchronous; a gossip round; a cloud round of a hierarchy).
struct ServerStep {
  Seconds begin, end;   // end: the new weights are there
  Seconds aggregation;  // the server (gossip: the slowest client) averaging, decoding, unmasking
  std::int32_t critical_trip =
      -1;          // index of the trip whose end let the step go on; -1: a deadline did, or none reported
  Bytes backhaul;  // between edges and server, both ways
  Seconds backhaul_time;
  Seconds edge_compute;  // summed over the edges
};

struct FederatedRun {
  std::vector<Trip> trips;        // in the order in which they ended
  std::vector<ServerStep> steps;  // one after the other, without gaps: steps[i].end == steps[i + 1].begin
  double recompute_share = 0, optimizer_share = 0;  // of a client's computing
  Flops flops_per_sample;                           // of local training, recomputation included
  /// Of the shared lines (server, then edges): what crossed them. Both directions.
  struct SharedLine {
    std::string name;  // "server", "edge3"
    BytesPerSecond up_rate, down_rate;
    Bytes up, down;
    Seconds up_busy, down_busy;
  };
  std::vector<SharedLine> lines;
};

}  // namespace orrery
