// [federation]: who holds the data, and over which links they reach the server.
#include <fmt/format.h>

#include <numeric>

#include "scenarios/reading.hpp"

namespace orrery {
namespace {

class FederationReader {
 public:
  FederationReader(TomlTable table, const WorkloadSpec& workload, const Reading& reading)
      : table_(std::move(table)), workload_(workload), reading_(reading) {}

  FederationSpec read() {
    federation_.present = true;
    read_groups();
    if (const Device* server = device(table_, "server")) federation_.server = *server;
    if (const Link* link = this->link(table_, "server_link")) federation_.server_link = *link;
    read_partition();
    check_clients();
    table_.finish();
    return std::move(federation_);
  }

 private:
  void read_groups() {
    std::vector<TomlTable> groups = table_.tables("group");
    if (groups.empty()) {
      federation_.groups.push_back(read_group(table_, "clients"));
      return;
    }
    const std::string why = "each [[federation.group]] has its own";
    refuse(table_, "clients", ValueType::number, "a federation without groups", why);
    refuse(table_, "device", ValueType::text, "a federation without groups", why);
    refuse(table_, "link", ValueType::text, "a federation without groups", why);
    refuse(table_, "slowdown", ValueType::number, "a federation without groups", why);
    for (TomlTable& group : groups) {
      federation_.groups.push_back(read_group(group, "count"));
      group.finish();
    }
  }

  ClientGroup read_group(TomlTable& table, std::string_view count_key) {
    constexpr Range clients{1.0, 1e6};
    ClientGroup group;
    group.count = static_cast<int>(table.required_integer(count_key, clients));
    if (const Device* found = device(table, "device")) group.device = *found;
    if (const Link* found = link(table, "link")) group.link = *found;
    group.slowdown = table.number("slowdown", group.slowdown, positive);
    return group;
  }

  void check_clients() {
    const std::int64_t samples = workload_.dataset_samples;
    if (samples <= 0 || federation_.clients() <= samples) return;
    table_.problem(table_.has("clients") ? "clients" : "group",
                   fmt::format("{} clients are too many", federation_.clients()),
                   fmt::format("there are {} training samples", samples), "give every client at least one");
  }

  void read_partition() {
    if (!workload_.learn) {
      refuse(table_, "partition", ValueType::text, "learn = true", "without learning every client holds an equal part");
      refuse(table_, "alpha", ValueType::number, "learn = true", "without learning every client holds an equal part");
      return;
    }
    static const Names<PartitionKind> names = {
        {"iid", PartitionKind::iid}, {"shards", PartitionKind::shards}, {"dirichlet", PartitionKind::dirichlet}};
    federation_.partition = choose(table_, "partition", names, federation_.partition);
    if (federation_.partition == PartitionKind::dirichlet) {
      federation_.alpha = table_.number("alpha", federation_.alpha, positive);
    } else {
      refuse(table_, "alpha", ValueType::number, "partition = dirichlet",
             "the partition here is " + text_of(names, federation_.partition));
    }
  }

  const Device* device(TomlTable& table, std::string_view key) {
    const std::string id = table.required_text(key);
    return id.empty() ? nullptr : row_named(table, key, id, reading_.catalogue.devices, "device");
  }

  const Link* link(TomlTable& table, std::string_view key) {
    const std::string id = table.required_text(key);
    return id.empty() ? nullptr : row_named(table, key, id, reading_.catalogue.links, "link");
  }

  TomlTable table_;
  const WorkloadSpec& workload_;
  const Reading& reading_;
  FederationSpec federation_;
};

}  // namespace

FederationSpec read_federation(TomlTable table, const WorkloadSpec& workload, const Reading& reading) {
  return FederationReader(std::move(table), workload, reading).read();
}

int FederationSpec::clients() const {
  return std::accumulate(groups.begin(), groups.end(), 0,
                         [](int sum, const ClientGroup& group) { return sum + group.count; });
}

}  // namespace orrery
