// Links of published rows: inside the node, and of the network with the NICs of a node.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

struct FabricName {
  std::string place, words, link, kind, assumed;  // columns of fabric_names.csv
};

/// A link of the catalogue, its rate as the text has it. `scale`: that rate / the catalogue's.
struct NamedLink {
  std::optional<Link> link;  // nothing: see `assumed`
  double scale = 1;
  int nics = 1;  // network: of one node
  std::string assumed;
};

/// Reads fabric_names.csv; a link that the catalogue does not have is a problem.
std::vector<FabricName> read_fabric_names(const Catalogue& catalogue, Problems& problems);

class Fabrics {
 public:
  Fabrics(const Catalogue& catalogue, std::vector<FabricName> names);

  /// "NVLink3+NVSwitch 600GB/s", in GB/s of both directions together; no text: the usual system of the device, else the
  /// device's own link. `node_GBps` of the device's name, where it has one, goes before the text's rate.
  [[nodiscard]] NamedLink in_node(std::string_view text, const Device& device, double node_GBps) const;
  /// "8x HDR IB 200Gb/s per node", "25 Gb/s RoCE per node", in bits per direction. A rate "per node" beyond what one
  /// NIC has is spread over a NIC per device; a text without a number of NICs has one. No text: the usual system of the
  /// device.
  [[nodiscard]] NamedLink network(std::string_view text, const Device& device, int devices_per_node) const;
  /// The system of the catalogue that such devices usually stand in: the first that has several per node, else the
  /// first that has them; null when there is none.
  [[nodiscard]] const System* usual_system(const Device& device) const;

 private:
  struct Nics;
  [[nodiscard]] Nics nics_of(std::string_view text, const FabricName* name, const Device& device,
                             int devices_per_node) const;
  [[nodiscard]] const FabricName* name_of(std::string_view place, std::string_view text) const;
  [[nodiscard]] const Link* nearest(const std::string& kind, double bytes_per_second) const;
  [[nodiscard]] NamedLink usual_network(const Device& device, int devices_per_node) const;
  [[nodiscard]] NamedLink usual_node(const Device& device) const;

  const Catalogue* catalogue_;
  std::vector<FabricName> names_;
};

}  // namespace orrery
