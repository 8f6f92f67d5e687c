// How much longer than its price the computing of a rank takes.
#pragma once

#include "scenarios/strategies/hybrid_step.hpp"
#include "sim/base/random.hpp"

namespace orrery {

/// Of each computation of a rank: a slow device, and draws of a normal distribution, of which the largest of all
/// devices that wait for each other counts; never less than a tenth.
class Slowness {
 public:
  Slowness(const HybridStep& step, RankId rank);

  /// Of the next computation: times as long.
  double next();

 private:
  double constant_ = 1, jitter_ = 0;
  int draws_ = 1;
  Random random_;
};

}  // namespace orrery
