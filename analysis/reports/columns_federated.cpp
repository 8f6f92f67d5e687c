// Columns of co-simulated ways (federated, asynchronous): who took part, what was sent in vain, joules by part; and
// what the target accuracy took, for every way.
#include "analysis/reports/column_helpers.hpp"

namespace orrery {
namespace {

using Getter = std::function<Cell(const ResultRow&)>;

/// Of a co-simulated run; blank for other ways.
template <class Get>
Getter of_run(Get get) {
  return [get](const ResultRow& row) { return row.federated ? to_cell(get(*row.federated)) : Cell{}; };
}

Getter per_step(std::int64_t TripCounts::*which) {
  return of_run([which](const FederatedFigures& run) -> std::optional<double> {
    if (run.steps == 0) return std::nullopt;
    return static_cast<double>(run.totals.trips.*which) / static_cast<double>(run.steps);
  });
}

Getter joules(Joules (*amount)(const FederatedTotals&)) {
  return of_run([amount](const FederatedFigures& run) {
    return run.has_energy ? std::optional(amount(run.totals)) : std::nullopt;
  });
}

std::optional<double> staleness_mean(const FederatedFigures& run) {
  const auto reports = static_cast<double>(run.totals.trips.reported);
  return reports > 0 ? std::optional(static_cast<double>(run.totals.staleness) / reports) : std::nullopt;
}

std::optional<double> epsilon(const ResultRow& row) {
  return row.curve.empty() ? std::nullopt : row.curve.back().point.epsilon;
}

template <class Get>
Getter at_target(Get get) {
  return [get](const ResultRow& row) { return row.at_target ? to_cell(get(*row.at_target)) : Cell{}; };
}

std::optional<Joules> energy_spent(const CurveEntry& at) {
  return at.spent.energy ? std::optional(at.spent.energy->total()) : std::nullopt;
}

Getter over_seeds(std::optional<Spread> SeedFigures::*which, double Spread::*figure) {
  return [which, figure](const ResultRow& row) {
    const std::optional<Spread>& spread = row.seeds.*which;
    return spread ? to_cell((*spread).*figure) : Cell{};
  };
}

}  // namespace

std::vector<Column> federation_columns() {
  const std::string group = "federation";
  return {
      {"client_trips", "count", group, "times that a client was sent to work (download, training, upload), in all",
       of_run([](const FederatedFigures& run) { return run.totals.trips.selected; })},
      {"clients_selected", "count", group, "trips per server step, mean", per_step(&TripCounts::selected)},
      {"clients_completed", "count", group, "of these: reported, and went into the model",
       per_step(&TripCounts::reported)},
      {"clients_dropped", "count", group, "of these: went offline and gave up", per_step(&TripCounts::dropped)},
      {"clients_late", "count", group, "of these: cut off by the deadline", per_step(&TripCounts::late)},
      {"clients_surplus", "count", group, "of these: not needed any more, enough others had reported",
       per_step(&TripCounts::surplus)},
      {"clients_unused", "count", group, "of these: under way when the run ended, or no step ever took the report",
       per_step(&TripCounts::unused)},
      {"bytes_down", "bytes", group, "received by clients over the whole run",
       of_run([](const FederatedFigures& run) { return run.totals.down; })},
      {"bytes_up", "bytes", group, "sent by clients over the whole run",
       of_run([](const FederatedFigures& run) { return run.totals.up; })},
      {"bytes_wasted", "bytes", group,
       "of both: on trips that did not report, and what was sent again because a transfer started anew",
       of_run([](const FederatedFigures& run) { return run.totals.wasted; })},
      {"staleness_mean", "count", group, "server steps between download and report, mean over the reports",
       of_run(staleness_mean)},
      {"staleness_max", "count", group, "the same, of the most stale report",
       of_run([](const FederatedFigures& run) { return run.staleness_max; })},
      {"energy_client_compute_J", "J", group, "clients computing",
       joules([](const FederatedTotals& totals) { return totals.energy().client_compute; })},
      {"energy_upload_J", "J", group, "clients while they send: idle power and radio",
       joules([](const FederatedTotals& totals) { return totals.energy().upload; })},
      {"energy_download_J", "J", group,
       "clients while they receive: idle power and radio; gossip's radio: what receiving adds to sending",
       joules([](const FederatedTotals& totals) { return totals.energy().download; })},
      {"energy_client_idle_J", "J", group,
       "clients waiting for others on a trip; between trips they are charged nothing",
       joules([](const FederatedTotals& totals) { return totals.energy().client_idle; })},
      {"energy_network_J", "J", group, "clients' access lines or ports, and the wide area between them and the server",
       joules([](const FederatedTotals& totals) { return totals.energy().network; })},
      {"energy_server_J", "J", group, "server and edges with their lines, PUE included",
       joules([](const FederatedTotals& totals) { return totals.energy().server(); })},
      {"energy_wasted_J", "J", group,
       "of clients and network: on trips that did not report, and for bytes that were sent again (their share, by "
       "bytes, of the download's and upload's time)",
       joules([](const FederatedTotals& totals) { return totals.wasted_energy.total(); })},
      {"waste_fraction", "1", group,
       "energy_wasted_J over the joules of clients and network (the five parts before energy_server_J)",
       of_run([](const FederatedFigures& run) { return run.waste_share(); })},
      {"epsilon", "1", group, "differential privacy spent at the last evaluation, by [strategy] delta",
       [](const ResultRow& row) { return to_cell(epsilon(row)); }},
  };
}

std::vector<Column> target_columns() {
  const std::string group = "target";
  return {
      {"time_to_accuracy_s", "s", group, "until the target accuracy, data transfer included",
       at_target([](const CurveEntry& at) { return at.point.time; })},
      {"rounds_to_accuracy", "count", group, "optimizer steps until then; co-simulated: server steps",
       at_target([](const CurveEntry& at) { return at.point.round; })},
      {"bytes_to_accuracy", "bytes", group, "sent until then, data transfer included",
       at_target([](const CurveEntry& at) { return at.point.bytes; })},
      {"energy_to_accuracy_J", "J", group, "spent until then, data transfer included", at_target(energy_spent)},
      {"emissions_to_accuracy", "kg", group, "kgCO2e until then",
       at_target([](const CurveEntry& at) { return at.spent.emissions_kg; })},
      {"cost_to_accuracy", "currency", group, "spent until then",
       at_target([](const CurveEntry& at) { return at.spent.cost; })},
  };
}

std::vector<Column> seed_columns() {
  const std::string group = "seeds";
  const std::string spread = ", over the seeds; blank for one seed or when one of them did not get there";
  using F = SeedFigures;
  return {
      {"seeds", "count", group, "repetitions with other seeds; all other columns are of the first",
       [](const ResultRow& row) { return Cell{static_cast<std::int64_t>(row.seeds.count)}; }},
      {"seeds_reached", "count", group, "seeds that reached the target accuracy; blank without a target or learning",
       [](const ResultRow& row) {
         const auto reached = row.seeds.reached;
         return reached ? Cell{static_cast<std::int64_t>(*reached)} : Cell{};
       }},
      {"time_to_train_mean_s", "s", group, "mean" + spread, over_seeds(&F::time_to_train_s, &Spread::mean)},
      {"time_to_train_sd_s", "s", group, "standard deviation of a sample" + spread,
       over_seeds(&F::time_to_train_s, &Spread::sd)},
      {"energy_mean_J", "J", group, "mean" + spread, over_seeds(&F::energy_J, &Spread::mean)},
      {"energy_sd_J", "J", group, "standard deviation of a sample" + spread, over_seeds(&F::energy_J, &Spread::sd)},
      {"final_accuracy_mean", "1", group, "mean" + spread, over_seeds(&F::final_accuracy, &Spread::mean)},
      {"final_accuracy_sd", "1", group, "standard deviation of a sample" + spread,
       over_seeds(&F::final_accuracy, &Spread::sd)},
      {"time_to_accuracy_mean_s", "s", group, "mean" + spread, over_seeds(&F::time_to_accuracy_s, &Spread::mean)},
      {"time_to_accuracy_sd_s", "s", group, "standard deviation of a sample" + spread,
       over_seeds(&F::time_to_accuracy_s, &Spread::sd)},
      {"rounds_to_accuracy_mean", "count", group, "mean" + spread, over_seeds(&F::rounds_to_accuracy, &Spread::mean)},
      {"rounds_to_accuracy_sd", "count", group, "standard deviation of a sample" + spread,
       over_seeds(&F::rounds_to_accuracy, &Spread::sd)},
      {"energy_to_accuracy_mean_J", "J", group, "mean" + spread, over_seeds(&F::energy_to_accuracy_J, &Spread::mean)},
      {"energy_to_accuracy_sd_J", "J", group, "standard deviation of a sample" + spread,
       over_seeds(&F::energy_to_accuracy_J, &Spread::sd)},
  };
}

}  // namespace orrery
