#include <fmt/format.h>

#include <algorithm>

#include "analysis/validation/measured/row_case.hpp"

namespace orrery {
namespace {

constexpr std::int64_t usual_devices_per_node = 8;

/// Plateaus follow the rate that the text names.
FabricLaw law_of(const FabricLaws& laws, const NamedLink& named, const Catalogue& catalogue) {
  FabricLaw law = laws.of(*catalogue.link(named.link->id));
  for (Ranged* plateau : {&law.bus_GBps, &law.in_network_GBps}) {
    *plateau = Ranged(plateau->value * named.scale, plateau->low * named.scale, plateau->high * named.scale);
  }
  return law;
}

std::int64_t devices_per_node(RowCase& target, const MeasuredRow& row, std::int64_t devices, const System* usual) {
  if (row.devices_per_node) return *row.devices_per_node;
  // The links between chips of a pod are those inside a board.
  if (target.job.cluster.device.kind == "tpu" && row.inter_link.empty()) return devices;
  const std::int64_t assumed = usual != nullptr ? usual->devices_per_node : usual_devices_per_node;
  if (devices > 1) target.assumed.push_back(fmt::format("{} devices per node", std::min(assumed, devices)));
  return assumed;
}

/// By its name, and where that leaves it open by how many of them a node has.
NamedDevice device_of(const MeasuredRow& row, const ValidationTables& tables) {
  if (row.devices_per_node && tables.catalogue.device(row.device) == nullptr) {
    const std::string text = fmt::format("{}, node {}", row.device, *row.devices_per_node);
    NamedDevice named = find_device(text, tables.devices, tables.catalogue);
    if (named.device != nullptr) return named;
  }
  return find_device(row.device, tables.devices, tables.catalogue);
}

/// Jobs of powers of two on racks of 72 (NVL72) take 64 of each.
std::int64_t used_of_node(RowCase& target, std::int64_t whole_node, std::int64_t devices) {
  std::int64_t used = std::min(whole_node, devices);
  while (devices % used != 0) --used;
  if (2 * used <= std::min(whole_node, devices)) {
    throw RowSkipped(fmt::format("{} devices do not fill nodes of {}", devices, whole_node));
  }
  if (used < std::min(whole_node, devices)) {
    target.assumed.push_back(fmt::format("{} of the {} devices of a node", used, whole_node));
  }
  return used;
}

void assume(RowCase& target, const NamedLink& named) {
  if (!named.assumed.empty()) target.assumed.push_back(named.assumed);
}

}  // namespace

void set_cluster(RowCase& target, const MeasuredRow& row, std::int64_t devices, const ValidationTables& tables) {
  const NamedDevice named = device_of(row, tables);
  if (named.device == nullptr) throw RowSkipped(named.assumed);
  if (!named.assumed.empty()) target.assumed.push_back(fmt::format("device {}: {}", named.device->id, named.assumed));
  const Fabrics fabrics(tables.catalogue, tables.fabrics);
  ClusterDescription& cluster = target.job.cluster;
  cluster.device = *named.device;
  target.job.device_law = tables.device_laws.of(cluster.device);
  const std::int64_t whole_node = devices_per_node(target, row, devices, fabrics.usual_system(cluster.device));
  const std::int64_t per_node = used_of_node(target, whole_node, devices);
  cluster.devices_per_node = static_cast<int>(per_node);
  cluster.nodes = static_cast<int>(devices / per_node);
  if (per_node > 1) {
    const NamedLink link = fabrics.in_node(row.intra_link, cluster.device, named.node_GBps);
    if (!link.link) throw RowSkipped(link.assumed);
    assume(target, link);
    cluster.node_link = link.link;
    target.job.node_law = law_of(tables.fabric_laws, link, tables.catalogue);
  }
  if (cluster.nodes == 1) return;
  const NamedLink link = fabrics.network(row.inter_link, cluster.device, static_cast<int>(whole_node));
  if (!link.link) throw RowSkipped(link.assumed);
  assume(target, link);
  cluster.network_link = link.link;
  cluster.nics_per_node = link.nics;
  target.job.network_law = law_of(tables.fabric_laws, link, tables.catalogue);
}

}  // namespace orrery
