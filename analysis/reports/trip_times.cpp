#include "analysis/reports/trip_times.hpp"

#include <algorithm>

namespace orrery {

TripTimes times_of(const Trip& trip) {
  const Seconds downloaded = std::min(trip.begin + trip.download, trip.end);
  const Seconds trained = std::min(downloaded + trip.compute, trip.end);
  return {downloaded, trained, std::max(trained, trip.end - trip.upload), trip.end};
}

}  // namespace orrery
