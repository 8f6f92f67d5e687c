// Columns of the whole training: memory, budget, learning.
#include "analysis/reports/column_helpers.hpp"

namespace orrery {
namespace {

using Getter = std::function<Cell(const ResultRow&)>;

bool memory_known(const ResultRow& row) {
  return row.way->memory.peak() > Bytes{};
}

Getter gibibytes(Bytes (*amount)(const Way&)) {
  return [amount](const ResultRow& row) -> Cell {
    if (!memory_known(row)) return {};
    return amount(*row.way).value() / gibi;
  };
}

Cell fits(const ResultRow& row) {
  if (row.way->status == WayStatus::failed || (!memory_known(row) && row.way->fits)) return {};
  return row.way->fits;
}

template <class Value>
Getter of_budget(std::optional<Value> Budget::*which) {
  return simulated([which](const ResultRow& row) { return row.budget.*which; });
}

Getter joules(Joules (*amount)(const EnergyParts&)) {
  return simulated([amount](const ResultRow& row) -> std::optional<Joules> {
    if (!row.budget.energy) return std::nullopt;
    return amount(*row.budget.energy);
  });
}

Cell capacity(const ResultRow& row) {
  return row.way->capacity > Bytes{} ? Cell{row.way->capacity.value() / gibi} : Cell{};
}

std::string curve_source(const Way& way) {
  return way.curve_source == CurveSource::shared ? "shared with central learning"
                                                 : std::string(name_of(way.curve_source));
}

std::optional<double> if_positive(double number) {
  return number > 0 ? std::optional(number) : std::nullopt;
}

}  // namespace

std::vector<Column> memory_columns() {
  const std::string group = "memory";
  return {
      {"memory_weights_GiB", "GiB", group, "weights on the fullest device",
       gibibytes([](const Way& way) { return way.memory.weights; })},
      {"memory_gradients_GiB", "GiB", group, "gradients on the fullest device",
       gibibytes([](const Way& way) { return way.memory.gradients; })},
      {"memory_optimizer_GiB", "GiB", group, "optimizer state on the fullest device, master weights included",
       gibibytes([](const Way& way) { return way.memory.optimizer; })},
      {"memory_activations_GiB", "GiB", group, "activations kept for the backward pass on the fullest device",
       gibibytes([](const Way& way) { return way.memory.activations; })},
      {"memory_working_GiB", "GiB", group,
       "priced by operators: gradients of logits (hybrid: or the block at work, gathered weights), and the framework's "
       "own",
       gibibytes([](const Way& way) { return way.memory.working; })},
      {"memory_peak_GiB", "GiB", group, "sum of the five", gibibytes([](const Way& way) { return way.memory.peak(); })},
      {"memory_capacity_GiB", "GiB", group, "memory of the device; federated: of the smallest client", capacity},
      {"fits", "", group, "whether the peak is within the capacity", fits, true},
  };
}

std::vector<Column> budget_columns() {
  const std::string group = "budget";
  return {
      {"data_transfer_s", "s", group, "moving the training data from the clients to the cluster, before the first step",
       simulated([](const ResultRow& row) { return row.way->data_transfer.time; })},
      {"data_transfer_bytes", "bytes", group, "bytes of that move",
       simulated([](const ResultRow& row) { return row.way->data_transfer.bytes; })},
      {"steps", "count", group,
       "optimizer steps of the training; federated: server steps; as asked, or until the target",
       simulated([](const ResultRow& row) { return if_positive(row.way->steps); })},
      {"time_to_train_s", "s", group, "data transfer and all steps", of_budget(&Budget::time)},
      {"bytes_to_train", "bytes", group, "data transfer and the messages of all steps", of_budget(&Budget::bytes)},
      {"device_hours", "h", group,
       "devices kept x time of all steps; federated: time that clients were online on a trip, summed",
       of_budget(&Budget::device_hours)},
      {"step_energy_J", "J", group, "one step, PUE included; federated: one server step, mean",
       simulated([](const ResultRow& row) -> std::optional<Joules> {
         if (!row.step_energy) return std::nullopt;
         return row.step_energy->total();
       })},
      {"energy_source", "", group,
       "device model (the catalogue's powers x the times), or rapl (counted by the processors while measured, all of "
       "it as "
       "compute)",
       simulated([](const ResultRow& row) { return row.energy_source; })},
      {"energy_J", "J", group, "the three parts of the whole training, PUE included",
       joules([](const EnergyParts& parts) { return parts.total(); })},
      {"energy_compute_J", "J", group,
       "devices computing, and the rest of their nodes meanwhile; federated: clients and server",
       joules([](const EnergyParts& parts) { return parts.compute; })},
      {"energy_communication_J", "J", group,
       "devices blocked in communication, links in use, wide-area network; federated: download, upload and network",
       joules([](const EnergyParts& parts) { return parts.communication; })},
      {"energy_idle_J", "J", group,
       "devices, nodes and links standing by; federated: clients waiting, server and its line standing by",
       joules([](const EnergyParts& parts) { return parts.idle; })},
      {"emissions_kgCO2e", "kg", group,
       "energy x grid intensity, clients with a grid of their own by that; blank where a joule's grid is unknown",
       of_budget(&Budget::emissions_kg)},
      {"cost", "currency", group, "device-hours x price + electricity; federated: electricity alone",
       of_budget(&Budget::cost)},
      {"currency", "", group, "of cost",
       [](const ResultRow& row) { return row.budget.cost ? to_cell(row.budget.currency) : Cell{}; }},
  };
}

std::vector<Column> learning_columns() {
  const std::string group = "learning";
  return {
      {"rounds", "count", group, "server steps of a co-simulated way: rounds where they are synchronous",
       simulated([](const ResultRow& row) { return row.cosimulated() ? if_positive(row.way->steps) : std::nullopt; })},
      {"final_accuracy", "1", group, "on the test set, at the last evaluation",
       [](const ResultRow& row) { return row.curve.empty() ? Cell{} : Cell{row.curve.back().point.accuracy}; }},
      {"curve_source", "", group,
       "own: learned by this way; shared with central learning: synchronous splitting does not change the mathematics",
       simulated([](const ResultRow& row) { return curve_source(*row.way); })},
  };
}

}  // namespace orrery
