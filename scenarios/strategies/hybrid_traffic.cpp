#include "scenarios/strategies/hybrid_traffic.hpp"

#include <map>
#include <tuple>
#include <vector>

#include "sim/engine/library_run.hpp"

namespace orrery {
namespace {

/// Who sends to whom in the library collectives of a program, by the rules that its run has.
class Targets {
 public:
  Targets(const Program& program, const HybridPlatform& platform) : program_(program), platform_(platform) {}

  const LibraryTargets& of(RankId rank, const Collective& what) {
    const auto [known, is_new] = by_group_.try_emplace({what.group, what.library.reach, next_node(what.kind)});
    if (is_new) find(what, known->second);
    return known->second.at(rank);
  }

 private:
  using ByRank = std::map<RankId, LibraryTargets>;

  void find(const Collective& what, ByRank& found) const {
    const std::vector<RankId>& members = program_.group(what.group);
    std::vector<DeviceId> hosts;
    for (const RankId member : members) hosts.push_back(platform_.placement[member.index()]);
    const std::vector<LibraryTargets> targets =
        library_targets(platform_.own.platform, hosts, what.library.reach, next_node(what.kind));
    for (std::size_t i = 0; i < members.size(); ++i) found[members[i]] = targets[i];
  }

  const Program& program_;
  const HybridPlatform& platform_;
  std::map<std::tuple<GroupId, NetworkReach, NextNode>, ByRank> by_group_;
};

/// What all ranks of a program send in its library collectives, as one rank stands for one device.
struct Moved {
  WireBytes on_wires;                   // to those that they have to send to
  Bytes network_priced;                 // to the network, were every rank on a node as full as its group's fullest
  Bytes states_crossed, states_priced;  // of both to the network, what replicas exchange
};

Moved moved_by(const Program& program, const HybridPlatform& platform) {
  Targets targets(program, platform);
  Moved sum;
  for (const Op& op : program.ops()) {
    const auto* call = std::get_if<CollectiveCall>(&op.action);
    if (!call) continue;
    const Collective& what = program.collective(call->collective);
    if (what.library.node_bytes + what.library.network_bytes <= Bytes()) continue;
    const LibraryTargets& to = targets.of(op.rank, what);
    const WireBytes sent{to.node.valid() ? what.library.node_bytes : Bytes(), network_bytes(what.library, to)};
    sum.on_wires += sent;
    sum.network_priced += what.library.network_bytes;
    if (op.dimension != Dimension::dp) continue;
    sum.states_crossed += sent.network, sum.states_priced += what.library.network_bytes;
  }
  return sum;
}

}  // namespace

void add_traffic_beside(const StepPrediction& prediction, const Program& program, const HybridPlatform& platform,
                        LayoutFigures& figures) {
  const HybridRanks& ranks = platform.ranks;
  const auto each = static_cast<double>(ranks.devices_each());
  const WireBytes all = prediction.exchanged_per_device * (each * static_cast<double>(ranks.count()));
  const Moved moved = moved_by(program, platform);
  const auto rest = [&](Bytes whole, Bytes part) {
    constexpr double rounding = 1e-9;
    const Bytes left = whole - part;
    return left > all.total() * rounding ? left : Bytes();
  };
  const double crossing = moved.states_priced > Bytes() ? moved.states_crossed / moved.states_priced : 1.0;
  figures.beside_network = rest(all.network, moved.network_priced * each) * crossing;
  figures.beside_node = rest(all.total(), moved.on_wires.total() * each + figures.beside_network);
}

}  // namespace orrery
