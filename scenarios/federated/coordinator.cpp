#include "scenarios/federated/coordinator.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

std::size_t one_slot(const FederatedOptions& /*options*/, std::size_t /*clients*/) {
  return 1;
}
std::size_t slot_per_edge(const FederatedOptions& options, std::size_t clients) {
  return 1 + std::min(static_cast<std::size_t>(options.edges), clients);
}
std::size_t slot_per_client(const FederatedOptions& /*options*/, std::size_t clients) {
  return 1 + clients;
}

const std::vector<CoordinatorEntry>& coordinators() {
  static const std::vector<CoordinatorEntry> table = {
      {Coordination::rounds,
       "round = download + local training + upload of the slowest client waited for, then the average", run_rounds,
       one_slot},
      {Coordination::asynchronous, "a client that reports is replaced at once: nobody waits for anybody",
       run_asynchronous, one_slot},
      {Coordination::hierarchical,
       "round = model to the edges, edge_rounds rounds at each edge, edge models to the server, the average",
       run_hierarchical, slot_per_edge},
      {Coordination::gossip, "round = local training, then an exchange of models between neighbours and their average",
       run_gossip, slot_per_client},
      {Coordination::split,
       "round = clients in turn: weights, for every batch activations up and their gradients down, weights back",
       run_split, one_slot},
  };
  return table;
}

}  // namespace

const CoordinatorEntry& coordinator_of(const FederatedOptions& options) {
  const Coordination kind = entry_of(options.algorithm.kind).coordination;
  const auto& table = coordinators();
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& entry) { return entry.kind == kind; });
  ORRERY_EXPECT(found != table.end());
  return *found;
}

void run_federated(const FederatedJob& job, Way& way, const Progress& progress) {
  CoSimulation simulation(job, way, progress);
  coordinator_of(job.options()).run(simulation);
}

}  // namespace orrery
