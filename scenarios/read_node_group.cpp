// Equal nodes: those of a [cluster], or of one of its [[cluster.group]].
#include <algorithm>
#include <filesystem>

#include "scenarios/merged_keys.hpp"
#include "scenarios/reading.hpp"

namespace orrery {
namespace {

constexpr Range count{1.0, 1e6};

class NodeResolver {
 public:
  NodeResolver(const NodeKeys& keys, TomlTable& table, const Reading& reading)
      : keys_(keys), table_(table), reading_(reading) {}

  std::optional<ResolvedNodes> resolve() {
    if (keys_.system && keys_.device) {
      complain(table_, "device", "is given beside system", "a system has its own device", "keep one of them");
    } else if (keys_.system) {
      take_system();
    } else if (keys_.device) {
      take_device();
    } else {
      table_.problem("system", "is missing", "a cluster is a system of the catalogue, or a device and its links",
                     "add system = \"...\" or device = \"...\"");
    }
    NodeGroup& nodes = found_.nodes;
    if (const Link* link = link_named("node_link", keys_.node_link)) nodes.node_link = *link;
    if (const Link* link = link_named("network_link", keys_.network_link)) nodes.network_link = *link;
    nodes.nics_per_node = static_cast<int>(keys_.nics.value_or(nodes.nics_per_node));
    return is_known_ ? std::optional(std::move(found_)) : std::nullopt;
  }

 private:
  template <class Row>
  const Row* look_up(std::string_view key, const std::string& id, const std::vector<Row>& rows, std::string_view what) {
    if (table_.has(key)) return row_named(table_, key, id, rows, what);
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.id == id; });
    return found == rows.end() ? nullptr : &*found;
  }

  void take_system() {
    const System* system = look_up("system", *keys_.system, reading_.catalogue.systems, "system");
    if (system == nullptr) return;
    const auto nodes = static_cast<int>(keys_.nodes.value_or(1));
    if (system->max_nodes > 0 && nodes > system->max_nodes) {
      complain(table_, "nodes", fmt::format("{} nodes are too many", nodes),
               fmt::format("{} has at most {}", system->id, system->max_nodes));
      return;
    }
    const std::int64_t used = keys_.devices_per_node.value_or(system->devices_per_node);
    if (used > system->devices_per_node) {
      complain(table_, "devices_per_node", fmt::format("{} devices are too many", used),
               fmt::format("a node of {} has {}", system->id, system->devices_per_node));
      return;
    }
    is_known_ = true;
    found_.system = describe_system(*system, reading_.catalogue, nodes);
    use_part_of_nodes(*found_.system, static_cast<int>(used));
    found_.nodes = static_cast<const NodeGroup&>(*found_.system);
    found_.origin = {system->id, {}, system->price_per_hour, system->currency};
  }

  /// The first devices of every node, and the NICs that they use.
  static void use_part_of_nodes(NodeGroup& nodes, int used) {
    const int all = nodes.devices_per_node;
    nodes.nics_per_node = (used * nodes.nics_per_node + all - 1) / all;
    nodes.devices_per_node = used;
  }

  void take_device() {
    const std::optional<Device> device = device_named(*keys_.device);
    if (!device) return;
    is_known_ = true;
    found_.nodes.device = *device;
    found_.nodes.nodes = static_cast<int>(keys_.nodes.value_or(1));
    found_.nodes.devices_per_node = static_cast<int>(keys_.devices_per_node.value_or(1));
  }

  /// Of the catalogue, or of a file of one device.
  std::optional<Device> device_named(const std::string& name) {
    if (!name.ends_with(".csv")) {
      const Device* device = look_up("device", name, reading_.catalogue.devices, "device");
      return device == nullptr ? std::nullopt : std::optional(*device);
    }
    if (!std::filesystem::is_regular_file(name)) {
      complain(table_, "device", "there is no file \"" + name + "\"", {},
               "make it with `orrery profile --device -o FILE.csv`");
      return std::nullopt;
    }
    found_.origin.device_file = name;
    return read_device_file(name, reading_.problems);
  }

  const Link* link_named(std::string_view key, const std::optional<std::string>& id) {
    return id ? look_up(key, *id, reading_.catalogue.links, "link") : nullptr;
  }

  const NodeKeys& keys_;
  TomlTable& table_;
  const Reading& reading_;
  ResolvedNodes found_;
  bool is_known_ = false;
};

}  // namespace

NodeKeys read_node_keys(TomlTable& table, const Reading& reading) {
  NodeKeys keys;
  keys.system = table.text("system");
  keys.device = table.text("device");
  if (keys.device && keys.device->ends_with(".csv")) keys.device = input_in(reading, table, "device", *keys.device);
  keys.nodes = table.integer("nodes", count);
  keys.devices_per_node = table.integer("devices_per_node", count);
  keys.node_link = table.text("node_link");
  keys.nics = table.integer("nics", count);
  keys.network_link = table.text("network_link");
  return keys;
}

NodeKeys merged(const NodeKeys& base, const NodeKeys& over) {
  NodeKeys keys = base;
  if (over.system) {
    keys = {};
    keys.nodes = base.nodes;
  }
  if (over.device && keys.system) {
    keys.system.reset();
    keys.devices_per_node.reset(), keys.nics.reset();
  }
  if (over.devices_per_node && keys.system) keys.nics.reset();
  overlay(keys.system, over.system);
  overlay(keys.device, over.device);
  overlay(keys.nodes, over.nodes);
  overlay(keys.devices_per_node, over.devices_per_node);
  overlay(keys.node_link, over.node_link);
  overlay(keys.nics, over.nics);
  overlay(keys.network_link, over.network_link);
  return keys;
}

std::optional<ResolvedNodes> resolve_nodes(const NodeKeys& keys, TomlTable& table, const Reading& reading) {
  return NodeResolver(keys, table, reading).resolve();
}

void check_links(const NodeGroup& nodes, const NodeKeys& keys, int all_nodes, TomlTable& table) {
  // After an unknown link name its absence is no news.
  if (nodes.network_link || keys.network_link) return;
  if (all_nodes > 1) {
    table.problem("network_link", "is missing", fmt::format("{} nodes need a network", all_nodes),
                  "add network_link = \"...\"");
  } else if (nodes.devices_per_node > 1 && !nodes.node_link && !keys.node_link) {
    table.problem("node_link", "is missing",
                  fmt::format("{} devices of a node need a link between them", nodes.devices_per_node),
                  "add node_link = \"...\", or network_link when they talk over the network");
  }
}

void record_node_defaults(TomlTable& table, const ResolvedNodes& nodes) {
  const auto record = [&table](std::string_view key, std::int64_t value, std::string_view origin) {
    if (!table.has(key)) table.integer(key, value, any_number, origin);
  };
  const std::string system = origin_in_system(nodes.origin.system);
  record("nodes", nodes.nodes.nodes, default_origin);
  record("devices_per_node", nodes.nodes.devices_per_node, system);
  record("nics", nodes.nodes.nics_per_node, system);
}

}  // namespace orrery
