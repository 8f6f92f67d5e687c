// One synchronous round at one hub: clients are asked, trained and waited for. What the rounds of a server and those of
// the edges of a hierarchy share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "scenarios/federated/co_simulation.hpp"

namespace orrery {

/// Who meets at which hub.
struct CohortPlan {
  ClientRange clients;
  std::size_t wanted = 1;  // updates
  Hub hub;
  std::size_t slot = 0;  // of the hub's weights
};

/// A round begins as soon as min_reports clients are online, and asks over_selection x wanted clients (rounded up), or
/// as many as are online. It ends when `wanted` have reported (the others are recalled as surplus), when the deadline
/// comes (the others are late), or when nobody is under way any more. Fewer than min_reports reports, or than
/// a secure sum needs of the clients asked, are of no use: their trips are `unused`.
class Cohort {
 public:
  struct Result {
    std::vector<std::size_t> clients;  // whose updates count, in ascending order
    std::size_t asked = 0;
    std::int32_t critical_trip = -1;  // as ServerStep's
    double samples = 0;               // trained on by these clients
  };
  using Done = std::function<void(const Result&)>;

  Cohort(CoSimulation& simulation, const CohortPlan& plan);
  Cohort(const Cohort&) = delete;
  Cohort& operator=(const Cohort&) = delete;

  /// Contract: the round before is done. Throws Infeasible naming the round when it cannot begin.
  void start(Done done);
  [[nodiscard]] ClientPool& pool() { return pool_; }

 private:
  void select();
  void wait(std::size_t available);
  void send(const std::vector<std::size_t>& clients);
  void ended(std::size_t trip);
  void recall_rest(TripEnd how);
  void finish(std::int32_t critical_trip);
  [[nodiscard]] std::size_t least_reports() const;

  CoSimulation& simulation_;
  CohortPlan plan_;
  ClientPool pool_;
  Done done_;
  std::size_t attempts_ = 0;
  Seconds asked_at_;  // when this cohort's first attempt was
  // Of the round under way
  std::vector<std::size_t> open_;       // clients asked that have not ended
  std::vector<std::int32_t> reported_;  // trips
  std::size_t asked_ = 0;
  std::int64_t round_ = 0;
  StarNetwork::Handle deadline_;
};

}  // namespace orrery
