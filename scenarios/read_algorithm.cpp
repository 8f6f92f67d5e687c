// algorithm = ... of a federated strategy, with the options that it reads, and who talks to whom.
#include <fmt/format.h>

#include <algorithm>

#include "models/networks/layer_patterns.hpp"
#include "scenarios/federation_reading.hpp"

namespace orrery {
namespace {

/// Without what a strategy of kind = async does.
const std::vector<FederatedAlgorithmEntry>& federated_alone() {
  static const std::vector<FederatedAlgorithmEntry> entries = [] {
    std::vector<FederatedAlgorithmEntry> kept = federated_algorithms();
    std::erase_if(kept, [](const auto& entry) { return entry.kind == AlgorithmKind::async_sgd; });
    return kept;
  }();
  return entries;
}

Names<AlgorithmKind> algorithm_names() {
  Names<AlgorithmKind> names;
  for (const FederatedAlgorithmEntry& entry : federated_alone()) names.push_back({entry.name, entry.kind});
  return names;
}

struct NumberOption {
  const char* key;
  double AlgorithmOptions::*field;
  Range range;
};
constexpr Range share{0.0, 1.0, Range::Low::open};
constexpr Range below_one{0.0, 0.999999};

constexpr NumberOption number_options[] = {
    {"proximal_mu", &AlgorithmOptions::proximal_mu, non_negative},
    {"server_learning_rate", &AlgorithmOptions::server_learning_rate, positive},
    {"server_momentum", &AlgorithmOptions::server_momentum, below_one},
    {"beta1", &AlgorithmOptions::beta1, below_one},
    {"beta2", &AlgorithmOptions::beta2, below_one},
    {"tau", &AlgorithmOptions::tau, positive},
    {"fairness_q", &AlgorithmOptions::fairness_q, non_negative},
    {"mixing", &AlgorithmOptions::mixing, share},
};

class AlgorithmReader {
 public:
  explicit AlgorithmReader(const FederatedReading& reading)
      : reading_(reading), table_(reading.table), options_(reading.spec.federated.algorithm) {}

  void read() {
    if (reading_.spec.kind == StrategyKind::async) {
      options_.kind = AlgorithmKind::async_sgd;
    } else {
      read_kind();
    }
    options_ = default_options(options_.kind);
    for (const NumberOption& option : number_options) {
      if (reads(option.key)) options_.*option.field = table_.number(option.key, options_.*option.field, option.range);
    }
    if (reads("buffer", ValueType::number)) options_.buffer = integer("buffer", options_.buffer);
    read_staleness();
    read_hierarchy();
    read_neighbours();
    read_cut();
  }

 private:
  void read_kind() {
    const std::string& own_kind = entry_of(AlgorithmKind::async_sgd).name;
    if (table_.text("algorithm") == own_kind) {
      table_.problem("algorithm", fmt::format("\"{}\" is no federated algorithm", own_kind),
                     "it runs on the devices of a cluster", "write kind = \"async\" and no algorithm");
      return;
    }
    options_.kind = choose(table_, "algorithm", algorithm_names(), AlgorithmKind::fedavg);
  }

  bool reads(const std::string& key, ValueType type = ValueType::number) {
    return reads_option(table_, federated_alone(), reading_.algorithm(), "algorithm", key, type);
  }

  [[nodiscard]] std::string here() const { return "the algorithm here is " + reading_.algorithm().name; }

  void read_staleness() {
    static const Names<Staleness> names = {
        {"constant", Staleness::constant}, {"polynomial", Staleness::polynomial}, {"hinge", Staleness::hinge}};
    if (!reads("staleness", ValueType::text)) {
      reads("staleness_a");
      reads("staleness_b");
      return;
    }
    options_.staleness = choose(table_, "staleness", names, options_.staleness);
    const std::string law = "the staleness here is " + text_of(names, options_.staleness);
    if (options_.staleness == Staleness::constant) {
      refuse(table_, "staleness_a", ValueType::number, "staleness = polynomial | hinge", law);
    } else {
      options_.staleness_a = table_.number("staleness_a", default_staleness_a(options_.staleness), positive);
    }
    if (options_.staleness == Staleness::hinge) {
      options_.staleness_b = table_.number("staleness_b", options_.staleness_b, non_negative);
    } else {
      refuse(table_, "staleness_b", ValueType::number, "staleness = hinge", law);
    }
  }

