#include "scenarios/strategies/hybrid_groups.hpp"

#include <algorithm>

namespace orrery {
namespace {

/// Of `ranks` that stand for `all` devices, how many stand for `members` of them.
std::size_t run_length(std::size_t ranks, int all, int members) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(members) * ranks / static_cast<std::size_t>(all));
}

/// The run that the rank at `place` is in.
std::vector<RankId> run_of(const std::vector<RankId>& all, std::size_t length, std::size_t place) {
  const std::size_t first = place / length * length, end = std::min(first + length, all.size());
  return {all.begin() + static_cast<std::ptrdiff_t>(first), all.begin() + static_cast<std::ptrdiff_t>(end)};
}

/// Those that stand where the rank at `place` does, one of each run.
std::vector<RankId> across_runs(const std::vector<RankId>& all, std::size_t length, std::size_t place) {
  std::vector<RankId> found;
  for (std::size_t at = place % length; at < all.size(); at += length) found.push_back(all[at]);
  return found;
}

}  // namespace

Meeting meeting_of_states(const Layout& layout) {
  return sharing_ranks(layout) < replicas_in_step(layout) ? Meeting::shards : Meeting::replicas;
}

HybridGroups::HybridGroups(const Layout& layout, const HybridRanks& ranks, Program& program)
    : layout_(layout), ranks_(ranks), program_(program) {}

int HybridGroups::island_size() const {
  return layout_.dp / layout_.outer.islands;
}

std::vector<RankId> HybridGroups::members(RankId rank, Meeting meeting) const {
  const Coordinates at = ranks_.at(rank);
  std::vector<RankId> found;
  const auto add = [&](Coordinates other) {
    const RankId member = ranks_.rank(other);
    if (std::find(found.begin(), found.end(), member) == found.end()) found.push_back(member);
  };
  switch (meeting) {
    case Meeting::slices:
      for (int i = 0; i < layout_.tp; ++i) add({i, at.cp, at.dp, at.pp});
      return found;
    case Meeting::parts:
      for (int i = 0; i < layout_.cp; ++i) add({at.tp, i, at.dp, at.pp});
      return found;
    case Meeting::islands:
      for (int replica = at.dp % island_size(); replica < layout_.dp; replica += island_size()) {
        add({at.tp, at.cp, replica, at.pp});
      }
      return found;
    case Meeting::ends:
      add({at.tp, at.cp, at.dp, 0});
      add({at.tp, at.cp, at.dp, layout_.pp - 1});
      return found;
    case Meeting::experts:
    case Meeting::replicas:
    case Meeting::shards:
    case Meeting::sums:
      break;
  }
  return members_in_island(rank, meeting);
}

std::vector<RankId> HybridGroups::members_in_island(RankId rank, Meeting meeting) const {
  const bool is_of_experts = meeting == Meeting::experts;
  std::vector<RankId> all = stage_of_island(rank, is_of_experts ? expert_tensor_degree(layout_) : layout_.tp);
  if (meeting == Meeting::replicas) return all;
  const auto place = static_cast<std::size_t>(std::find(all.begin(), all.end(), rank) - all.begin());
  if (is_of_experts) return run_of(all, run_length(all.size(), expert_ranks_in_step(layout_), layout_.ep), place);
  const std::size_t length = run_length(all.size(), replicas_in_step(layout_), sharing_ranks(layout_));
  return meeting == Meeting::shards ? run_of(all, length, place) : across_runs(all, length, place);
}

std::vector<RankId> HybridGroups::stage_of_island(RankId rank, int apart) const {
  const Coordinates at = ranks_.at(rank);
  const int first = at.dp / island_size() * island_size();
  std::vector<RankId> found;
  for (int replica = first; replica < first + island_size(); ++replica) {
    for (int part = 0; part < layout_.cp; ++part) {
      for (int slice = at.tp % apart; slice < layout_.tp; slice += apart) {
        const RankId member = ranks_.rank({slice, part, replica, at.pp});
        if (found.empty() || found.back() != member) found.push_back(member);
      }
    }
  }
  std::sort(found.begin(), found.end(),
            [this](RankId a, RankId b) { return ranks_.first_device(a) < ranks_.first_device(b); });
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

RankId HybridGroups::leader_by_search(RankId rank, Meeting meeting) {
  const auto known = leaders_.find({meeting, rank});
  if (known != leaders_.end()) return known->second;
  const std::vector<RankId> all = members(rank, meeting);
  for (const RankId member : all) leaders_[{meeting, member}] = all.front();
  return all.front();
}

RankId HybridGroups::leader(RankId rank, Meeting meeting) {
  Coordinates at = ranks_.at(rank);
  switch (meeting) {
    case Meeting::slices:
      at.tp = 0;
      break;
    case Meeting::parts:
      at.cp = 0;
      break;
    case Meeting::ends:
      at.pp = 0;
      break;
    case Meeting::replicas:
      at.dp -= at.dp % island_size();
      at.cp = 0;
      break;
    case Meeting::islands:
      at.dp %= island_size();
      break;
    case Meeting::experts:
    case Meeting::shards:
    case Meeting::sums:
      return leader_by_search(rank, meeting);
  }
  return ranks_.rank(at);
}

CollectiveId HybridGroups::next(RankId rank, Meeting meeting, Collective what) {
  Group& group = groups_[{meeting, leader(rank, meeting)}];
  if (!group.id.valid()) group.id = program_.add_group(members(rank, meeting));
  std::size_t& call = group.made[rank];
  if (call == group.calls.size()) {
    what.group = group.id;
    group.calls.push_back(program_.add_collective(what));
  }
  return group.calls[call++];
}

CollectiveId HybridGroups::spend(RankId rank, Meeting meeting, Seconds time) {
  Collective pause;
  pause.algorithm = Algorithm::library;
  pause.library.overhead = time;
  return next(rank, meeting, pause);
}

}  // namespace orrery
