#include "analysis/metrics/rounds.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>

namespace orrery {

std::vector<FederatedRound> rounds_of(const Way& way) {
  const std::vector<Seconds>& starts = way.federated.round_starts;
  std::vector<FederatedRound> rounds(starts.empty() ? 0 : starts.size() - 1);
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    rounds[i].begin = starts[i];
    rounds[i].end = starts[i + 1];
    if (i < way.federated.critical_client.size()) rounds[i].critical_client = way.federated.critical_client[i];
  }
  if (rounds.empty()) return rounds;
  for (const Activity& activity : way.records.activities) {
    const auto next = std::upper_bound(starts.begin(), starts.end() - 1, activity.start);
    const auto index = std::max<std::ptrdiff_t>(0, std::distance(starts.begin(), next) - 1);
    rounds[static_cast<std::size_t>(index)].activities.push_back(activity);
  }
  return rounds;
}

StepTime mean_round_time(const Way& way) {
  const std::vector<FederatedRound> rounds = rounds_of(way);
  StepTime sum;
  for (const FederatedRound& round : rounds) {
    std::vector<Activity> path;
    std::copy_if(
        round.activities.begin(), round.activities.end(), std::back_inserter(path), [&](const Activity& activity) {
          const bool critical =
              round.critical_client >= 0 && activity.rank == RankId(static_cast<std::size_t>(round.critical_client));
          return critical || activity.phase == Phase::aggregate;
        });
    sum = sum + attribute_time(path, round.begin, round.end);
  }
  return rounds.empty() ? sum : sum * (1.0 / static_cast<double>(rounds.size()));
}

std::vector<Participation> participations(const FederatedRound& round, RankId server) {
  std::map<RankId, Participation> clients;
  for (const Activity& activity : round.activities) {
    if (activity.rank == server) continue;
    auto [found, fresh] = clients.try_emplace(activity.rank);
    Participation& client = found->second;
    if (fresh) client = {activity.rank, activity.ready, activity.end, {}};
    client.begin = std::min(client.begin, activity.ready);
    client.end = std::max(client.end, activity.end);
    client.activities.push_back(activity);
  }
  std::vector<Participation> list;
  for (auto& [rank, client] : clients) list.push_back(std::move(client));
  return list;
}

}  // namespace orrery
