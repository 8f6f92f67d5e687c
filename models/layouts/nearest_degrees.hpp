// Degrees that would do in the place of one that does not.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "models/layouts/layout.hpp"
#include "models/layouts/training_job.hpp"
#include "sim/base/nearest.hpp"

namespace orrery {

/// Whether a degree of a layout, `now`, can be another one on the devices of the job: where all of them are in use more
/// or fewer replicas make up for it.
bool has_devices_for(const TrainingJob& job, const Layout& layout, std::int64_t now, std::int64_t wanted);

/// Of a degree of a layout, `now`, the nearest values that would do on the devices of the job; where there are too few
/// for any of them, which is told by itself, the nearest that would do on more. Contract: 1 would do, and is not `now`.
std::string nearest_degrees(const TrainingJob& job, const Layout& layout, std::int64_t now, std::int64_t most,
                            const std::function<bool(std::int64_t)>& would_do);

}  // namespace orrery
