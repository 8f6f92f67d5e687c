// A federated run cut in its rounds.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/metrics/step_time.hpp"
#include "scenarios/way.hpp"

namespace orrery {

struct FederatedRound {
  Seconds begin, end;
  std::int32_t critical_client = -1;  // -1: nobody reported
  std::vector<Activity> activities;   // that started in it, in the order of the records
};

/// One entry per round; an activity belongs to the round in which it started.
std::vector<FederatedRound> rounds_of(const Way& way);

/// Mean over the rounds, each on its critical client (the one whose report ended it): its computing, its transfers
/// (exposed, dp), the server's averaging (optimizer), and the rest (bubble).
StepTime mean_round_time(const Way& way);

/// Client-seconds: for every round and client that took part in it, from its first to its last activity.
/// The `server` rank is left out.
struct Participation {
  RankId client;
  Seconds begin, end;
  std::vector<Activity> activities;
};
std::vector<Participation> participations(const FederatedRound& round, RankId server);

}  // namespace orrery
