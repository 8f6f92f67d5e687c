#include "scenarios/strategies/hybrid_traffic.hpp"

namespace orrery {
namespace {

/// By all ranks of the program in its library collectives, as one rank stands for one device.
WireBytes on_wires(const Program& program) {
  WireBytes sum;
  for (const Op& op : program.ops()) {
    const auto* call = std::get_if<CollectiveCall>(&op.action);
    if (!call) continue;
    const LibraryMoves& moves = program.collective(call->collective).library;
    sum += {moves.node_bytes, moves.network_bytes};
  }
  return sum;
}

}  // namespace

void add_traffic_beside(const StepPrediction& prediction, const Program& program, const HybridRanks& ranks,
                        LayoutFigures& figures) {
  const auto each = static_cast<double>(ranks.devices_each());
  const WireBytes all = prediction.exchanged_per_device * (each * static_cast<double>(ranks.count()));
  const WireBytes simulated = on_wires(program) * each;
  const auto rest = [&](Bytes whole, Bytes part) {
    constexpr double rounding = 1e-9;
    const Bytes left = whole - part;
    return left > all.total() * rounding ? left : Bytes();
  };
  figures.beside_node = rest(all.node, simulated.node);
  figures.beside_network = rest(all.network, simulated.network);
}

}  // namespace orrery
