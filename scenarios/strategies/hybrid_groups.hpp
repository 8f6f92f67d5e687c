// The groups of a hybrid program, and the collectives that their members call one after the other.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "scenarios/strategies/hybrid_ranks.hpp"
#include "sim/program/program.hpp"

namespace orrery {

/// Who meets. slices: the tp ranks of a layer; parts: the cp ranks of a sequence; experts: the ep ranks that share
/// them, of several slices where experts are whole. replicas: the dp x cp ranks of the same weights, or those of one
/// island. shards: runs of zero_group of those; sums: the ranks that hold the same shard, one of each run. islands: a
/// rank of each island, those at the same place in theirs. ends: first and last stage.
enum class Meeting : std::uint8_t { slices, parts, experts, replicas, shards, sums, islands, ends };

/// Who exchanges gradients and parameters: `shards` where sharing_ranks are fewer than all, else `replicas`.
Meeting meeting_of_states(const Layout& layout);

class HybridGroups {
 public:
  HybridGroups(const Layout& layout, const HybridRanks& ranks, Program& program);

  /// The next collective of the rank's group of this kind: its members call the same ones in the same order. `what`:
  /// its kind, bytes and times; the same from every member.
  CollectiveId next(RankId rank, Meeting meeting, Collective what);
  /// A collective that only takes its time.
  CollectiveId spend(RankId rank, Meeting meeting, Seconds time);

 private:
  struct Group {
    GroupId id;
    std::vector<CollectiveId> calls;
    std::map<RankId, std::size_t> made;  // calls of each member so far
  };
  [[nodiscard]] int island_size() const;  // replicas
  [[nodiscard]] std::vector<RankId> members(RankId rank, Meeting meeting) const;
  /// Of the kinds that gather ranks of several replicas of an island.
  [[nodiscard]] std::vector<RankId> members_in_island(RankId rank, Meeting meeting) const;
  /// The ranks of the rank's stage in its island that hold every `apart`-th slice, its own among them, by device.
  [[nodiscard]] std::vector<RankId> stage_of_island(RankId rank, int apart) const;
  /// The member that stands for the group here.
  [[nodiscard]] RankId leader(RankId rank, Meeting meeting);
  [[nodiscard]] RankId leader_by_search(RankId rank, Meeting meeting);

  const Layout& layout_;
  const HybridRanks& ranks_;
  Program& program_;
  std::map<std::pair<Meeting, RankId>, Group> groups_;
  std::map<std::pair<Meeting, RankId>, RankId> leaders_;  // by member, of groups that take long to find
};

}  // namespace orrery
