// How a communication library (NCCL and its kin) uses a fabric: constants as rows of topologies/catalogue/
// fabric_laws.csv (link, constant, value, low, high, source), of links inside a node and of network links.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/base/constants_csv.hpp"
#include "sim/base/ranged.hpp"
#include "topologies/catalogue.hpp"
#include "topologies/law_rows.hpp"

namespace orrery {

struct FabricLaw {
  std::string link;  // id, or the default row it was taken from
  bool measured = false;
  Ranged bus_GBps;              // plateau of the bus bandwidth of a ring on it, per device (network: of one NIC)
  Ranged in_network_GBps;       // the same of an all-reduce whose sums the switch makes (NVLS, SHARP); 0: it makes none
  double in_network_ranks = 0;  // fewer ranks than this do not use it
  Ranged base_us;               // of one collective, whatever its size
  Ranged hop_us;                // per step of a ring or level of a tree
  Ranged small_hop_us;          // the same of the protocol for small messages (LL); 0: it has none
  Ranged fill_us, fill_MB;      // medium messages lose fill_us x (1 - exp(-wire bytes / fill_MB))
  Ranged small_ring_loss;       // plateau x (1 - loss / ranks)
  /// Plateau of a ring of so many ranks where the wiring decides and not a rule (hybrid cube mesh); 0: bus_GBps.
  Ranged bus_of_2_GBps, bus_of_3_GBps, bus_of_4_GBps, bus_of_5_GBps, bus_of_6_GBps, bus_of_7_GBps;
};

struct FabricConstant {
  std::string_view name;
  Ranged FabricLaw::*member;
  std::string_view meaning;
  ConstantLimits limits = {};
};
const std::vector<FabricConstant>& fabric_constants();
/// These, and the others that a row may give.
std::vector<NamedConstant> all_fabric_constants();

/// Rows of links, and defaults named `default:<kind>` and `default`. Beside fabric_constants() a row may give
/// `in_network_ranks`; `bus_share`, in the place of bus_GBps: the plateau = that x the link's bandwidth; and
/// `hop_of_latency`, in the place of hop_us: a hop = that x the link's latency.
class FabricLaws : public LawRows<FabricLaws> {
 public:
  static constexpr auto kind = "link", shipped = "fabric_laws.csv";
  static std::vector<NamedConstant> constants() { return all_fabric_constants(); }
  /// The link's own constants over the defaults of its kind, those over the defaults of all; the plateau of a link that
  /// no row speaks of is bandwidth x efficiency.
  [[nodiscard]] FabricLaw of(const Link& link) const;
  /// The rows that `of` reads, at most one per constant.
  [[nodiscard]] std::vector<ConstantRow> rows_of(const Link& link) const;
};

}  // namespace orrery
