#include "scenarios/measure/federated_obstacle.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/federated/selection.hpp"

namespace orrery {

std::string obstacle_to_measuring(const Scenario& scenario, const StrategySpec& strategy) {
  const FederatedOptions& options = strategy.federated;
  const ParticipationOptions& participation = options.participation;
  if (scenario.workload.dataset.empty()) return "clients need a data set to train on, the workload has none";
  if (strategy.precision != Precision::fp32) {
    return "precision is not executed here but in fp32: messages are float32";
  }
  if (options.algorithm.kind != AlgorithmKind::fedavg) {
    return fmt::format("algorithm = \"{}\" is simulated only - choose fedavg", entry_of(options.algorithm.kind).name);
  }
  if (participation.selection != Selection::random && participation.selection != Selection::round_robin) {
    return fmt::format(
        "selection = \"{}\" goes by what only the simulation has (expected times and joules, losses) - choose random "
        "or round-robin",
        entry_of(participation.selection).name);
  }
  const auto& groups = scenario.federation.groups;
  const auto comes_and_goes = [](const ClientGroup& group) {
    return group.availability.kind != AvailabilityKind::always;
  };
  if (std::any_of(groups.begin(), groups.end(), comes_and_goes)) {
    return "clients that go offline are simulated only - choose availability = \"always\"";
  }
  if (participation.over_selection > 1.0 || participation.deadline > Seconds{}) {
    return "over-selection and deadlines are simulated only: every client that is asked is waited for";
  }
  if (options.compression.kind != CompressionKind::none || options.privacy.kind != PrivacyKind::none ||
      options.secure || !options.personal_layers.empty()) {
    return "compression, privacy, secure aggregation and personal layers are simulated only: updates travel as they "
           "are";
  }
  return {};
}

}  // namespace orrery
