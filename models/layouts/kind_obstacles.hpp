// What nodes of several kinds ask of a layout.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "models/layouts/layout.hpp"
#include "models/layouts/training_job.hpp"

namespace orrery {

/// Whether a device has products in it.
bool has_format(const NodeGroup& nodes, Precision precision);
/// Groups of nodes that a job stands on: devices are taken in their order, what stands behind the last one is not in
/// the job. Contract: the cluster has as many.
std::size_t used_groups(const ClusterDescription& cluster, const Layout& layout);
/// One step is computed in one format, devices are numbered over equal nodes, and who meets in every pass has as many
/// passes: adds to `found` what breaks that. Contract: the cluster has as many devices.
void add_kind_obstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found);

}  // namespace orrery
