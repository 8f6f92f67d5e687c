#include "sim/base/csv.hpp"
#include "topologies/catalogue/files.hpp"
#include "topologies/catalogue/rows.hpp"
#include "topologies/cluster.hpp"

namespace orrery {
namespace {

const std::vector<std::string>& columns() {
  static const std::vector<std::string> names{"id",
                                              "name",
                                              "vendor",
                                              "year",
                                              "device",
                                              "devices_per_node",
                                              "node_link",
                                              "nics_per_node",
                                              "network_link",
                                              "fabric",
                                              "nodes_per_leaf",
                                              "oversubscription",
                                              "max_nodes",
                                              "node_idle_W",
                                              "node_training_W",
                                              "node_maximum_W",
                                              "price_per_hour",
                                              "currency",
                                              "source",
                                              "assumed",
                                              "notes"};
  return names;
}

std::vector<std::string> fabric_names() {
  std::vector<std::string> names;
  for (const FabricEntry& entry : fabrics()) names.push_back(entry.name);
  return names;
}

void read_node(CsvRow& row, System& system, const Catalogue& known) {
  row.required_text("device");
  system.device = reference(row, "device", ids_of(known.devices), "device");
  system.devices_per_node = whole(row, "devices_per_node", 1, 1);
  system.node_link = reference(row, "node_link", ids_of(known.links), "link");
  system.nics_per_node = whole(row, "nics_per_node", 1, 1);
  system.network_link = reference(row, "network_link", ids_of(known.links), "link");
  if (system.devices_per_node > 1 && system.node_link.empty() && system.network_link.empty()) {
    row.problem("node_link", "nothing joins the devices of a node", "node_link and network_link are both empty");
  }
}

void read_network(CsvRow& row, System& system) {
  system.fabric = one_of(row, "fabric", fabric_names());
  system.nodes_per_leaf = whole(row, "nodes_per_leaf", 1, 16);
  const double oversubscription =
      row.text("oversubscription").empty() ? 1.0 : number_above_zero(row, "oversubscription");
  if (oversubscription > 0 && oversubscription < 1) {
    row.problem("oversubscription", row.text("oversubscription") + " is below 1",
                "it is a leaf's capacity down divided by its capacity up");
  }
  system.oversubscription = oversubscription;
  system.torus_axes = whole(row, "torus_axes", 1, system.torus_axes);
  system.max_nodes = whole(row, "max_nodes", 1, 0);
}

void read_power_and_price(CsvRow& row, System& system) {
  system.node_idle = Watts(number_or_zero(row, "node_idle_W"));
  system.node_training = Watts(number_or_zero(row, "node_training_W"));
  system.node_maximum = Watts(number_or_zero(row, "node_maximum_W"));
  if (system.node_training.value() > 0 && system.node_idle > system.node_training) {
    row.problem("node_training_W", "a node draws less in training than idle");
  }
  system.price_per_hour = number_or_zero(row, "price_per_hour");
  system.currency = row.text("currency");
  if (system.price_per_hour > 0 && system.currency.empty()) {
    row.problem("currency", "a price without a currency", "", "write USD, EUR, ...");
  }
}

System read_system(CsvRow& row, UniqueIds& ids, const Catalogue& known) {
  System system;
  system.id = ids.take(row);
  system.name = row.required_text("name");
  system.vendor = row.text("vendor");
  system.year = whole(row, "year", 1940, 0);
  read_node(row, system, known);
  read_network(row, system);
  read_power_and_price(row, system);
  read_provenance(row, &known.sources, columns(), system);
  return system;
}

}  // namespace

std::vector<System> read_systems(const std::string& path, const Catalogue& known, Problems& problems) {
  CsvTable table = CsvTable::read(path, {columns(), {"torus_axes"}}, problems);
  std::vector<System> systems;
  UniqueIds ids;
  for (CsvRow& row : table.rows()) systems.push_back(read_system(row, ids, known));
  return systems;
}

}  // namespace orrery
