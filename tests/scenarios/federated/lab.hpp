// Federations made by hand, with round numbers: what tests of coordinators share.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "scenarios/way.hpp"
#include "tests/catch.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery::testing {

/// Bytes of the 2NN: 199,210 parameters. Rates of the lab are told in models per second.
inline constexpr double model = 796840;

/// A client: models per second, seconds of training per sample (every client holds ten), latency of its link.
struct LabClient {
  double down = 1, up = 1;
  double per_sample = 0.1;
  double latency = 0;
};

/// The 2NN without learning, ten samples a client, one epoch of one batch. The server's line carries a thousand models
/// a second, its memory ten models: it averages k updates in (k + 1) / 10 seconds. One round.
class FederatedLab {
 public:
  explicit FederatedLab(const std::vector<LabClient>& clients);

  Scenario scenario;
  [[nodiscard]] StrategySpec& strategy() { return scenario.strategies.front(); }
  [[nodiscard]] FederatedOptions& options() { return strategy().federated; }
  [[nodiscard]] ParticipationOptions& participation() { return options().participation; }
  [[nodiscard]] ClientGroup& group(std::size_t client) { return scenario.federation.groups[client]; }

  /// Client c is online in [from, until) of every so many seconds.
  struct Window {
    double from = 0, until = 0;
  };
  void online(std::size_t client, double period, std::initializer_list<Window> windows);
  /// Really learn, on the data set "synthetic".
  void learn(double learning_rate);

  [[nodiscard]] Way run(EngineKind engine = EngineKind::flow) const;

 private:
  std::shared_ptr<ScratchFolder> folder_ = std::make_shared<ScratchFolder>();  // copies read the same files
};

/// To nine digits, or a nanosecond.
Approx about(double seconds);
/// The trip of a client in a round; fails when there is none.
const Trip& trip_of(const Way& way, std::int32_t client, std::int32_t round = 0);
std::size_t count(const Way& way, TripEnd how);
/// What holds for every run: trips' durations sum to their time, steps follow each other without gaps, trips belong to
/// steps.
void check_books(const Way& way);

}  // namespace orrery::testing
