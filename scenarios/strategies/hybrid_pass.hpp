// One pass through a chunk: its computing, and the exchanges that go with it.
#pragma once

#include <vector>

#include "models/layouts/schedules.hpp"
#include "models/layouts/step_prediction.hpp"
#include "scenarios/strategies/hybrid_wires.hpp"
#include "sim/program/program.hpp"

namespace orrery {

/// An exchange of one pass.
struct GroupExchange {
  Meeting meeting;
  Dimension dimension;
  PassExchange price;
};

struct PassPrice {
  Seconds compute;
  std::vector<GroupExchange> exchanges;
  Seconds late = {};  // that the device then waits for its host; states are exchanged beside it, too
};

/// A task of a chunk that costs `price`, without the recomputation before it; of ZeRO-2 and 3 the exchange of states
/// is in it. `wires`: of the task's rank.
PassPrice price_of_pass(const ChunkPrice& price, const Task& task, const LayoutPrices& prices, const Layout& layout,
                        const HybridWires& wires);

/// The exchanges of a pass in their order, each split over what the ones before leave of its computing and of the wait
/// for the host.
std::vector<SplitExchange> split_exchanges(const PassPrice& pass, const HybridWires& wires);
/// Whether replicas exchange states in it: all others stand between a layer and the next one.
bool is_of_states(const GroupExchange& exchange);
/// What the host takes for the pass: as long as the device is busy with it alone on its wires, and its wait. Exchanges
/// of states are left out.
Seconds host_time(const PassPrice& pass);
/// What the hidden part of one takes on wires that nobody else is on.
Seconds hidden_time(const SplitExchange& exchange, const HybridWires& wires, Meeting meeting);

}  // namespace orrery
