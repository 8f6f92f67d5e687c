#include "sim/engine/library_run.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace orrery {

namespace {

/// Members by node, nodes in the order in which they first appear.
struct Nodes {
  std::vector<std::vector<std::size_t>> members;  // of each node
  std::vector<std::size_t> node_of, place_of;     // of each member
};

Nodes by_node(const Platform& platform, const std::vector<DeviceId>& members) {
  Nodes nodes;
  std::unordered_map<std::int32_t, std::size_t> seen;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto [place, fresh] = seen.try_emplace(platform.hosts[members[i].index()].node, nodes.members.size());
    if (fresh) nodes.members.emplace_back();
    std::vector<std::size_t>& here = nodes.members[place->second];
    nodes.node_of.push_back(place->second);
    nodes.place_of.push_back(here.size());
    here.push_back(i);
  }
  return nodes;
}

Mirrors mirrors_of(const Platform& platform, DeviceId host) {
  return host.index() < platform.mirrors.size() ? platform.mirrors[host.index()] : Mirrors{};
}

}  // namespace

NextNode next_node(CollectiveKind kind) {
  return kind == CollectiveKind::all_to_all ? NextNode::half_way : NextNode::neighbour;
}

std::vector<LibraryTargets> library_targets(const Platform& platform, const std::vector<DeviceId>& members,
                                            NetworkReach reach, NextNode next) {
  const Nodes nodes = by_node(platform, members);
  std::vector<LibraryTargets> targets;
  targets.reserve(members.size());
  const std::size_t count = nodes.members.size();
  const std::size_t step = next == NextNode::half_way ? std::max<std::size_t>(1, count / 2) : 1;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Mirrors mirrors = mirrors_of(platform, members[i]);
    const std::size_t place = nodes.place_of[i];
    const auto& here = nodes.members[nodes.node_of[i]];
    const auto& there = nodes.members[(nodes.node_of[i] + step) % count];
    targets.push_back({mirrors.inside, reach == NetworkReach::core ? mirrors.core : mirrors.leaf});
    if (here.size() > 1) targets.back().node = members[here[(place + 1) % here.size()]];
    if (count > 1) targets.back().network = members[there[place % there.size()]];
  }
  return targets;
}

Bytes library_bytes(const LibraryMoves& moves, const LibraryTargets& targets) {
  Bytes sum;
  if (targets.node.valid()) sum += moves.node_bytes;
  if (targets.network.valid()) sum += moves.network_bytes;
  return sum;
}

LibraryRun::LibraryRun(const LibraryMoves& moves, std::vector<DeviceId> members, std::vector<LibraryTargets> targets,
                       Kernel& kernel, std::function<void()> done)
    : moves_(moves),
      members_(std::move(members)),
      targets_(std::move(targets)),
      kernel_(kernel),
      done_(std::move(done)) {}

void LibraryRun::start() {
  if (moves_.least > moves_.overhead) {
    ++left_;
    kernel_.after(moves_.least, [this] { ended(Outcome::done); });
  }
  kernel_.after(moves_.overhead, [this] { send_all(); });
}

void LibraryRun::send_all() {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    send(members_[i], targets_[i].node, moves_.node_bytes);
    send(members_[i], targets_[i].network, moves_.network_bytes);
  }
  ended(Outcome::done);
}

void LibraryRun::send(DeviceId from, DeviceId to, Bytes bytes) {
  constexpr double no_latency = 0.0;  // the overhead holds it
  if (!to.valid() || bytes.value() <= 0) return;
  ++left_;
  kernel_.flow(from, to, bytes, no_latency, [this](Outcome outcome) { ended(outcome); });
}

void LibraryRun::ended(Outcome outcome) {
  if (outcome == Outcome::failed) {
    ++failures_;
    return;
  }
  if (--left_ == 0) done_();
}

}  // namespace orrery
