// What federations are made of: algorithms, compressions, partitions, selections, radios.
#include <fmt/format.h>

#include "analysis/cli/inventory.hpp"
#include "analysis/cli/inventory_text.hpp"
#include "models/training/federated/algorithm.hpp"
#include "models/training/federated/compression.hpp"
#include "models/training/partition.hpp"
#include "scenarios/federated/selection.hpp"

namespace orrery {
namespace {

std::string coordination_name(Coordination coordination) {
  switch (coordination) {
    case Coordination::rounds:
      return "synchronous rounds";
    case Coordination::asynchronous:
      return "asynchronous";
    case Coordination::hierarchical:
      return "edges between clients and server";
    case Coordination::gossip:
      return "peers, no server";
    case Coordination::split:
      break;
  }
  return "network split between client and server";
}

Lines list_algorithms(const Catalogue& /*catalogue*/) {
  Lines lines;
  for (const FederatedAlgorithmEntry& entry : federated_algorithms()) {
    const bool own_kind = entry.kind == AlgorithmKind::async_sgd;
    lines.emplace_back(entry.name, entry.summary + (own_kind ? " (kind = \"async\")" : ""));
  }
  return lines;
}

std::string show_algorithm(const Catalogue& /*catalogue*/, const std::string& name) {
  for (const FederatedAlgorithmEntry& entry : federated_algorithms()) {
    if (entry.name != name) continue;
    return fmt::format("{}\n", entry.name) + line("what it does", entry.summary) +
           line("who waits for whom", coordination_name(entry.coordination)) +
           line("written as", entry.kind == AlgorithmKind::async_sgd
                                  ? std::string("kind = \"async\"")
                                  : fmt::format("kind = \"federated\", algorithm = \"{}\"", entry.name)) +
           line("options", entry.options.empty() ? "none of its own" : join(entry.options, ", ")) +
           line("source", entry.source);
  }
  return {};
}

/// For tables whose entries have a name, a summary and perhaps options.
template <class Entry>
Lines lines_of(const std::vector<Entry>& table) {
  Lines lines;
  for (const Entry& entry : table) {
    std::string summary = entry.summary;
    if constexpr (requires { entry.options; }) {
      if (!entry.options.empty()) summary += " (" + join(entry.options, ", ") + ")";
    }
    lines.emplace_back(entry.name, summary);
  }
  return lines;
}

/// For tables whose entries have a source, too.
template <auto Table>
std::string show_entry(const Catalogue& /*catalogue*/, const std::string& name) {
  for (const auto& entry : Table()) {
    if (entry.name != name) continue;
    return fmt::format("{}\n", entry.name) + line("what it does", entry.summary) +
           line("options", entry.options.empty() ? "none of its own" : join(entry.options, ", ")) +
           line("source", entry.source);
  }
  return {};
}

Lines list_compressions(const Catalogue& /*catalogue*/) {
  return lines_of(compressions());
}
Lines list_selections(const Catalogue& /*catalogue*/) {
  return lines_of(selections());
}
Lines list_partitions(const Catalogue& /*catalogue*/) {
  return lines_of(partitions());
}

Lines list_availability(const Catalogue& /*catalogue*/) {
  return {{"always", "online all the time"},
          {"on-off", "exponential times online and offline (mean_online_s, mean_offline_s)"},
          {"diurnal", "as on-off, more of them online at the peak of their day (amplitude, peak_hour, zones)"},
          {"trace", "times online and offline of real clients, repeated for ever (trace)"}};
}

Lines list_radios(const Catalogue& catalogue) {
  Lines lines;
  for (const Radio& radio : catalogue.radios) {
    lines.emplace_back(radio.id,
                       fmt::format("{:>6} nJ/bit up, {:>6} down, {:>7} W base, tail {} J  {}",
                                   number_text(radio.up_nJ_per_bit), number_text(radio.down_nJ_per_bit),
                                   number_text(radio.base.value()), number_text(radio.tail.value()), radio.name));
  }
  return lines;
}

std::string show_radio(const Catalogue& catalogue, const std::string& name) {
  const Radio* radio = catalogue.radio(name);
  if (radio == nullptr) return {};
  return fmt::format("{} ({})\n", radio->name, radio->id) + line("sending", radio->up_nJ_per_bit, "nJ/bit") +
         line("receiving", radio->down_nJ_per_bit, "nJ/bit") + line("while it moves data", radio->base.value(), "W") +
         line("at most", radio->maximum.value(), "W") + line("tail after a burst", radio->tail.value(), "J") +
         line("tail lasts", radio->tail_time.value(), "s") + origin(radio->source, radio->assumed, radio->notes);
}

}  // namespace

std::vector<Inventory> federation_inventories() {
  return {
      {"algorithms", list_algorithms, show_algorithm},
      {"compressions", list_compressions, show_entry<compressions>},
      {"partitions", list_partitions, show_entry<partitions>},
      {"selections", list_selections, show_line<list_selections>},
      {"availability", list_availability, show_line<list_availability>},
      {"radios", list_radios, show_radio},
  };
}

}  // namespace orrery
