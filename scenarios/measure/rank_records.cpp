#include "scenarios/measure/rank_records.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace orrery {
namespace {

bool is_collective(const Activity& activity) {
  return activity.stream == Stream::collective;
}

/// The k-th collectives of a dimension belong together: all ranks start them in one order.
void start_collectives(std::vector<std::vector<Activity>>& by_rank) {
  std::map<std::pair<Dimension, std::size_t>, Seconds> last_ready;
  const auto visit = [&](const auto& use) {
    for (std::vector<Activity>& activities : by_rank) {
      std::map<Dimension, std::size_t> count;
      for (Activity& activity : activities) {
        if (!is_collective(activity)) continue;
        const std::size_t index = count[activity.dimension]++;
        use(activity, last_ready[{activity.dimension, index}]);
      }
    }
  };
  visit([](const Activity& activity, Seconds& ready) { ready = std::max(ready, activity.ready); });
  visit([](Activity& activity, const Seconds& ready) {
    activity.start = std::clamp(ready, activity.ready, std::max(activity.ready, activity.end));
  });
}

using MessageKey = std::tuple<std::size_t, std::size_t, Phase, std::int32_t>;  // from, to, phase, micro-batch

void start_receptions(std::vector<std::vector<Activity>>& by_rank) {
  std::map<MessageKey, Seconds> sent;
  for (const auto& activities : by_rank) {
    for (const Activity& activity : activities) {
      if (activity.stream != Stream::send) continue;
      sent[{activity.rank.index(), activity.peer.index(), activity.phase, activity.microbatch}] = activity.start;
    }
  }
  for (auto& activities : by_rank) {
    for (Activity& activity : activities) {
      if (activity.stream != Stream::receive) continue;
      const auto found = sent.find({activity.peer.index(), activity.rank.index(), activity.phase, activity.microbatch});
      if (found == sent.end()) continue;
      activity.start = std::clamp(found->second, activity.ready, std::max(activity.ready, activity.end));
    }
  }
}

}  // namespace

Records join_ranks(std::vector<std::vector<Activity>> by_rank) {
  start_collectives(by_rank);
  start_receptions(by_rank);
  Records records;
  records.ranks = by_rank.size();
  for (const auto& activities : by_rank) {
    for (const Activity& activity : activities) {
      records.makespan = std::max(records.makespan, activity.end);
      records.activities.push_back(activity);
    }
  }
  return records;
}

std::vector<LinkUse> links_used(const Platform& platform, const std::vector<DeviceId>& placement,
                                const std::vector<std::vector<Bytes>>& bytes) {
  std::vector<LinkUse> used(platform.links.size());
  for (std::size_t link = 0; link < used.size(); ++link) used[link].link = LinkId(link);
  for (std::size_t from = 0; from < placement.size(); ++from) {
    for (std::size_t to = 0; to < placement.size(); ++to) {
      if (from == to || bytes[from][to] <= Bytes{}) continue;
      for (const LinkId link : route(platform, placement[from], placement[to]).links) {
        used[link.index()].bytes += bytes[from][to];
      }
    }
  }
  return used;
}

}  // namespace orrery
