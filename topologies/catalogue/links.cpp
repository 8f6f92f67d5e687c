#include <utility>

#include "sim/base/csv.hpp"
#include "topologies/catalogue/files.hpp"
#include "topologies/catalogue/rows.hpp"

namespace orrery {
namespace {

const std::vector<std::string>& columns() {
  static const std::vector<std::string> names{"id",
                                              "name",
                                              "kind",
                                              "bandwidth_GBps",
                                              "bandwidth_up_GBps",
                                              "latency_us",
                                              "latency_stack",
                                              "efficiency",
                                              "efficiency_basis",
                                              "host_bridge_GBps",
                                              "switch_port_W",
                                              "nic_W",
                                              "optics_W",
                                              "client_active_W",
                                              "radio",
                                              "energy_pJ_per_bit",
                                              "source",
                                              "assumed",
                                              "notes"};
  return names;
}

const std::vector<std::string> kinds{"nvlink",     "nvswitch", "xgmi",     "socket", "pcie",     "usb", "ici",
                                     "infiniband", "roce",     "ethernet", "wifi",   "cellular", "wan"};

Link read_link(CsvRow& row, UniqueIds& ids, const Catalogue& known) {
  Link link;
  link.id = ids.take(row);
  link.name = row.required_text("name");
  link.kind = one_of(row, "kind", kinds);
  link.down = BytesPerSecond(number_above_zero(row, "bandwidth_GBps") * giga);
  link.up = row.text("bandwidth_up_GBps").empty() ? link.down
                                                  : BytesPerSecond(number_above_zero(row, "bandwidth_up_GBps") * giga);
  link.latency = Seconds(number_above_zero(row, "latency_us") * micro);
  link.latency_stack = row.required_text("latency_stack");
  link.efficiency = share(row, "efficiency");
  row.required_text("efficiency_basis");
  link.host_bridge = BytesPerSecond(number_or_zero(row, "host_bridge_GBps") * giga);
  if (link.host_bridge.value() > 0 && link.kind != "pcie") {
    row.problem("host_bridge_GBps", "only a PCIe link has a root complex", "the kind is " + link.kind,
                "leave the cell empty");
  }
  const Watts switch_and_optics(number_or_zero(row, "switch_port_W") + number_or_zero(row, "optics_W"));
  link.trunk = switch_and_optics;
  link.port = switch_and_optics + Watts(number_or_zero(row, "nic_W"));
  link.client_active = Watts(number_or_zero(row, "client_active_W"));
  if (const Radio* radio = known.radio(reference(row, "radio", ids_of(known.radios), "radio"))) link.radio = *radio;
  link.energy_pJ_per_bit = number_or_zero(row, "energy_pJ_per_bit");
  read_provenance(row, &known.sources, columns(), link);
  return link;
}

}  // namespace

std::vector<Link> read_links(const std::string& path, const Catalogue& known, Problems& problems) {
  CsvTable table = CsvTable::read(path, {columns(), {}}, problems);
  std::vector<Link> links;
  UniqueIds ids;
  for (CsvRow& row : table.rows()) {
    Link link = read_link(row, ids, known);
    if (!link.id.empty()) links.push_back(std::move(link));  // nobody can refer to a row without an id
  }
  return links;
}

}  // namespace orrery
