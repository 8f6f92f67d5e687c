// The program of one step of a layout, from the prices of its stages.
#pragma once

#include <cstdint>
#include <vector>

#include "models/layouts/step_prediction.hpp"
#include "scenarios/plan.hpp"
#include "scenarios/strategies/hybrid_ranks.hpp"
#include "scenarios/strategies/hybrid_wires.hpp"

namespace orrery {

struct HybridStep {
  const HybridOptions& options;
  const LayoutPrices& prices;
  const FrameworkProfile& framework;
  const HybridRanks& ranks;
  int microbatches = 1;
  std::uint64_t seed = 1;  // of the jitter
  Seconds load;            // until the loader has the next micro-batch; zero: data is always there
  /// Of prices.transfers what a message does not take on the wires of the platform; by kind of replica; none: nothing.
  std::vector<std::vector<Seconds>> transfers_beyond;
  std::vector<Collective> exchanges;  // of the gradients of every stage, their groups left out
  /// Between and in islands, of every stage, on the mean of a step, in their order.
  std::vector<std::vector<MeetingCollective>> outer_exchanges = {};
  Collective tied_exchange = {};                // of the first and the last stage, its group left out
  HybridWires wires = {};                       // of groups; none: their exchanges only take their time
  std::vector<HybridWires> wires_of_rank = {};  // where ranks are on nodes of several kinds; empty: `wires` of all
};

/// Adds every operation of the step to a program with ranks.count() ranks. Each task of a stage (task_order) is
///   receive -> compute -> exposed exchanges inside the group (tp, cp, ep; of ZeRO-2 and 3 the replicas) -> send,
/// each after the one before, so that the parts of the step add up; with blocking transfers the stage waits for its
/// sends, as Megatron-LM of 2021 does. Exchanges inside a group are library collectives that move their bytes over the
/// wires of the group, one for what shows and one beside the computing for what it hides: alone they take what the
/// closed form says, on shared wires longer. The host of a pass that waits for it begins with the pass and runs beside
/// the device, whatever that waits for. Recomputation comes before the backward pass that needs it. The exchange
/// of gradients begins so long before the end of the last backward pass as the prices say that it is hidden, in the
/// recomputation where the pass is shorter, for blocks are computed again and go back in turn (where chunks are
/// interleaved the last one's part of it; those of the others with the ends of their last passes), what they say that
/// shows beyond its own time follows it; then the sum of tied weights, then the optimizer, then what a step
/// has on the mean of the exchange between and in islands. Data is loaded one micro-batch after the other, the first
/// one during the step before, so the last load of a step is for the next.
void write_hybrid_step(const HybridStep& step, Program& program);

}  // namespace orrery
