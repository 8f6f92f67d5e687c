// Columns of one step (federated: the mean round): time, throughput, traffic.
#include "analysis/reports/column_helpers.hpp"
#include "analysis/reports/shared_figures.hpp"

namespace orrery {
namespace {

using Getter = std::function<Cell(const ResultRow&)>;

Getter part(Seconds StepTime::*which) {
  return simulated([which](const ResultRow& row) { return row.time.*which; });
}

Getter exposed(Dimension dimension) {
  return simulated([dimension](const ResultRow& row) { return row.time.exposed[static_cast<std::size_t>(dimension)]; });
}

Getter share(Seconds (*amount)(const StepTime&)) {
  return simulated([amount](const ResultRow& row) -> std::optional<double> {
    if (row.time.step <= Seconds{}) return std::nullopt;
    return amount(row.time) / row.time.step;
  });
}

Getter rate(std::optional<double> Throughput::*which) {
  return simulated([which](const ResultRow& row) { return row.throughput.*which; });
}

Getter of_range(double Ranged::*end) {
  return simulated([end](const ResultRow& row) -> std::optional<double> {
    const auto range = step_range(row);
    return range ? std::optional((*range).*end) : std::nullopt;
  });
}

std::optional<double> bus_bandwidth_GBps(const ResultRow& row) {
  if (!row.way->layout || row.way->layout->bus.value() <= 0) return std::nullopt;
  return row.way->layout->bus.value() / giga;
}

Getter bytes(Bytes Traffic::*which) {
  return simulated([which](const ResultRow& row) { return row.traffic.*which; });
}

}  // namespace

std::vector<Column> time_columns() {
  const std::string group = "time";
  return {
      {"step_time_s", "s", group,
       "one optimizer step; local-sgd: local_steps of them and an average; federated: one server step, mean; the sum "
       "of "
       "the parts up to input_s",
       part(&StepTime::step)},
      {"compute_s", "s", group, "forward and backward passes on the critical device", part(&StepTime::compute)},
      {"recompute_s", "s", group, "activations computed again", part(&StepTime::recompute)},
      {"optimizer_s", "s", group, "update of the weights; federated: local updates and the server's aggregation",
       part(&StepTime::optimizer)},
      {"comm_exposed_dp_s", "s", group, "gradients or models moving while nothing is computed", exposed(Dimension::dp)},
      {"comm_exposed_tp_s", "s", group, "parts of layers moving while nothing is computed", exposed(Dimension::tp)},
      {"comm_exposed_pp_s", "s", group, "activations between stages moving while nothing is computed",
       exposed(Dimension::pp)},
      {"comm_exposed_cp_s", "s", group, "parts of sequences moving while nothing is computed", exposed(Dimension::cp)},
      {"comm_exposed_ep_s", "s", group, "tokens moving to experts while nothing is computed", exposed(Dimension::ep)},
      {"bubble_s", "s", group,
       "waiting for another device's work, or nothing to do; federated: also evaluation that is charged",
       part(&StepTime::bubble)},
      {"straggler_s", "s", group,
       "waiting at a collective for its last member, random stragglers included; federated: offline, or for a deadline",
       part(&StepTime::straggler)},
      {"input_s", "s", group, "waiting for training data", part(&StepTime::input)},
      {"comm_total_s", "s", group, "bytes moving for the critical device, hidden behind compute or not",
       part(&StepTime::communication)},
      {"comm_exposed_fraction", "1", group, "share of the step in which data moves and nothing is computed",
       share([](const StepTime& time) { return time.exposed_total(); })},
      {"bubble_fraction", "1", group, "bubble_s / step_time_s",
       share([](const StepTime& time) { return time.bubble; })},
      {"step_time_low_s", "s", group, "hybrid: the step with all constants' ranges, added in squares: low end",
       of_range(&Ranged::low)},
      {"step_time_high_s", "s", group, "the same: high end", of_range(&Ranged::high)},
  };
}

std::vector<Column> throughput_columns() {
  const std::string group = "throughput";
  return {
      {"samples_per_s", "1/s", group, "samples trained on per second",
       simulated([](const ResultRow& row) { return row.throughput.samples_per_s; })},
      {"tokens_per_s", "1/s", group, "tokens trained on per second, for networks of sequences",
       rate(&Throughput::tokens_per_s)},
      {"model_TFLOPS_per_device", "TFLOP/s", group, "forward and backward FLOPs of the model per second and device",
       rate(&Throughput::model_TFLOPS_per_device)},
      {"mfu", "1", group,
       "model FLOPs utilisation: of the devices' peak at this precision, without recomputation, attention counted "
       "whole",
       rate(&Throughput::mfu)},
      {"hfu", "1", group,
       "hardware FLOPs utilisation: every FLOP executed, recomputation included, half of causal attention where its "
       "kernel is fused",
       rate(&Throughput::hfu)},
      {"scaling_efficiency", "1", group, "samples per second and device over the reference's, on the same device",
       rate(&Throughput::scaling_efficiency)},
  };
}

std::vector<Column> traffic_columns() {
  const std::string group = "traffic";
  return {
      {"bytes_sent_per_device", "bytes", group, "sent by one device in a step, mean; federated: by a client on a trip",
       simulated([](const ResultRow& row) { return row.bytes_per_device; })},
      {"bus_bandwidth_GBps", "GB/s", group, "hybrid: bus bandwidth that the exchange of gradients reaches when alone",
       simulated([](const ResultRow& row) { return bus_bandwidth_GBps(row); })},
      {"bytes_intra_node", "bytes", group, "of a step's messages that stay in their node, each counted once",
       bytes(&Traffic::intra_node)},
      {"bytes_inter_node", "bytes", group, "of a step's messages between nodes of one site, each counted once",
       bytes(&Traffic::inter_node)},
      {"bytes_wan", "bytes", group, "of a step's messages over wide-area links, each counted once",
       bytes(&Traffic::wan)},
      {"bottleneck_link", "", group, "link that is in use for the longest time; federated: of the shared ones",
       simulated([](const ResultRow& row) { return std::string_view(row.bottleneck.link); })},
      {"bottleneck_utilisation", "1", group, "bytes that crossed it over what it could have carried meanwhile",
       simulated([](const ResultRow& row) -> std::optional<double> {
         // Without sharing a link carries more than it can: no figure.
         if (row.bottleneck.link.empty() || row.scenario->engine == EngineKind::closed_form) return std::nullopt;
         return row.bottleneck.utilisation;
       })},
  };
}

}  // namespace orrery
