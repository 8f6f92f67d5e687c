// The hours of a trip: every instant of it is spent on exactly one thing.
#pragma once

#include <cstdint>

#include "scenarios/federated_run.hpp"

namespace orrery {

enum class TripActivity : std::uint8_t { download, compute, upload, offline, waiting };

class TripClock {
 public:
  void start(Trip& trip, TripActivity activity, Seconds now) {
    trip.begin = since_ = now;
    activity_ = activity;
  }
  /// What has been done until now is booked; from now on something else is.
  void turn_to(Trip& trip, TripActivity activity, Seconds now) {
    time_of(trip, activity_) += now - since_;
    since_ = now;
    activity_ = activity;
  }
  void stop(Trip& trip, Seconds now) {
    turn_to(trip, activity_, now);
    trip.end = now;
  }

 private:
  static Seconds& time_of(Trip& trip, TripActivity activity) {
    switch (activity) {
      case TripActivity::download:
        return trip.download;
      case TripActivity::compute:
        return trip.compute;
      case TripActivity::upload:
        return trip.upload;
      case TripActivity::offline:
        return trip.offline;
      case TripActivity::waiting:
        break;
    }
    return trip.waiting;
  }

  TripActivity activity_ = TripActivity::waiting;
  Seconds since_;
};

}  // namespace orrery
