// How finely the collectives of a program are carried out.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/collectives/schedule.hpp"
#include "sim/engine/collective_run.hpp"
#include "sim/engine/engine.hpp"

namespace orrery {

/// The plans of a program's collectives; equal ones share theirs.
struct CollectivePlans {
  std::vector<std::shared_ptr<const CollectivePlan>> plans;  // one per collective; none for Algorithm::library
  Fidelity fidelity = Fidelity::exact;
};

/// Group as the algorithms see it, with rank r on hosts[r].
GroupShape shape_of(const Program& program, const Collective& collective, const Platform& platform,
                    const std::vector<DeviceId>& hosts);

CollectivePlans plan_collectives(const Program& program, const Platform& platform, const std::vector<DeviceId>& hosts,
                                 const EngineOptions& options);

}  // namespace orrery
