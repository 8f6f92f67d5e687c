// [cluster], and the `cluster` table of a strategy: on what is trained.
#include <algorithm>

#include "scenarios/merged_keys.hpp"
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
    if (keys_.has_groups) {
      take_groups();
    } else if (std::optional<ResolvedNodes> nodes = resolve_nodes(keys_, table_, reading_)) {
      if (nodes->system) spec_.description = *nodes->system;
      take_first(*nodes);
    }
    take_fabric();
    if (spec_.present && !keys_.has_groups) check_links(spec_.description, keys_, spec_.description.nodes, table_);
    return std::move(spec_);
  }

 private:
  void take_first(const ResolvedNodes& nodes) {
    spec_.present = true;
    static_cast<NodeGroup&>(spec_.description) = nodes.nodes;
    static_cast<NodeOrigin&>(spec_) = nodes.origin;
  }

  void take_groups() {
    refuse_nodes_beside_groups();
    for (const ResolvedNodes& group : keys_.groups) {
      if (!spec_.present) {
        take_first(group);
      } else {
        spec_.description.more.push_back(group.nodes);
        spec_.more.push_back(group.origin);
      }
    }
    check_currencies();
  }

  /// A sum of prices is in one currency.
  void check_currencies() {
    for (const NodeOrigin& other : spec_.more) {
      if (other.price_per_hour <= 0 || spec_.price_per_hour <= 0 || other.currency == spec_.currency) continue;
      table_.problem("group", "has prices in " + spec_.currency + " and " + other.currency,
                     spec_.system + " and " + other.system + " cannot be added up",
                     "use systems with prices of one currency, or devices");
      return;
    }
  }

  void refuse_nodes_beside_groups() {
    for (const std::string_view key :
         {"system", "device", "nodes", "devices_per_node", "node_link", "nics", "network_link"}) {
      complain(table_, key, "stands beside groups of nodes", "each [[cluster.group]] says what its own nodes are",
               "move it into the groups, or leave the groups out");
    }
  }

  void require_reader(const std::string& key) {
    const std::string& fabric = spec_.description.fabric;
    if (spec_.present && !fabric_reads(fabric, key)) {
      complain(table_, key, "has no effect", "fabric = \"" + fabric + "\" does not read it",
               std::string("remove it, or choose ") + (key == "torus_axes" ? "torus" : "fat-tree"));
    }
  }

  void take_fabric() {
    ClusterDescription& cluster = spec_.description;
    take_fabric_name();
    cluster.nodes_per_leaf = static_cast<int>(keys_.nodes_per_leaf.value_or(cluster.nodes_per_leaf));
    cluster.oversubscription = keys_.oversubscription.value_or(cluster.oversubscription);
    cluster.torus_axes = static_cast<int>(keys_.torus_axes.value_or(cluster.torus_axes));
    if (keys_.nodes_per_leaf) require_reader("nodes_per_leaf");
    if (keys_.torus_axes) require_reader("torus_axes");
    if (keys_.oversubscription) require_reader("oversubscription");
  }

  void take_fabric_name() {
    if (!keys_.fabric) return;
    std::vector<std::string> names;
    for (const FabricEntry& entry : fabrics()) names.push_back(entry.name);
    if (std::find(names.begin(), names.end(), *keys_.fabric) == names.end()) {
      complain(table_, "fabric", "unknown fabric \"" + *keys_.fabric + "\"", {}, did_you_mean(*keys_.fabric, names));
    } else {
      spec_.description.fabric = *keys_.fabric;
    }
  }

  const ClusterKeys& keys_;
  TomlTable& table_;
  const Reading& reading_;
  ClusterSpec spec_;
};

/// [[cluster.group]]: every one is complete in itself.
void read_groups(TomlTable& table, const Reading& reading, ClusterKeys& keys) {
  keys.has_groups = table.has("group");
  std::vector<TomlTable> tables = table.tables("group");
  if (keys.has_groups && tables.empty()) {
    table.problem("group", "is empty", "a cluster has devices", "add a [[cluster.group]]");
  }
  std::vector<NodeKeys> said;
  std::vector<std::optional<ResolvedNodes>> found;
  int all_nodes = 0;
  for (TomlTable& group : tables) {
    said.push_back(read_node_keys(group, reading));
    found.push_back(resolve_nodes(said.back(), group, reading));
    if (found.back()) {
      record_node_defaults(group, *found.back());
      all_nodes += found.back()->nodes.nodes;
    }
    group.finish();
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (!found[i]) continue;
    check_links(found[i]->nodes, said[i], all_nodes, tables[i]);
    keys.groups.push_back(std::move(*found[i]));
  }
}

}  // namespace

ClusterKeys read_cluster_keys(TomlTable& table, const Reading& reading) {
  ClusterKeys keys;
  static_cast<NodeKeys&>(keys) = read_node_keys(table, reading);
  keys.fabric = table.text("fabric");
  keys.nodes_per_leaf = table.integer("nodes_per_leaf", count);
  keys.torus_axes = table.integer("torus_axes", count);
  constexpr Range thinner{1.0, 1e6};
  keys.oversubscription = table.number("oversubscription", thinner);
  read_groups(table, reading, keys);
  return keys;
}

ClusterKeys merged(const ClusterKeys& base, const ClusterKeys& over) {
  ClusterKeys keys = base;
  static_cast<NodeKeys&>(keys) = merged(static_cast<const NodeKeys&>(base), static_cast<const NodeKeys&>(over));
  if (over.has_groups) {
    static_cast<NodeKeys&>(keys) = static_cast<const NodeKeys&>(over);
    keys.has_groups = true;
    keys.groups = over.groups;
  } else if (over.system || over.device) {
    keys.has_groups = false;
    keys.groups.clear();
  }
  if (over.fabric) {
    keys.nodes_per_leaf.reset();
    keys.torus_axes.reset();
    keys.oversubscription.reset();
  }
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
  // Groups of nodes have a system each, and none says what joins them all.
  const std::string origin = table.has("group") ? std::string(default_origin) : origin_in_system(cluster.system);
  const auto record = [&](std::string_view key, std::int64_t value) {
    if (!table.has(key)) table.integer(key, value, any_number, origin);
  };
  if (!table.has("group"))
    record_node_defaults(table, {static_cast<const NodeGroup&>(description), static_cast<const NodeOrigin&>(cluster)});
  if (!table.has("fabric")) table.text("fabric", description.fabric, origin);
  if (fabric_reads(description.fabric, "nodes_per_leaf")) record("nodes_per_leaf", description.nodes_per_leaf);
  if (fabric_reads(description.fabric, "torus_axes")) record("torus_axes", description.torus_axes);
  if (table.has("oversubscription") || !fabric_reads(description.fabric, "oversubscription")) return;
  table.number("oversubscription", description.oversubscription, any_number, origin);
}

}  // namespace orrery
