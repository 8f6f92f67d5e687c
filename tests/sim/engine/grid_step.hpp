// A step of training on a grid of ranks, whole or for some of them, for tests of folding.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "sim/program/program.hpp"
#include "tests/sim/engine/one_collective.hpp"

namespace orrery::test {

/// Rank (d, s, t) is (d stages + s) tensor + t and sits on the device of that number.
struct Grid {
  int data = 1, stages = 1, tensor = 1;
  int devices_per_node = 1;
  int microbatches = 4;

  [[nodiscard]] std::size_t ranks() const { return static_cast<std::size_t>(data * stages * tensor); }
  [[nodiscard]] RankId rank(int d, int s, int t) const {
    return RankId(static_cast<std::size_t>((d * stages + s) * tensor + t));
  }
};

inline LibraryPath lane() {
  LibraryPath path;
  path.bus = BytesPerSecond(100e9);
  path.base = Seconds(30e-6);
  path.hop = Seconds(2e-6);
  return path;
}

inline LibraryPath nic() {
  LibraryPath path;
  path.bus = BytesPerSecond(20e9);
  path.base = Seconds(30e-6);
  path.hop = Seconds(15e-6);
  return path;
}

inline std::vector<std::vector<RankId>> tensor_groups(const Grid& grid) {
  std::vector<std::vector<RankId>> groups;
  for (int d = 0; d < grid.data; ++d) {
    for (int s = 0; s < grid.stages; ++s) {
      groups.emplace_back();
      for (int t = 0; t < grid.tensor; ++t) groups.back().push_back(grid.rank(d, s, t));
    }
  }
  return groups;
}

inline std::vector<std::vector<RankId>> data_groups(const Grid& grid) {
  std::vector<std::vector<RankId>> groups;
  for (int s = 0; s < grid.stages; ++s) {
    for (int t = 0; t < grid.tensor; ++t) {
      groups.emplace_back();
      for (int d = 0; d < grid.data; ++d) groups.back().push_back(grid.rank(d, s, t));
    }
  }
  return groups;
}

inline std::vector<std::vector<RankId>> neighbours(const Grid& grid) {
  std::vector<std::vector<RankId>> pairs;
  for (int d = 0; d < grid.data; ++d) {
    for (int s = 0; s + 1 < grid.stages; ++s) {
      for (int t = 0; t < grid.tensor; ++t) pairs.push_back({grid.rank(d, s, t), grid.rank(d, s + 1, t)});
    }
  }
  return pairs;
}

/// How many of a data group's ranks share a node.
inline int data_per_node(const Grid& grid) {
  return std::max(1, grid.devices_per_node / (grid.stages * grid.tensor));
}

/// The step for the ranks simulated[i], as ranks i of the Program. `core`: reach of the data groups' collectives.
class Step {
 public:
  Step(const Grid& grid, const std::vector<RankId>& simulated, NetworkReach core)
      : grid_(grid), core_(core), program_(simulated.size()), number_(grid.ranks()) {
    for (std::size_t i = 0; i < simulated.size(); ++i) number_[simulated[i].index()] = RankId(i);
    const auto tensor = collectives(tensor_groups(grid), {grid.tensor, grid.tensor}, 40e6, grid.microbatches);
    const auto data = collectives(data_groups(grid), {grid.data, data_per_node(grid)}, 400e6, 1);
    for (int d = 0; d < grid.data; ++d) {
      for (int s = 0; s < grid.stages; ++s) {
        for (int t = 0; t < grid.tensor; ++t) {
          if (!number_[grid.rank(d, s, t).index()].valid()) continue;
          add_rank(d, s, t, tensor[static_cast<std::size_t>(d * grid.stages + s)],
                   data[static_cast<std::size_t>(s * grid.tensor + t)].front());
        }
      }
    }
  }

  [[nodiscard]] const Program& program() const { return program_; }

 private:
  std::vector<std::vector<CollectiveId>> collectives(const std::vector<std::vector<RankId>>& groups, GroupPlace place,
                                                     double bytes, int count) {
    std::vector<std::vector<CollectiveId>> all;
    const CollectiveKind kind = CollectiveKind::all_reduce;
    const LibraryCost cost = library_cost(kind, place, Bytes(bytes), lane(), nic());
    for (const auto& group : groups) {
      all.emplace_back(static_cast<std::size_t>(count));
      std::vector<RankId> members;
      for (const RankId rank : group) {
        if (number_[rank.index()].valid()) members.push_back(number_[rank.index()]);
      }
      if (members.empty()) continue;
      const GroupId id = program_.add_group(members);
      for (CollectiveId& collective : all.back()) {
        Collective call = library_collective(kind, id, Bytes(bytes), cost);
        call.library.reach = core_;
        collective = program_.add_collective(call);
      }
    }
    return all;
  }

  void add_rank(int d, int s, int t, const std::vector<CollectiveId>& tensor, CollectiveId data) {
    const RankId me = number_[grid_.rank(d, s, t).index()];
    const auto add = [&](Stream stream, Phase phase, int microbatch, std::vector<OpId> after, const Action& action) {
      return program_.add({me, stream, Dimension::none, phase, {}, microbatch, std::move(after), action});
    };
    OpId last;
    for (int m = 0; m < grid_.microbatches; ++m) {
      std::vector<OpId> after;
      if (s > 0) {
        const RankId from = number_[grid_.rank(d, s - 1, t).index()];
        after = {add(Stream::receive, Phase::forward, m, {}, Receive{from, m})};
      }
      const OpId work = add(Stream::compute, Phase::forward, m, after, Compute{Seconds(1e-3 * (s + 1)), Flops(1e9)});
      last = add(Stream::collective, Phase::forward, m, {work}, CollectiveCall{tensor[static_cast<std::size_t>(m)]});
      if (s + 1 < grid_.stages) {
        const RankId to = number_[grid_.rank(d, s + 1, t).index()];
        add(Stream::send, Phase::forward, m, {last}, Send{to, Bytes(50e6), m});
      }
    }
    add(Stream::collective, Phase::gradient_exchange, -1, {last}, CollectiveCall{data});
  }

  const Grid& grid_;
  NetworkReach core_;
  Program program_;
  std::vector<RankId> number_;  // in the Program; invalid: not simulated
};

}  // namespace orrery::test
