#include "sim/engine/library_run.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace orrery {

namespace {

/// Members by joined_node(), nodes in the order in which they first appear.
struct Nodes {
  std::vector<std::vector<std::size_t>> members;  // of each node
  std::vector<std::size_t> node_of, place_of;     // of each member
};

Nodes by_node(const Platform& platform, const std::vector<DeviceId>& members) {
  Nodes nodes;
  std::unordered_map<std::int64_t, std::size_t> seen;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto [place, fresh] = seen.try_emplace(joined_node(platform, members[i]), nodes.members.size());
    if (fresh) nodes.members.emplace_back();
    std::vector<std::size_t>& here = nodes.members[place->second];
    nodes.node_of.push_back(place->second);
    nodes.place_of.push_back(here.size());
    here.push_back(i);
  }
  return nodes;
}

/// A member's place among those of its node.
struct Place {
  std::size_t node = 0, place = 0;
};

/// Whom members send to on other nodes.
class OtherNodes {
 public:
  OtherNodes(const Nodes& nodes, const std::vector<DeviceId>& members, NextNode next)
      : nodes_(nodes), members_(members), next_(next) {
    for (const auto& here : nodes.members) most_ = std::max(most_, here.size());
    for (const auto& here : nodes.members) are_even_ = are_even_ && here.size() == most_;
  }

  [[nodiscard]] std::vector<NetworkTarget> of(Place from) const {
    const std::size_t count = nodes_.members.size();
    const auto here = number(nodes_.members[from.node].size()), most = number(most_), all = number(members_.size());
    std::vector<NetworkTarget> targets;
    if (next_ == NextNode::neighbour || are_even_) {
      const std::size_t step = next_ == NextNode::neighbour ? 1 : std::max<std::size_t>(1, count / 2);
      add(from, (from.node + step) % count, most / here, targets);
      return targets;
    }
    for (std::size_t node = 0; node < count; ++node) {
      if (node != from.node) add(from, node, number(nodes_.members[node].size()) / (all - most), targets);
    }
    return targets;
  }

 private:
  static double number(std::size_t count) { return static_cast<double>(count); }

  /// Those of a node that a member sends `sent` to, when the senders of its node and they divide all bytes evenly, in
  /// the order of their places.
  void add(Place from, std::size_t node, double sent, std::vector<NetworkTarget>& targets) const {
    const std::size_t here = nodes_.members[from.node].size(), there = nodes_.members[node].size();
    // In parts of 1 / (here x there) of all bytes.
    const std::size_t end = (from.place + 1) * there;
    for (std::size_t at = from.place * there; at < end;) {
      const std::size_t to = at / here, until = std::min(end, (to + 1) * here);
      targets.push_back({members_[nodes_.members[node][to]], sent * number(until - at) / number(there)});
      at = until;
    }
  }

  const Nodes& nodes_;
  const std::vector<DeviceId>& members_;
  NextNode next_;
  std::size_t most_ = 0;  // members on a node
  bool are_even_ = true;
};

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
  const OtherNodes others(nodes, members, next);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Mirrors mirrors = mirrors_of(platform, members[i]);
    const std::size_t node = nodes.node_of[i], place = nodes.place_of[i];
    const auto& here = nodes.members[node];
    targets.push_back({mirrors.inside, {}});
    if (here.size() > 1) targets.back().node = members[here[(place + 1) % here.size()]];
    const DeviceId mirror = reach == NetworkReach::core ? mirrors.core : mirrors.leaf;
    if (nodes.members.size() > 1) {
      targets.back().network = others.of({node, place});
    } else if (mirror.valid()) {
      targets.back().network = {{mirror}};
    }
  }
  return targets;
}

Bytes network_bytes(const LibraryMoves& moves, const LibraryTargets& targets) {
  double shares = 0;
  for (const NetworkTarget& target : targets.network) shares += target.share;
  return moves.network_bytes * shares;
}

Bytes library_bytes(const LibraryMoves& moves, const LibraryTargets& targets) {
  return (targets.node.valid() ? moves.node_bytes : Bytes()) + network_bytes(moves, targets);
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
    for (const NetworkTarget& target : targets_[i].network) {
      send(members_[i], target.to, moves_.network_bytes * target.share);
    }
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
