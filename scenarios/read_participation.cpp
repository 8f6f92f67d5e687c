// Who takes part in a federated strategy, and how long others wait for them.
#include <fmt/format.h>

#include <algorithm>

#include "scenarios/federated/selection.hpp"
#include "scenarios/federation_reading.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string_view words_for(Coordination coordination) {
  switch (coordination) {
    case Coordination::rounds:
      return "works in rounds";
    case Coordination::asynchronous:
      return "is asynchronous";
    case Coordination::hierarchical:
      return "works in rounds at the edges";
    case Coordination::gossip:
      return "lets all clients talk to their neighbours";
    case Coordination::split:
      return "trains one network on client and server together";
  }
  return "";
}

class ParticipationReader {
 public:
  explicit ParticipationReader(const FederatedReading& reading)
      : reading_(reading), table_(reading.table), options_(reading.spec.federated.participation) {}

  void read() {
    using enum Coordination;
    const Owners choosing{"algorithms that choose clients", {rounds, asynchronous, hierarchical, split}};
    const Owners in_rounds{"algorithms in rounds", {rounds, hierarchical}};
    if (belongs("clients_per_round", choosing)) read_clients_per_round();
    if (belongs("over_selection", in_rounds)) read_over_selection();
    if (belongs("deadline_s", in_rounds)) {
      options_.deadline = Seconds(table_.number("deadline_s", options_.deadline.value(), non_negative));
    }
    if (belongs("min_reports", in_rounds)) read_min_reports();
    const bool selects = belongs("selection", choosing, ValueType::text);
    if (selects) {
      read_selection();
    } else {
      belongs("candidates", choosing);
    }
    static const Names<OfflinePolicy> policies = {
        {"resume", OfflinePolicy::resume}, {"restart", OfflinePolicy::restart}, {"give-up", OfflinePolicy::give_up}};
    options_.offline = choose(table_, "offline", policies, options_.offline);
  }

 private:
  struct Owners {
    std::string name;
    std::vector<Coordination> coordinations;
  };

  /// Whether a key means something to the way the algorithm works; when not, one that is given is a problem.
  bool belongs(const char* key, const Owners& owners, ValueType type = ValueType::number) {
    const FederatedAlgorithmEntry& algorithm = reading_.algorithm();
    const auto& all = owners.coordinations;
    if (std::find(all.begin(), all.end(), algorithm.coordination) != all.end()) return true;
    refuse(table_, key, type, owners.name, fmt::format("{} {}", algorithm.name, words_for(algorithm.coordination)));
    return false;
  }

  void read_clients_per_round() {
    const int clients = reading_.clients();
    const int edges = reading_.works(Coordination::hierarchical) ? reading_.spec.federated.edges : 1;
    options_.clients_per_round =
        integer("clients_per_round", std::max(options_.clients_per_round, std::min(edges, clients)));
    if (edges <= clients && options_.clients_per_round < edges) {
      table_.problem("clients_per_round", fmt::format("{} are too few for {} edges", options_.clients_per_round, edges),
                     "an edge that asks nobody never learns what its clients know", "give every edge one of them");
    }
    if (clients == 0 || options_.clients_per_round <= clients) return;
    table_.problem("clients_per_round", fmt::format("{} are too many", options_.clients_per_round),
                   fmt::format("the federation has {} clients", clients));
  }

  void read_over_selection() {
    constexpr Range over{1.0, 100.0};
    options_.over_selection = table_.number("over_selection", options_.over_selection, over);
    const auto asked = static_cast<double>(asked_clients(options_));
    const int clients = reading_.clients();
    if (clients == 0 || options_.clients_per_round > clients || asked <= clients) return;
    table_.problem("over_selection", fmt::format("asks {} clients", number_text(asked)),
                   fmt::format("{} x {}, and the federation has {}", options_.clients_per_round,
                               number_text(options_.over_selection), clients),
                   "ask fewer, or add clients");
  }

  void read_min_reports() {
    options_.min_reports = integer("min_reports", options_.min_reports);
    if (options_.min_reports <= options_.clients_per_round) return;
    table_.problem("min_reports", fmt::format("{} are never there", options_.min_reports),
                   fmt::format("a round keeps {} reports, clients_per_round", options_.clients_per_round),
                   "use at most clients_per_round");
  }

  void read_selection() {
    Names<Selection> names;
    for (const SelectionEntry& entry : selections()) names.push_back({entry.name, entry.kind});
    options_.selection = choose(table_, "selection", names, options_.selection);
    const std::string rule = text_of(names, options_.selection);
    const bool needs_losses =
        options_.selection == Selection::power_of_choice || options_.selection == Selection::utility;
    if (needs_losses && !reading_.workload.learn) {
      table_.problem("selection", rule + " chooses by the clients' losses", "nothing is learned here",
                     "use learn = true, or another rule");
    }
    if (options_.selection != Selection::power_of_choice && options_.selection != Selection::energy_aware) {
      refuse(
          table_, "candidates", ValueType::number,
          "selection = " + text_of(names, Selection::power_of_choice) + " | " + text_of(names, Selection::energy_aware),
          "the selection here is " + rule);
      return;
    }
    options_.candidates = static_cast<int>(table_.integer("candidates", options_.candidates, non_negative));
    if (options_.candidates == 0) return;
    const int clients = reading_.clients();
    if (options_.candidates < options_.clients_per_round) {
      table_.problem("candidates", fmt::format("{} are too few", options_.candidates),
                     fmt::format("{} of them take part", options_.clients_per_round), "use more, or 0: twice as many");
    } else if (clients > 0 && options_.candidates > clients) {
      table_.problem("candidates", fmt::format("{} are too many", options_.candidates),
                     fmt::format("the federation has {} clients", clients));
    }
  }

  int integer(std::string_view key, int fallback) {
    constexpr Range count{1.0, 1e6};
    return static_cast<int>(table_.integer(key, fallback, count));
  }

  const FederatedReading& reading_;
  TomlTable& table_;
  ParticipationOptions& options_;
};

}  // namespace

int FederatedReading::clients() const {
  return spec.kind == StrategyKind::async ? spec.devices : federation.clients();
}

void read_participation(const FederatedReading& reading) {
  ParticipationReader(reading).read();
}

}  // namespace orrery
