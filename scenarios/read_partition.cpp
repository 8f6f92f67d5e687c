// How the training samples are dealt to the clients: in [federation], and laid over it in a strategy.
#include <fmt/format.h>

#include <algorithm>

#include "models/training/natural_groups.hpp"
#include "scenarios/federation_reading.hpp"

namespace orrery {
namespace {

bool reads(TomlTable& table, PartitionKind kind, const std::string& key) {
  const auto& all = partitions();
  const auto here = std::find_if(all.begin(), all.end(), [kind](const auto& entry) { return entry.kind == kind; });
  return reads_option(table, all, *here, "partition", key, ValueType::number);
}

/// Whether the partition here has a name that is one: then its options can be judged.
bool is_known(TomlTable& table, const Names<PartitionKind>& names) {
  if (!table.has("partition")) return true;
  const auto given = table.text("partition");
  return given && std::any_of(names.begin(), names.end(), [&](const auto& named) { return named.name == *given; });
}

/// A natural partition deals what writers, hospitals or roles have made, each to one client.
void check_groups(TomlTable& table, const WorkloadSpec& workload, std::int64_t clients) {
  const std::int64_t groups = natural_groups(workload.dataset);
  if (groups == 0) {
    table.problem("partition", fmt::format("{} does not say whom its samples come from", workload.dataset),
                  "a natural partition deals each group of samples to one client",
                  "take another partition, or dataset = \"synthetic-writers\"");
  } else if (groups < clients) {
    table.problem("partition", fmt::format("{} groups of {} do not suffice", groups, workload.dataset),
                  fmt::format("there are {} clients, and groups are dealt whole", clients), "use fewer clients");
  }
}

void check_shards(TomlTable& table, const PartitionOptions& options, std::int64_t samples, std::int64_t clients) {
  const std::int64_t shards = clients * options.shards_per_client;
  if (options.kind != PartitionKind::shards || samples <= 0 || clients > samples || shards <= samples) return;
  table.problem(
      table.has("shards_per_client") ? "shards_per_client" : "partition", fmt::format("{} shards are too many", shards),
      fmt::format("{} clients x {}, and there are {} training samples", clients, options.shards_per_client, samples),
      "use fewer clients or fewer shards for each");
}

}  // namespace

PartitionOptions read_partition(TomlTable& table, const PartitionOptions& fallback, const WorkloadSpec& workload,
                                std::int64_t clients, std::string_view owner) {
  PartitionOptions options = fallback;
  Names<PartitionKind> names;
  for (const PartitionEntry& entry : partitions()) names.push_back({entry.name, entry.kind});
  options.kind = choose(table, "partition", names, options.kind, origin_in(owner, "partition"));
  // To another kind than its own the fallback says nothing.
  const std::string_view said_by = options.kind == fallback.kind ? owner : std::string_view();
  if (table.has("partition") && !workload.learn && options.kind != PartitionKind::iid &&
      options.kind != PartitionKind::quantity) {
    table.problem("partition", text_of(names, options.kind) + " deals samples by their labels",
                  "without learning no sample has one", "use learn = true, or partition = \"iid\" or \"quantity\"");
  }
  if (!is_known(table, names)) {
    for (const char* key : {"alpha", "shards_per_client", "sigma"}) table.number(key);
    return options;
  }
  if (table.has("partition") && options.kind == PartitionKind::natural && workload.learn && !workload.dataset.empty()) {
    check_groups(table, workload, clients);
  }
  if (reads(table, options.kind, "alpha")) {
    options.alpha = table.number("alpha", options.alpha, positive, origin_in(said_by, "alpha"));
  }
  if (reads(table, options.kind, "shards_per_client")) {
    constexpr Range shards{1.0, 1e6};
    options.shards_per_client = static_cast<int>(
        table.integer("shards_per_client", options.shards_per_client, shards, origin_in(said_by, "shards_per_client")));
  }
  if (reads(table, options.kind, "sigma")) {
    constexpr Range sigma{0.0, 5.0};
    options.sigma = table.number("sigma", options.sigma, sigma, origin_in(said_by, "sigma"));
  }
  // What was only taken over has been told where it stands.
  if (table.has("partition") || table.has("shards_per_client")) {
    check_shards(table, options, workload.dataset_samples, clients);
  }
  return options;
}

}  // namespace orrery
