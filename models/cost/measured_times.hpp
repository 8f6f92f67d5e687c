// The seconds of a StepProfile, between and beyond the batches that were measured.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/cost/step_profile.hpp"

namespace orrery {

class MeasuredTimes {
 public:
  /// Takes the rows recorded with `threads` threads. Throws InvalidInput when there are none.
  MeasuredTimes(const StepProfile& profile, int threads);

  /// Seconds of a pass over `samples` samples: linear between measured batches; beyond them along the line through the
  /// two nearest, but never below the smallest batch's time x samples / batch on the small side, nor below the largest
  /// batch's time on the large side (noise may tilt the line, never turn it). One batch: in proportion. Optimizer:
  /// median over all batches, since an update does not depend on them.
  /// Throws InvalidInput naming layer and network when the pass was not recorded.
  [[nodiscard]] double seconds(const std::string& layer, Pass pass, double samples) const;

 private:
  struct Point {
    double batch = 0, seconds = 0;
  };
  [[nodiscard]] const std::vector<Point>& points(const std::string& layer, Pass pass) const;

  std::string network_;
  int threads_;
  std::map<std::pair<std::string, Pass>, std::vector<Point>> points_;  // by batch
};

}  // namespace orrery
