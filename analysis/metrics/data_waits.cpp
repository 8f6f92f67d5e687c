#include "analysis/metrics/data_waits.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>

#include "analysis/metrics/activity_role.hpp"
#include "analysis/metrics/by_rank.hpp"

namespace orrery {
namespace {

bool is_forward(const Activity& activity) {
  return activity.phase == Phase::forward;
}

bool is_pass(const Activity& activity) {
  return activity.stream == Stream::compute && activity.microbatch >= 0;
}

/// Whether forward passes of several micro-batches follow each other without backward ones between: a rank is done with
/// all before it begins a backward one, or has several chunks of layers.
bool has_forwards_in_rows(const std::vector<Activity>& own) {
  Seconds last_forward, first_backward(std::numeric_limits<double>::infinity());
  std::map<std::int32_t, int> forwards;  // by micro-batch
  for (const Activity& activity : own) {
    if (!is_pass(activity)) continue;
    if (is_forward(activity)) {
      ++forwards[activity.microbatch];
      last_forward = std::max(last_forward, activity.end);
    } else {
      first_backward = std::min(first_backward, activity.start);
    }
  }
  const bool has_chunks = std::ranges::any_of(forwards, [](const auto& each) { return each.second > 1; });
  return has_chunks || last_forward <= first_backward;
}

/// How long the device of a rank, or its host, works on a micro-batch: on all of it, or on a forward pass of it.
enum class Round : std::uint8_t { passes, forward_pass };
Seconds work_on_microbatch(const std::vector<Activity>& own, Round round, Seconds until) {
  std::vector<Interval> work;
  double forwards = 0;
  std::int32_t last = 0;
  for (const Activity& activity : own) {
    const ActivityRole role = role_of(activity);
    if (activity.microbatch < 0 || role == ActivityRole::loader || role == ActivityRole::beside) continue;
    last = std::max(last, activity.microbatch);
    if (is_pass(activity) && is_forward(activity)) ++forwards;
    if (round == Round::passes || is_forward(activity)) work.push_back({activity.start, activity.end});
  }
  const double rounds = round == Round::passes ? last + 1.0 : std::max(1.0, forwards);
  return covered(std::move(work), Seconds(), until) / rounds;
}

bool is_message(const Activity& activity) {
  return activity.dimension == Dimension::pp;
}

/// Of the slowest stage; nothing without a pipeline, whose passes wait for no other rank.
Seconds pace_of_pipeline(const std::vector<std::vector<Activity>>& by_rank, const Records& records) {
  if (std::ranges::none_of(records.activities, is_message)) return {};
  const Round round = std::ranges::all_of(by_rank, has_forwards_in_rows) ? Round::forward_pass : Round::passes;
  Seconds slowest;
  for (const auto& own : by_rank) slowest = std::max(slowest, work_on_microbatch(own, round, records.makespan));
  return slowest;
}

/// When a rank begins with its micro-batches, and when it has nothing to do.
class RankTimes {
 public:
  explicit RankTimes(const std::vector<Activity>& own) {
    for (const Activity& activity : own) {
      if (role_of(activity) == ActivityRole::loader || is_message(activity)) continue;
      ends_.push_back(activity.end);
      const auto [first, is_new] = beginnings_.try_emplace(activity.microbatch, activity.ready);
      if (!is_new) first->second = std::min(first->second, activity.ready);
    }
    std::ranges::sort(ends_);
  }

  /// Nothing where it has no micro-batch of this number.
  [[nodiscard]] std::optional<Seconds> beginning(std::int32_t microbatch) const {
    const auto found = beginnings_.find(microbatch);
    return found == beginnings_.end() ? std::nullopt : std::optional(found->second);
  }

  /// The end of what it did or exchanged last before that, messages left out.
  [[nodiscard]] Seconds idle_from(Seconds until) const {
    const auto later = std::ranges::upper_bound(ends_, until);
    return later == ends_.begin() ? Seconds() : *std::prev(later);
  }

 private:
  std::vector<Seconds> ends_;  // sorted
  std::unordered_map<std::int32_t, Seconds> beginnings_;
};

/// A wait for the data of a micro-batch.
struct Wait {
  std::int32_t microbatch = 0;
  Interval time;
};

std::vector<Wait> waits_for_loads(const std::vector<Activity>& own, Seconds pace, Seconds makespan) {
  const RankTimes times(own);
  std::vector<Wait> waits;
  for (const Activity& activity : own) {
    if (role_of(activity) != ActivityRole::loader) continue;
    const std::int32_t next = activity.microbatch + 1;
    if (times.beginning(next).value_or(makespan) != activity.end) continue;
    const Seconds from = std::max(times.idle_from(activity.end), activity.start + pace);
    if (from < activity.end) waits.push_back({next, {from, activity.end}});
  }
  return waits;
}

bool has_loader(const std::vector<Activity>& own) {
  return std::ranges::any_of(own, [](const Activity& each) { return role_of(each) == ActivityRole::loader; });
}

/// Of the first stage before a rank, or its own: along the messages that bring activations.
std::size_t loading_rank(const std::vector<std::vector<Activity>>& by_rank, std::size_t rank) {
  for (std::size_t stage = 0; stage < by_rank.size() && !has_loader(by_rank[rank]); ++stage) {
    const auto from_before = std::ranges::find_if(by_rank[rank], [](const Activity& each) {
      return each.stream == Stream::receive && is_message(each) && is_forward(each) && each.peer.valid();
    });
    if (from_before == by_rank[rank].end()) break;
    rank = from_before->peer.index();
  }
  return rank;
}

}  // namespace

std::vector<Interval> data_waits(const Records& records, RankId rank) {
  if (!has_loader(records.activities)) return {};
  const auto by_rank = activities_by_rank(records);
  const RankTimes times(by_rank[rank.index()]);
  const std::size_t loading = loading_rank(by_rank, rank.index());
  std::vector<Interval> waits;
  for (const Wait& wait : waits_for_loads(by_rank[loading], pace_of_pipeline(by_rank, records), records.makespan)) {
    if (loading == rank.index()) {
      waits.push_back(wait.time);
    } else if (const auto begin = times.beginning(wait.microbatch)) {
      const Seconds longest = wait.time.end - wait.time.begin;
      waits.push_back({std::max(times.idle_from(*begin), *begin - longest), *begin});
    }
  }
  return waits;
}

std::vector<std::vector<Interval>> waits_of_loading_ranks(const Records& records) {
  std::vector<std::vector<Interval>> all(records.ranks);
  if (!has_loader(records.activities)) return all;
  const auto by_rank = activities_by_rank(records);
  const Seconds pace = pace_of_pipeline(by_rank, records);
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
    for (const Wait& wait : waits_for_loads(by_rank[rank], pace, records.makespan)) all[rank].push_back(wait.time);
  }
  return all;
}

}  // namespace orrery
