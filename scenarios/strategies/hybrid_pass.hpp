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
};

/// A task of a chunk that costs `price`, without the recomputation before it; of ZeRO-2 and 3 the exchange of states
/// is in it. `wires`: of the task's rank.
PassPrice price_of_pass(const ChunkPrice& price, const Task& task, const LayoutPrices& prices, const Layout& layout,
                        const HybridWires& wires);

/// The exchanges of a pass in their order, each split over what the ones before leave of `cover`, the computing of the
/// pass.
std::vector<SplitExchange> split_exchanges(const std::vector<GroupExchange>& exchanges, const HybridWires& wires,
                                           Seconds cover);
/// What the hidden part of one takes on wires that nobody else is on.
Seconds hidden_time(const SplitExchange& exchange, const HybridWires& wires, Meeting meeting);

}  // namespace orrery
