// Pipelines of one replica, for tests.
#pragma once

#include "models/layouts/layout.hpp"

namespace orrery::testing {

inline Layout pipeline(int stages, int chunks = 1, PipelineSchedule schedule = PipelineSchedule::one_f_one_b) {
  Layout layout;
  layout.pp = stages, layout.interleave = chunks, layout.schedule = schedule;
  return layout;
}

}  // namespace orrery::testing
