// Who waits for whom in a Program: shared by check(), which looks for cycles, and by the interpreter, which counts
// down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/program/program.hpp"

namespace orrery {

/// Lists of successors of nodes 0..size-1, in one array.
class Successors {
 public:
  /// `edges`: (earlier, later). The order of each list is the order of `edges`.
  Successors(std::size_t nodes, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& edges);

  [[nodiscard]] const std::uint32_t* begin(std::size_t node) const { return targets_.data() + first_[node]; }
  [[nodiscard]] const std::uint32_t* end(std::size_t node) const { return targets_.data() + first_[node + 1]; }

 private:
  std::vector<std::uint32_t> first_, targets_;
};

/// The operation before each one on the same (rank, stream, dimension), or nothing (an invalid id). Operations with a
/// rank out of range have none.
std::vector<OpId> stream_predecessors(const Program& program);

/// A Send and the Receive that takes it: the k-th Send of a (from, to, tag) belongs to the k-th Receive, in the order
/// in which they were added.
struct MessagePairs {
  std::vector<OpId> partner;    // per operation: the other side, invalid for the rest
  std::vector<OpId> unmatched;  // Sends without Receive and the reverse, in order
};
MessagePairs match_messages(const Program& program);

}  // namespace orrery
