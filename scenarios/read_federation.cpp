// [federation]: who holds the data, and over which links they reach the server.
#include <fmt/format.h>

#include <numeric>

#include "scenarios/federation_reading.hpp"

namespace orrery {
namespace {

class FederationReader {
 public:
  FederationReader(TomlTable table, const WorkloadSpec& workload, const Reading& reading)
      : table_(std::move(table)), workload_(workload), reading_(reading) {}

  FederationSpec read() {
    federation_.present = true;
    refuse_letters(table_);
    read_groups();
    if (const Device* server = required_device(table_, "server", reading_)) federation_.server = *server;
    if (const Link* link = required_link(table_, "server_link", reading_)) federation_.server_link = *link;
    federation_.partition = read_partition(table_, {}, workload_, federation_.clients());
    check_clients();
    table_.finish();
    return std::move(federation_);
  }

 private:
  void read_groups() {
    std::vector<TomlTable> groups = table_.tables("group");
    if (groups.empty()) {
      add(read_client_group(table_, "clients", reading_));
      return;
    }
    const std::string why = "each [[federation.group]] has its own";
    refuse(table_, "clients", ValueType::number, "a federation without groups", why);
    for (const ClientKey& key : client_keys()) refuse(table_, key.key, key.type, "a federation without groups", why);
    for (TomlTable& group : groups) {
      add(read_client_group(group, "count", reading_));
      group.finish();
    }
  }

  void add(GroupOfClients read) {
    federation_.groups.push_back(std::move(read.group));
    federation_.capacity_traces.push_back(std::move(read.capacity_trace));
  }

  void check_clients() {
    const std::int64_t samples = workload_.dataset_samples;
    if (samples <= 0) return;
    const std::int64_t clients = federation_.clients();
    if (clients > samples) {
      table_.problem(table_.has("clients") ? "clients" : "group", fmt::format("{} clients are too many", clients),
                     fmt::format("there are {} training samples", samples), "give every client at least one");
    }
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

void refuse_letters(TomlTable& table) {
  struct Letter {
    const char* letter;
    const char* instead;
  };
  for (const auto& [letter, instead] :
       {Letter{"K", "clients (or the counts of the groups) in [federation]"},
        Letter{"C", "clients_per_round in [[strategy]], a number of clients: C x all of them, or 1 where C = 0"},
        Letter{"E", "local_epochs in [[strategy]]"}, Letter{"B", "local_batch in [[strategy]], 0 where B is infinite"},
        Letter{"eta", "learning_rate in [[strategy]] or [workload]"}}) {
    if (!table.has(letter)) continue;
    table.problem(letter, "is a letter of the FedAvg paper", "keys have long names", std::string("use ") + instead);
    table.number(letter);
  }
}

int FederationSpec::clients() const {
  return std::accumulate(groups.begin(), groups.end(), 0,
                         [](int sum, const ClientGroup& group) { return sum + group.count; });
}

}  // namespace orrery
