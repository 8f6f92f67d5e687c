// A Program: everything that one training step does, on every rank, before anything runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/program/op.hpp"

namespace orrery {

/// Which of its mirrors a rank that stands for others sends to, in place of the next node: see sim/engine/fold.hpp.
enum class NetworkReach : std::uint8_t { leaf, core };

/// A collective of Algorithm::library: nothing moves for `overhead` after the last member has arrived; then every
/// member sends both sizes at once, and all is over when the last byte has arrived, but not before `least`. Nobody pays
/// a link's latency: `overhead` holds all of it.
struct LibraryMoves {
  Seconds overhead;
  Bytes node_bytes;     // to the next member on its node; to its own mirror when it stands for them
  Bytes network_bytes;  // to the member at the same place of the next node, all-to-all: of the one half way round the
                        // nodes; likewise
  NetworkReach reach = NetworkReach::leaf;
  Seconds least = {};  // from the arrival of the last member; wires that others leave free do not make it shorter
};

/// Bytes: the size S of the full buffer. all-reduce: S on every rank; reduce-scatter: S in, S/N out; all-gather: S/N
/// in, S out; broadcast: S from `root` to all; all-to-all: S held by each rank, S/N of it for each other rank.
struct Collective {
  CollectiveKind kind = CollectiveKind::all_reduce;
  Algorithm algorithm = Algorithm::ring;
  GroupId group;
  Bytes bytes;
  int root = 0;               // index within the group: broadcast's source, parameter server's server
  LibraryMoves library = {};  // of Algorithm::library
};

class Program {
 public:
  explicit Program(std::size_t ranks) : ranks_(ranks) {}

  GroupId add_group(std::vector<RankId> members);
  CollectiveId add_collective(Collective collective);
  OpId add(Op op);

  [[nodiscard]] std::size_t ranks() const { return ranks_; }
  [[nodiscard]] const std::vector<Op>& ops() const { return ops_; }
  [[nodiscard]] const Op& op(OpId id) const { return ops_[id.index()]; }
  [[nodiscard]] const std::vector<Collective>& collectives() const { return collectives_; }
  [[nodiscard]] const Collective& collective(CollectiveId id) const { return collectives_[id.index()]; }
  [[nodiscard]] const std::vector<RankId>& group(GroupId id) const { return groups_[id.index()]; }
  [[nodiscard]] const std::vector<std::vector<RankId>>& groups() const { return groups_; }

 private:
  std::size_t ranks_;
  std::vector<Op> ops_;
  std::vector<Collective> collectives_;
  std::vector<std::vector<RankId>> groups_;
};

/// Every reason why the program cannot run, each naming the operation: ids out of range, an operation that waits for
/// itself (cycle through dependencies, stream order and messages), a Send without its Receive or the reverse, a
/// collective that a member of its group does not call, calls twice, or calls though not a member, negative durations
/// or bytes. Empty when it can run.
std::vector<std::string> check(const Program& program);

/// `op 12 (rank 3, backward, layer 5, microbatch 1, all_reduce)`: for messages and dumps.
std::string describe(const Program& program, OpId id);

/// One line per operation, in order: what `--dump program` prints.
std::string dump(const Program& program);

}  // namespace orrery
