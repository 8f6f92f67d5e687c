#include "models/layouts/kind_obstacles.hpp"

#include <fmt/format.h>

#include "models/layouts/replica_places.hpp"

namespace orrery {
namespace {

/// A format that one kind has and another has not would be another training on each.
void check_formats(const TrainingJob& job, std::size_t groups, std::vector<std::string>& found) {
  const auto all_have = [&](Precision precision) {
    for (std::size_t i = 0; i < groups; ++i) {
      if (!has_format(job.cluster.group(i), precision)) return false;
    }
    return true;
  };
  std::size_t with = 0, without = 0;
  for (std::size_t i = groups; i-- > 0;) (has_format(job.cluster.group(i), job.precision) ? with : without) = i;
  const bool differ =
      has_format(job.cluster.group(with), job.precision) && !has_format(job.cluster.group(without), job.precision);
  if (!differ) return;
  // bf16 first: it learns as fp32 does, fp16 needs its losses scaled.
  const Precision shared = all_have(Precision::bf16)   ? Precision::bf16
                           : all_have(Precision::fp16) ? Precision::fp16
                                                       : Precision::fp32;
  found.push_back(fmt::format("{} has no {} products, {} has - use {}", job.cluster.group(without).device.id,
                              name_of(job.precision), job.cluster.group(with).device.id, name_of(shared)));
}

void check_balance(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found) {
  Layout apart = layout;  // as if replicas met at the end of the step alone
  apart.ep = 1, apart.zero_stage = 0;
  const ReplicaPlaces places = places_of_replicas(apart, job.cluster);
  if (layout.interleave > 1 && places.stages_differ()) {
    found.push_back(
        fmt::format("interleave {} deals equal chunks, balance speed unequal ones - use interleave 1, or balance equal",
                    layout.interleave));
  }
  if (!places.replicas_differ()) return;
  if (layout.ep > 1) {
    found.push_back(fmt::format(
        "balance speed gives replicas different numbers of micro-batches, but those that share experts (ep {}) meet "
        "in every layer - use ep 1, or balance equal",
        layout.ep));
  }
  if (exchanges_with_microbatches(layout)) {
    found.push_back(fmt::format(
        "balance speed gives replicas different numbers of micro-batches, but zero_stage {} exchanges states with "
        "each - use zero_stage 0 or 1, or balance equal",
        layout.zero_stage));
  }
}

}  // namespace

bool has_format(const NodeGroup& nodes, Precision precision) {
  return nodes.device.peak[static_cast<std::size_t>(precision)] > FlopsPerSecond(0);
}

std::size_t used_groups(const ClusterDescription& cluster, const Layout& layout) {
  return cluster.group_of_device(layout.devices() - 1) + 1;
}

void add_kind_obstacles(const TrainingJob& job, const Layout& layout, std::vector<std::string>& found) {
  const std::size_t groups = used_groups(job.cluster, layout);
  check_formats(job, groups, found);
  for (std::size_t i = 1; i < groups; ++i) {
    const NodeGroup& other = job.cluster.group(i);
    if (other.devices_per_node == job.cluster.devices_per_node) continue;
    found.push_back(
        fmt::format("nodes of {} {} and of {} {}: a layout is numbered over nodes of equal size - use groups of equal "
                    "devices_per_node",
                    job.cluster.devices_per_node, job.cluster.device.id, other.devices_per_node, other.device.id));
    return;
  }
  if (layout.balance == Balance::speed) check_balance(job, layout, found);
}

}  // namespace orrery
