#include "topologies/fabric_law.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace orrery {
namespace {

constexpr std::string_view in_network_ranks = "in_network_ranks";
constexpr std::string_view bus_share = "bus_share";
constexpr std::string_view hop_of_latency = "hop_of_latency";

/// Assumed: between four fifths of bandwidth x efficiency and a tenth above it, never above the bandwidth.
Ranged unmeasured_plateau(double bandwidth, double efficiency) {
  const double plateau = bandwidth * efficiency;
  return {plateau, 0.8 * plateau, std::min(bandwidth, 1.1 * plateau)};
}

/// Names that say the same thing: the nearest owner that uses one of them decides.
std::string_view other_name(std::string_view constant) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> pairs{
      {{"bus_GBps", bus_share}, {"hop_us", hop_of_latency}}};
  for (const auto& [one, other] : pairs) {
    if (constant == one) return other;
    if (constant == other) return one;
  }
  return constant;
}

bool already_said(const std::vector<ConstantRow>& rows, std::string_view constant) {
  const auto says = [constant](const ConstantRow& row) {
    return row.constant == constant || row.constant == other_name(constant);
  };
  return std::any_of(rows.begin(), rows.end(), says);
}

}  // namespace

const std::vector<FabricConstant>& fabric_constants() {
  static const std::vector<FabricConstant> constants = {
      {"bus_GBps", &FabricLaw::bus_GBps, "plateau of the bus bandwidth of a ring, per device (network: per NIC), GB/s"},
      {"in_network_GBps", &FabricLaw::in_network_GBps, "plateau of all-reduces summed in the switch, GB/s; 0: none"},
      {"base_us", &FabricLaw::base_us, "of one collective, whatever its size, us"},
      {"hop_us", &FabricLaw::hop_us, "per step of a ring or level of a tree, us"},
      {"small_hop_us", &FabricLaw::small_hop_us, "of the protocol for small messages, us (0: none)"},
      {"fill_us", &FabricLaw::fill_us, "medium messages lose fill_us x (1 - exp(-wire bytes / fill_MB)), us"},
      {"fill_MB", &FabricLaw::fill_MB, "wire bytes at which 63 % of fill_us are lost, MB"},
      {"small_ring_loss", &FabricLaw::small_ring_loss, "the plateau is multiplied by 1 - loss / ranks", {1.99}},
      {"bus_of_2_GBps", &FabricLaw::bus_of_2_GBps, "plateau of a ring of 2 ranks; 0: bus_GBps"},
      {"bus_of_3_GBps", &FabricLaw::bus_of_3_GBps, "plateau of a ring of 3 ranks; 0: bus_GBps"},
      {"bus_of_4_GBps", &FabricLaw::bus_of_4_GBps, "plateau of a ring of 4 ranks; 0: bus_GBps"},
      {"bus_of_5_GBps", &FabricLaw::bus_of_5_GBps, "plateau of a ring of 5 ranks; 0: bus_GBps"},
      {"bus_of_6_GBps", &FabricLaw::bus_of_6_GBps, "plateau of a ring of 6 ranks; 0: bus_GBps"},
      {"bus_of_7_GBps", &FabricLaw::bus_of_7_GBps, "plateau of a ring of 7 ranks; 0: bus_GBps"},
  };
  return constants;
}

std::vector<NamedConstant> all_fabric_constants() {
  std::vector<NamedConstant> constants = named_constants(fabric_constants());
  constants.push_back({std::string(in_network_ranks)});
  constants.push_back({std::string(bus_share), divisor_limits});
  constants.push_back({std::string(hop_of_latency)});
  return constants;
}

std::vector<ConstantRow> FabricLaws::rows_of(const Link& link) const {
  const std::array<std::string, 3> owners{link.id, "default:" + link.kind, "default"};
  std::vector<ConstantRow> chosen;
  for (const std::string& owner : owners) {
    for (const NamedConstant& constant : all_fabric_constants()) {
      const ConstantRow* row = find_constant(rows(), owner, constant.name);
      if (row != nullptr && !already_said(chosen, constant.name)) chosen.push_back(*row);
    }
  }
  return chosen;
}

FabricLaw FabricLaws::of(const Link& link) const {
  FabricLaw law;
  law.link = link.id;
  const double bandwidth = link.down.value() / giga;
  law.bus_GBps = unmeasured_plateau(bandwidth, link.efficiency);
  for (const ConstantRow& row : rows_of(link)) {
    set_constant(law, fabric_constants(), row);
    if (row.constant == in_network_ranks) law.in_network_ranks = row.value.value;
    if (row.constant == hop_of_latency) law.hop_us = row.value * (link.latency.value() / micro);
    if (row.constant == bus_share) law.bus_GBps = row.value * bandwidth;
    if (row.constant != bus_share && row.constant != "bus_GBps") continue;
    law.link = row.owner;
    law.measured = row.owner == link.id && !row.assumed();
  }
  return law;
}

}  // namespace orrery
