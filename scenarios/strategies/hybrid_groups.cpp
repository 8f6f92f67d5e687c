#include "scenarios/strategies/hybrid_groups.hpp"

#include <algorithm>

namespace orrery {
namespace {

/// Of the dp x cp ranks of one set of weights, those that share the experts with the one at `place`.
std::pair<std::size_t, std::size_t> expert_run(const Layout& layout, std::size_t ranks, std::size_t place) {
  const std::size_t all = static_cast<std::size_t>(layout.dp) * static_cast<std::size_t>(layout.cp);
  const std::size_t run = std::max<std::size_t>(1, static_cast<std::size_t>(layout.ep) * ranks / all);
  const std::size_t first = place / run * run;
  return {first, std::min(first + run, ranks)};
}

}  // namespace

HybridGroups::HybridGroups(const Layout& layout, const HybridRanks& ranks, Program& program)
    : layout_(layout), ranks_(ranks), program_(program) {}

std::vector<RankId> HybridGroups::members(RankId rank, Meeting meeting) const {
  const Coordinates at = ranks_.at(rank);
  std::vector<RankId> found;
  const auto add = [&](Coordinates other) {
    const RankId member = ranks_.rank(other);
    if (std::find(found.begin(), found.end(), member) == found.end()) found.push_back(member);
  };
  switch (meeting) {
    case Meeting::alone:
      return {rank};
    case Meeting::slices:
      for (int i = 0; i < layout_.tp; ++i) add({i, at.cp, at.dp, at.pp});
      return found;
    case Meeting::parts:
      for (int i = 0; i < layout_.cp; ++i) add({at.tp, i, at.dp, at.pp});
      return found;
    case Meeting::ends:
      add({at.tp, at.cp, at.dp, 0});
      add({at.tp, at.cp, at.dp, layout_.pp - 1});
      return found;
    case Meeting::experts:
    case Meeting::replicas:
      break;
  }
  for (int replica = 0; replica < layout_.dp; ++replica) {
    for (int part = 0; part < layout_.cp; ++part) {
      const RankId member = ranks_.rank({at.tp, part, replica, at.pp});
      if (found.empty() || found.back() != member) found.push_back(member);
    }
  }
  std::sort(found.begin(), found.end(),
            [this](RankId a, RankId b) { return ranks_.first_device(a) < ranks_.first_device(b); });
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (meeting == Meeting::replicas) return found;
  const auto place = static_cast<std::size_t>(std::find(found.begin(), found.end(), rank) - found.begin());
  const auto [first, end] = expert_run(layout_, found.size(), place);
  return {found.begin() + static_cast<std::ptrdiff_t>(first), found.begin() + static_cast<std::ptrdiff_t>(end)};
}

RankId HybridGroups::expert_leader(RankId rank) {
  const auto known = expert_leaders_.find(rank);
  if (known != expert_leaders_.end()) return known->second;
  const std::vector<RankId> all = members(rank, Meeting::experts);
  for (const RankId member : all) expert_leaders_[member] = all.front();
  return all.front();
}

RankId HybridGroups::leader(RankId rank, Meeting meeting) {
  Coordinates at = ranks_.at(rank);
  switch (meeting) {
    case Meeting::alone:
      return rank;
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
      at.dp = at.cp = 0;
      break;
    case Meeting::experts:
      return expert_leader(rank);
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