  void read_hierarchy() {
    FederatedOptions& federated = reading_.spec.federated;
    if (!reading_.works(Coordination::hierarchical)) {
      const std::string owner = "algorithm = " + entry_of(AlgorithmKind::hierarchical).name;
      refuse(table_, "edges", ValueType::number, owner, here());
      refuse(table_, "edge_rounds", ValueType::number, owner, here());
      refuse(table_, "edge_device", ValueType::text, owner, here());
      refuse(table_, "edge_link", ValueType::text, owner, here());
      return;
    }
    federated.edges = integer("edges", federated.edges);
    federated.edge_rounds = integer("edge_rounds", federated.edge_rounds);
    if (const Device* device = required_device(table_, "edge_device", reading_.reading))
      federated.edge_device = *device;
    if (const Link* link = required_link(table_, "edge_link", reading_.reading)) federated.edge_link = *link;
    const int clients = reading_.clients();
    if (clients > 0 && federated.edges > clients) {
      table_.problem("edges", fmt::format("{} are too many", federated.edges),
                     fmt::format("the federation has {} clients", clients), "give every edge a client");
    }
  }

  void read_neighbours() {
    static const Names<GossipTopology> names = {
        {"ring", GossipTopology::ring}, {"torus", GossipTopology::torus}, {"random", GossipTopology::random}};
    FederatedOptions& federated = reading_.spec.federated;
    if (!reading_.works(Coordination::gossip)) {
      const std::string owner = "algorithm = " + entry_of(AlgorithmKind::gossip).name;
      refuse(table_, "topology", ValueType::text, owner, here());
      refuse(table_, "degree", ValueType::number, owner, here());
      return;
    }
    federated.topology = choose(table_, "topology", names, federated.topology);
    const int clients = reading_.clients();
    if (clients == 1) {
      table_.problem("algorithm", "needs neighbours", "the federation has 1 client");
    }
    if (federated.topology != GossipTopology::random) {
      refuse(table_, "degree", ValueType::number, "topology = random",
             "the topology here is " + text_of(names, federated.topology));
      return;
    }
    federated.degree = integer("degree", federated.degree);
    if (clients > 1 && federated.degree >= clients) {
      table_.problem("degree", fmt::format("{} neighbours are too many", federated.degree),
                     fmt::format("a client has {} others", clients - 1));
    }
  }

  void read_cut() {
    if (!reading_.works(Coordination::split)) {
      refuse(table_, "cut_layer", ValueType::text, "algorithm = " + entry_of(AlgorithmKind::split).name, here());
      return;
    }
    std::string& cut = reading_.spec.federated.cut_layer;
    cut = table_.text("cut_layer", "");
    const LayerGraph& network = reading_.workload.network;
    if (cut.empty() || network.layers.empty()) return;
    std::vector<std::string> names;
    for (const Layer& layer : network.layers) names.push_back(layer.name);
    if (std::find(names.begin(), names.end(), cut) == names.end()) {
      table_.problem("cut_layer", fmt::format("no layer of {} is called \"{}\"", network.name, cut), {},
                     did_you_mean(cut, names));
    } else if (cut == names.back()) {
      table_.problem("cut_layer", "is the last layer", "nothing would be left for the server",
                     "name the last layer that the clients keep");
    }
  }

  int integer(std::string_view key, int fallback) {
    constexpr Range count{1.0, 1e6};
    return static_cast<int>(table_.integer(key, fallback, count));
  }

  const FederatedReading& reading_;
  TomlTable& table_;
  AlgorithmOptions& options_;
};

}  // namespace

void read_algorithm(const FederatedReading& reading) {
  AlgorithmReader(reading).read();
}

}  // namespace orrery
