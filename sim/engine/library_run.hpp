// One collective of Algorithm::library on a kernel: a delay, then every member's bytes to its neighbours at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "sim/engine/kernel.hpp"
#include "sim/program/program.hpp"

namespace orrery {

/// A member on another node that gets `share` of LibraryMoves::network_bytes from one.
struct NetworkTarget {
  DeviceId to;
  double share = 1;
};

/// Whom a member of a library collective sends to. `node` is invalid where there is nobody.
struct LibraryTargets {
  DeviceId node;
  std::vector<NetworkTarget> network;
};

/// Which node a member sends to, counting nodes as they first appear: a ring's next one, or the one half way round,
/// across as many switches as most of an all-to-all's bytes go.
enum class NextNode : std::uint8_t { neighbour, half_way };
NextNode next_node(CollectiveKind kind);

/// Of every member, in order. Inside its node: the next member, the last one's is the first. On the network: the member
/// at the same place of the `next` node. Where nodes have different numbers of members, as many bytes leave each of a
/// ring's as leave the one with most, and both sides share them evenly (a ring is made of channels, which pass through
/// all of them); of an all-to-all every member sends to all other nodes, to each as much as it has members. A member
/// that is alone in its node, or whose node is the only one, sends to its mirror where the platform has one.
std::vector<LibraryTargets> library_targets(const Platform& platform, const std::vector<DeviceId>& members,
                                            NetworkReach reach, NextNode next = NextNode::neighbour);

/// Bytes that a member with these targets sends, to other nodes and in all.
Bytes network_bytes(const LibraryMoves& moves, const LibraryTargets& targets);
Bytes library_bytes(const LibraryMoves& moves, const LibraryTargets& targets);

/// Carries it out. Keep it alive until `done` has been called or the kernel has run out of events.
class LibraryRun {
 public:
  /// `done`: called when the last byte has arrived, or never if something failed.
  LibraryRun(const LibraryMoves& moves, std::vector<DeviceId> members, std::vector<LibraryTargets> targets,
             Kernel& kernel, std::function<void()> done);
  LibraryRun(const LibraryRun&) = delete;
  LibraryRun& operator=(const LibraryRun&) = delete;

  void start();
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  void send_all();
  void send(DeviceId from, DeviceId to, Bytes bytes);
  void ended(Outcome outcome);

  LibraryMoves moves_;
  std::vector<DeviceId> members_;
  std::vector<LibraryTargets> targets_;
  Kernel& kernel_;
  std::function<void()> done_;
  std::size_t left_ = 1;  // flows that have not ended, the sending of them, and the least time
  std::uint64_t failures_ = 0;
};

}  // namespace orrery
