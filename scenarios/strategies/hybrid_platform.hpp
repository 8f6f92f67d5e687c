// The wires of a hybrid program: links as fast as the laws of the library say, and folded where that gives the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/strategies/hybrid_flows.hpp"
#include "scenarios/strategies/hybrid_ranks.hpp"
#include "scenarios/strategies/hybrid_wires.hpp"

namespace orrery {

struct HybridPlatform {
  HybridRanks ranks;
  std::vector<DeviceId> placement = {};  // of each rank, on `own`
  PlanPlatform own = {};
  std::vector<Collective> exchanges = {};  // of the gradients of every stage, their groups left out
  /// Of every stage, on the mean of a step, in their order.
  std::vector<std::vector<MeetingCollective>> outer_exchanges = {};
  Collective tied_exchange = {};                // of the first and the last stage, its group left out
  HybridWires wires = {};                       // of tp, cp and ep groups and of replicas, where they have members
  std::vector<HybridWires> wires_of_rank = {};  // where ranks are on nodes of several kinds; empty: `wires` of all
  /// Of prices.transfers, what the wires do not take; by kind of replica.
  std::vector<std::vector<Seconds>> transfers_beyond = {};
  std::vector<std::string> notes = {};  // why it is not folded further
  Moving moving = {};
};

/// Links carry what the laws of their fabric reach (bus_GBps), so that a collective or message that is alone takes on
/// them what the closed forms say; what has no wire there (rings of few ranks, sums in the switch) is put into the
/// overhead, or scales the bytes. Folded as HybridRanks says; where fold() sees a difference, one step less.
/// `message_budget`: so many passes of all devices are simulated without folding; of more only what can be folded
/// moves.
HybridPlatform hybrid_platform(const TrainingJob& job, const HybridOptions& options, const LayoutPrices& prices,
                               std::uint64_t message_budget);

/// That the exchange of gradients reaches, of the stage whose takes longest.
BytesPerSecond exchange_bus_bandwidth(const Layout& layout, const LayoutPrices& prices);

}  // namespace orrery
