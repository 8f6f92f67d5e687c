// Where data is born matters: a centralised way first moves the training data from the clients to the cluster.
#pragma once

#include "scenarios/way.hpp"

namespace orrery {

/// Every client sends its equal part of the stored training data to the server's site: at once, or as soon as it is
/// online; a transfer that is cut goes on where it stopped. The server's line is shared. Formula when that line is the
/// bottleneck and everybody online: latency + dataset bytes / server line. Throws Infeasible when a client never comes
/// online.
DataTransfer transfer_data(const Scenario& scenario, EngineKind engine);

}  // namespace orrery
