// Where data is born matters: a centralised way first moves the training data from the clients to the cluster.
#pragma once

#include "scenarios/way.hpp"

namespace orrery {

/// The population of a scenario as topologies sees it: one entry per client.
FederationDescription describe_federation(const FederationSpec& federation);
/// Device of each host of its platform: the clients, then the server.
std::vector<Device> devices_of(const FederationDescription& description);

/// Every client sends its equal part of the stored training data to the server's site at once; the server's link is
/// shared. Formula when that link is the bottleneck: latency + dataset bytes / server link.
DataTransfer transfer_data(const Scenario& scenario, EngineKind engine);

}  // namespace orrery
