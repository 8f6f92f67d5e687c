#include "analysis/reports/participation.hpp"

#include <fmt/format.h>

#include "sim/base/text.hpp"

namespace orrery {
namespace {

Coordination coordination_of(const ResultRow& row) {
  return entry_of(row.strategy->federated.algorithm.kind).coordination;
}

std::optional<double> mean_reports(const ResultRow& row) {
  const Coordination coordination = coordination_of(row);
  if (!row.federated || row.federated->steps == 0 || coordination == Coordination::asynchronous) return std::nullopt;
  const int rounds = coordination == Coordination::hierarchical ? row.strategy->federated.edge_rounds : 1;
  return static_cast<double>(row.federated->totals.trips.reported) /
         (static_cast<double>(row.federated->steps) * rounds);
}

/// What a round at one server asks for.
std::string least_reports(const ResultRow& row) {
  const FederatedOptions& options = row.strategy->federated;
  if (coordination_of(row) != Coordination::rounds) return {};
  std::string keys = fmt::format("min_reports = {}", options.participation.min_reports);
  if (options.secure) keys += fmt::format(", secure_threshold = {}", number_text(options.secure->threshold));
  return keys;
}

}  // namespace

int wanted_reports(const ResultRow& row) {
  const bool peers = coordination_of(row) == Coordination::gossip;
  return peers ? row.scenario->federation.clients() : row.strategy->federated.participation.clients_per_round;
}

std::optional<double> fewer_reports(const ResultRow& row) {
  constexpr double shown = 0.05;  // less is lost in rounding
  const auto mean = mean_reports(row);
  return mean && *mean < wanted_reports(row) - shown ? mean : std::nullopt;
}

std::string fewer_reports_text(const ResultRow& row) {
  const auto mean = fewer_reports(row);
  return mean ? fmt::format("{:.1f} of {} clients a round counted", *mean, wanted_reports(row)) : std::string{};
}

bool mostly_trained(const ResultRow& row) {
  if (!row.federated) return true;
  return row.federated->totals.trips.reported > 0 && 2 * row.federated->steps_with_reports >= row.federated->steps;
}

std::string lost_rounds_text(const ResultRow& row) {
  if (!row.federated || row.federated->steps_with_reports == row.federated->steps) return {};
  const std::size_t rounds = row.federated->steps, lost = rounds - row.federated->steps_with_reports;
  const std::string least = least_reports(row), name = row.strategy->name;
  if (lost == rounds) {
    const std::string why = least.empty() ? "no client ever reported" : "no round had reports enough (" + least + ")";
    return name + ": " + why + "; the model is as it began";
  }
  return fmt::format("{}: {} of {} rounds had too few reports{} and left the model as it was{}", name, lost, rounds,
                     least.empty() ? "" : " (" + least + ")",
                     mostly_trained(row) ? "" : ": it does not compete for what a training takes");
}

}  // namespace orrery
