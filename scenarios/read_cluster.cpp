// [cluster], and the `cluster` table of a strategy: on what is trained.
#include <algorithm>
#include <filesystem>

#include "scenarios/reading.hpp"

namespace orrery {
namespace {

bool fabric_reads(const std::string& fabric, const std::string& key) {
  for (const FabricEntry& entry : fabrics()) {
    if (entry.name == fabric) return std::find(entry.options.begin(), entry.options.end(), key) != entry.options.end();
  }
  return true;  // an unknown fabric is a problem of its own
}

constexpr Range count{1.0, 1e6};

class ClusterResolver {
 public:
  ClusterResolver(const ClusterKeys& keys, TomlTable& table, const Reading& reading)
      : keys_(keys), table_(table), reading_(reading) {}

  ClusterSpec resolve() {
    if (keys_.system && keys_.device) {
      complain("device", "is given beside system", "a system has its own device", "keep one of them");
    } else if (keys_.system) {
      take_system();
    } else if (keys_.device) {
      take_device();
    } else {
      table_.problem("system", "is missing", "a cluster is a system of the catalogue, or a device and its links",
                     "add system = \"...\" or device = \"...\"");
    }
    take_common();
    return std::move(spec_);
  }

 private:
  /// Problems of keys that were merged from [cluster] were recorded there.
  void complain(std::string_view key, std::string what, std::string why, std::string suggestion = {}) {
    if (table_.has(key)) table_.problem(key, std::move(what), std::move(why), std::move(suggestion));
  }

  template <class Row>
  const Row* look_up(std::string_view key, const std::string& id, const std::vector<Row>& rows, std::string_view what) {
    if (table_.has(key)) return row_named(table_, key, id, rows, what);
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.id == id; });
    return found == rows.end() ? nullptr : &*found;
  }

  void take_system() {
    refuse(table_, "devices_per_node", ValueType::number, "a cluster made of device",
           "the system " + *keys_.system + " has its own");
    const System* system = look_up("system", *keys_.system, reading_.catalogue.systems, "system");
    if (system == nullptr) return;
    const auto nodes = static_cast<int>(keys_.nodes.value_or(1));
    if (system->max_nodes > 0 && nodes > system->max_nodes) {
      complain("nodes", fmt::format("{} nodes are too many", nodes),
               fmt::format("{} has at most {}", system->id, system->max_nodes));
      return;
    }
    spec_.present = true;
    spec_.system = system->id;
    spec_.description = describe_system(*system, reading_.catalogue, nodes);
    spec_.price_per_hour = system->price_per_hour;
    spec_.currency = system->currency;
  }

  void take_device() {
    const std::optional<Device> device = device_named(*keys_.device);
    if (!device) return;
    spec_.present = true;
    spec_.description.device = *device;
    spec_.description.nodes = static_cast<int>(keys_.nodes.value_or(1));
    spec_.description.devices_per_node = static_cast<int>(keys_.devices_per_node.value_or(1));
  }

  /// Of the catalogue, or of a file of one device.
  std::optional<Device> device_named(const std::string& name) {
    if (!name.ends_with(".csv")) {
      const Device* device = look_up("device", name, reading_.catalogue.devices, "device");
      return device == nullptr ? std::nullopt : std::optional(*device);
    }
    if (!std::filesystem::is_regular_file(name)) {
      complain("device", "there is no file \"" + name + "\"", {}, "make it with `orrery profile --device -o FILE.csv`");
      return std::nullopt;
    }
    spec_.device_file = name;
    return read_device_file(name, reading_.problems);
  }

  void take_common() {
    ClusterDescription& cluster = spec_.description;
    if (const Link* link = link_named("node_link", keys_.node_link)) cluster.node_link = *link;
    if (const Link* link = link_named("network_link", keys_.network_link)) cluster.network_link = *link;
    cluster.nics_per_node = static_cast<int>(keys_.nics.value_or(cluster.nics_per_node));
    take_fabric();
    cluster.nodes_per_leaf = static_cast<int>(keys_.nodes_per_leaf.value_or(cluster.nodes_per_leaf));
    cluster.oversubscription = keys_.oversubscription.value_or(cluster.oversubscription);
    cluster.torus_axes = static_cast<int>(keys_.torus_axes.value_or(cluster.torus_axes));
    if (keys_.nodes_per_leaf) require_reader("nodes_per_leaf");
    if (keys_.torus_axes) require_reader("torus_axes");
    if (keys_.oversubscription) require_reader("oversubscription");
    if (spec_.present) check_links();
  }

  const Link* link_named(std::string_view key, const std::optional<std::string>& id) {
    return id ? look_up(key, *id, reading_.catalogue.links, "link") : nullptr;
  }

