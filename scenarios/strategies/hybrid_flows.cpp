#include "scenarios/strategies/hybrid_flows.hpp"

#include <algorithm>
#include <utility>

#include "scenarios/strategies/hybrid_ranks.hpp"

namespace orrery {
namespace {

std::vector<RankId> in_order(std::vector<std::int64_t> devices) {
  std::sort(devices.begin(), devices.end());
  std::vector<RankId> group;
  for (const std::int64_t device : devices) group.emplace_back(static_cast<std::size_t>(device));
  return group;
}

/// Groups of all devices that differ in one dimension, tp or cp, alone.
std::vector<std::vector<RankId>> groups_along(const Layout& layout, Dimension dimension) {
  std::vector<std::vector<RankId>> groups;
  const std::int64_t apart = stride(layout, dimension);
  const int members = degree(layout, dimension);
  for (std::int64_t device = 0; device < layout.devices(); ++device) {
    if (device / apart % members != 0) continue;
    groups.emplace_back();
    for (int i = 0; i < members; ++i) groups.back().emplace_back(static_cast<std::size_t>(device + i * apart));
  }
  return groups;
}

/// dp x cp devices of every stage, of every island, in the order of devices: of each slice, or of those so many slices
/// apart together.
std::vector<std::vector<RankId>> replicas(const Layout& layout, int apart) {
  std::vector<std::vector<RankId>> groups;
  const int island = layout.dp / layout.outer.islands;
  for (int stage = 0; stage < layout.pp; ++stage) {
    for (int first_slice = 0; first_slice < apart; ++first_slice) {
      for (int first = 0; first < layout.dp; first += island) {
        std::vector<std::int64_t> devices;
        for (int replica = first; replica < first + island; ++replica) {
          for (int part = 0; part < layout.cp; ++part) {
            for (int slice = first_slice; slice < layout.tp; slice += apart) {
              devices.push_back(device_at(layout, {slice, part, replica, stage}));
            }
          }
        }
        groups.push_back(in_order(std::move(devices)));
      }
    }
  }
  return groups;
}

/// A device of every island, those at the same place in theirs.
std::vector<std::vector<RankId>> likes_of_islands(const Layout& layout) {
  std::vector<std::vector<RankId>> groups;
  const int island = layout.dp / layout.outer.islands;
  for (std::int64_t device = 0; device < layout.devices(); ++device) {
    Coordinates at = coordinates_of(layout, device);
    if (at.dp >= island) continue;
    std::vector<std::int64_t> likes;
    for (; at.dp < layout.dp; at.dp += island) likes.push_back(device_at(layout, at));
    groups.push_back(in_order(std::move(likes)));
  }
  return groups;
}

/// Runs of `length` of each of these groups: ranks that share experts, or states.
std::vector<std::vector<RankId>> runs_of(const std::vector<std::vector<RankId>>& whole, int length) {
  std::vector<std::vector<RankId>> groups;
  for (const std::vector<RankId>& all : whole) {
    for (std::size_t first = 0; first < all.size(); first += static_cast<std::size_t>(length)) {
      const std::size_t end = std::min(all.size(), first + static_cast<std::size_t>(length));
      groups.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(first),
                          all.begin() + static_cast<std::ptrdiff_t>(end));
    }
  }
  return groups;
}

/// Of every run one, those at the same place.
std::vector<std::vector<RankId>> across_runs_of_replicas(const Layout& layout, int length) {
  std::vector<std::vector<RankId>> groups;
  const auto run = static_cast<std::size_t>(length);
  for (const std::vector<RankId>& all : replicas(layout, layout.tp)) {
    for (std::size_t place = 0; place < std::min(run, all.size()); ++place) {
      groups.emplace_back();
      for (std::size_t at = place; at < all.size(); at += run) groups.back().push_back(all[at]);
    }
  }
  return groups;
}

/// The first and the last stage of every replica.
std::vector<std::vector<RankId>> ends(const Layout& layout) {
  std::vector<std::vector<RankId>> groups;
  for (std::int64_t device = 0; device < layout.devices(); ++device) {
    Coordinates at = coordinates_of(layout, device);
    if (at.pp > 0) continue;
    at.pp = layout.pp - 1;
    groups.push_back(in_order({device, device_at(layout, at)}));
  }
  return groups;
}

/// What those who share states exchange.
std::vector<MeetingTraffic> state_traffic(const Layout& layout) {
  using Kind = FoldTraffic::Kind;
  if (replicas_in_step(layout) == 1) return {};
  const int length = sharing_ranks(layout);
  if (meeting_of_states(layout) == Meeting::replicas) {
    return {{Meeting::replicas, {"exchange of gradients", Kind::collective, replicas(layout, layout.tp)}}};
  }
  return {{Meeting::shards, {"exchange of states", Kind::collective, runs_of(replicas(layout, layout.tp), length)}},
          {Meeting::sums, {"sums of shards", Kind::collective, across_runs_of_replicas(layout, length)}}};
}

}  // namespace

std::vector<MeetingTraffic> group_traffic(const Layout& layout, const Moving& moving) {
  using Kind = FoldTraffic::Kind;
  std::vector<MeetingTraffic> all = state_traffic(layout);
  const auto moves = [&moving](Meeting meeting, int members) { return members > 1 && moving.contains(meeting); };
  if (moves(Meeting::islands, layout.outer.islands)) {
    all.push_back({Meeting::islands, {"exchange between islands", Kind::collective, likes_of_islands(layout)}});
  }
  if (moves(Meeting::slices, layout.tp)) {
    all.push_back({Meeting::slices, {"tensor parallelism", Kind::collective, groups_along(layout, Dimension::tp)}});
  }
  if (moves(Meeting::parts, layout.cp)) {
    all.push_back({Meeting::parts, {"context parallelism", Kind::collective, groups_along(layout, Dimension::cp)}});
  }
  if (moves(Meeting::experts, layout.ep)) {
    const std::vector<std::vector<RankId>> ranks = replicas(layout, expert_tensor_degree(layout));
    all.push_back({Meeting::experts, {"exchange with experts", Kind::all_to_all, runs_of(ranks, layout.ep)}});
  }
  if (moves(Meeting::ends, layout.pp)) {
    all.push_back({Meeting::ends, {"sums of tied weights", Kind::collective, ends(layout)}});
  }
  return all;
}

FoldTraffic message_traffic(const Layout& layout, int direction) {
  FoldTraffic traffic{
      direction > 0 ? "activations between stages" : "their gradients", FoldTraffic::Kind::messages, {}};
  for (std::int64_t device = 0; device < layout.devices(); ++device) {
    Coordinates to = coordinates_of(layout, device);
    to.pp += direction;
    if ((to.pp < 0 || to.pp >= layout.pp) && layout.interleave == 1) continue;
    to.pp = (to.pp + layout.pp) % layout.pp;
    traffic.groups.push_back(
        {RankId(static_cast<std::size_t>(device)), RankId(static_cast<std::size_t>(device_at(layout, to)))});
  }
  return traffic;
}

}  // namespace orrery
