// When the phases of a trip were, as far as its durations tell.
#pragma once

#include "scenarios/federated_run.hpp"

namespace orrery {

/// A trip knows how long it downloaded, trained and sent, not where it paused: training is told from the end of an
/// uninterrupted download on, sending back from the end of the trip, and pauses stand between the two. Exact for trips
/// without pauses. Phases that did not happen are empty.
struct TripTimes {
  Seconds downloaded, trained, sending, sent;
};
TripTimes times_of(const Trip& trip);

}  // namespace orrery