  void require_reader(const std::string& key) {
    const std::string& fabric = spec_.description.fabric;
    if (spec_.present && !fabric_reads(fabric, key)) {
      complain(key, "has no effect", "fabric = \"" + fabric + "\" does not read it",
               std::string("remove it, or choose ") + (key == "torus_axes" ? "torus" : "fat-tree"));
    }
  }

  void take_fabric() {
    if (!keys_.fabric) return;
    std::vector<std::string> names;
    for (const FabricEntry& entry : fabrics()) names.push_back(entry.name);
    if (std::find(names.begin(), names.end(), *keys_.fabric) == names.end()) {
      complain("fabric", "unknown fabric \"" + *keys_.fabric + "\"", {}, did_you_mean(*keys_.fabric, names));
    } else {
      spec_.description.fabric = *keys_.fabric;
    }
  }

  void check_links() {
    const ClusterDescription& cluster = spec_.description;
    // After an unknown link name its absence is no news.
    if (cluster.network_link || keys_.network_link) return;
    if (cluster.nodes > 1) {
      table_.problem("network_link", "is missing", fmt::format("{} nodes need a network", cluster.nodes),
                     "add network_link = \"...\"");
    } else if (cluster.devices_per_node > 1 && !cluster.node_link && !keys_.node_link) {
      table_.problem("node_link", "is missing",
                     fmt::format("{} devices of a node need a link between them", cluster.devices_per_node),
                     "add node_link = \"...\", or network_link when they talk over the network");
    }
  }

  const ClusterKeys& keys_;
  TomlTable& table_;
  const Reading& reading_;
  ClusterSpec spec_;
};

template <class T>
void overlay(std::optional<T>& base, const std::optional<T>& over) {
  if (over) base = over;
}

}  // namespace

ClusterKeys read_cluster_keys(TomlTable& table, const Reading& reading) {
  ClusterKeys keys;
  keys.system = table.text("system");
  keys.device = table.text("device");
  if (keys.device && keys.device->ends_with(".csv")) keys.device = path_in(reading, table, "device", *keys.device);
  keys.nodes = table.integer("nodes", count);
  if (!table.has("system")) keys.devices_per_node = table.integer("devices_per_node", count);
  keys.node_link = table.text("node_link");
  keys.nics = table.integer("nics", count);
  keys.network_link = table.text("network_link");
  keys.fabric = table.text("fabric");
  keys.nodes_per_leaf = table.integer("nodes_per_leaf", count);
  keys.torus_axes = table.integer("torus_axes", count);
  keys.oversubscription = table.number("oversubscription", at_least_one);
  return keys;
}

ClusterKeys merged(const ClusterKeys& base, const ClusterKeys& over) {
  ClusterKeys keys = base;
  if (over.system) {
    keys.device.reset();
    keys.devices_per_node.reset();
    keys.node_link.reset();
    keys.nics.reset();
    keys.network_link.reset();
  }
  if (over.device) keys.system.reset();
  if (over.fabric) {
    keys.nodes_per_leaf.reset();
    keys.torus_axes.reset();
    keys.oversubscription.reset();
  }
  overlay(keys.system, over.system);
  overlay(keys.device, over.device);
  overlay(keys.nodes, over.nodes);
  overlay(keys.devices_per_node, over.devices_per_node);
  overlay(keys.node_link, over.node_link);
  overlay(keys.nics, over.nics);
  overlay(keys.network_link, over.network_link);
  overlay(keys.fabric, over.fabric);
  overlay(keys.nodes_per_leaf, over.nodes_per_leaf);
  overlay(keys.torus_axes, over.torus_axes);
  overlay(keys.oversubscription, over.oversubscription);
  return keys;
}

ClusterSpec resolve_cluster(const ClusterKeys& keys, TomlTable& table, const Reading& reading) {
  return ClusterResolver(keys, table, reading).resolve();
}

void record_cluster_defaults(TomlTable& table, const ClusterSpec& cluster) {
  if (!cluster.present) return;
  const ClusterDescription& description = cluster.description;
  const auto record = [&table](std::string_view key, std::int64_t value) {
    if (!table.has(key)) table.integer(key, value);
  };
  record("nodes", description.nodes);
  if (cluster.system.empty()) record("devices_per_node", description.devices_per_node);
  record("nics", description.nics_per_node);
  if (!table.has("fabric")) table.text("fabric", description.fabric);
  if (fabric_reads(description.fabric, "nodes_per_leaf")) record("nodes_per_leaf", description.nodes_per_leaf);
  if (fabric_reads(description.fabric, "torus_axes")) record("torus_axes", description.torus_axes);
  if (table.has("oversubscription") || !fabric_reads(description.fabric, "oversubscription")) return;
  table.number("oversubscription", description.oversubscription);
}

}  // namespace orrery
