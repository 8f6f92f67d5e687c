// The seconds of a StepProfile, between and beyond the batches that were measured.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/cost/shards.hpp"
#include "models/cost/step_profile.hpp"

namespace orrery {

/// How the notes of an imported profile begin.
inline constexpr std::string_view imported_from = "imported from";

/// How the batches of a profile's rows were cut: as this program cuts them, but not those of a trace imported from
/// another one (its notes say so).
BatchCut cut_of(const StepProfile& profile, const LayerGraph& graph);

class MeasuredTimes {
 public:
  /// Takes the rows recorded with `threads` threads. Throws InvalidInput when there are none.
  MeasuredTimes(const StepProfile& profile, int threads, const BatchCut& cut = {});

  /// Seconds of a pass over `samples` samples: turns x seconds of a shard. A batch of B samples is cut in n shards of s
  /// = B / n samples (where their number changes, the time bends), which the threads work off in ceil(n / threads)
  /// turns; of a batch that was measured they are what was measured, else a shard's seconds are those of the measured
  /// batches by their turns (the mean where several have shards within 10 % of s samples): linear between measured s;
  /// beyond them along the line through the two nearest, but never below the smallest shard's time x s / its samples on
  /// the small side, nor below the largest shard's time on the large side (noise may tilt the line, never turn it). One
  /// size of shard alone tells no fixed cost from the rest: the line through the batches, as if they were not cut; one
  /// batch: in proportion. Optimizer: median over all batches, since an update does not depend on them. Throws
  /// InvalidInput naming layer and network when the pass was not recorded.
  [[nodiscard]] double seconds(const std::string& layer, Pass pass, double samples) const;

 private:
  struct Point {
    double samples = 0, seconds = 0;
  };
  struct Measured {
    std::vector<Point> batches, shards;  // shards: by samples
  };
  [[nodiscard]] const Measured& measured(const std::string& layer, Pass pass) const;
  [[nodiscard]] std::vector<Point> shards_of(const std::vector<Point>& batches) const;
  [[nodiscard]] double turns(double samples) const;
  static double seconds_on_line(const std::vector<Point>& points, double samples);

  std::string network_;
  int threads_;
  BatchCut cut_;
  std::map<std::pair<std::string, Pass>, Measured> measured_;
};

}  // namespace orrery
