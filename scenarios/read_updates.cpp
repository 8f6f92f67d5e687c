// What becomes of an update between client and server: compressed, noised, masked, or kept at home.
#include <fmt/format.h>

#include <algorithm>

#include "models/networks/layer_patterns.hpp"
#include "scenarios/federation_reading.hpp"

namespace orrery {
namespace {

class UpdatesReader {
 public:
  explicit UpdatesReader(const FederatedReading& reading)
      : reading_(reading), table_(reading.table), options_(reading.spec.federated) {}

  void read() {
    read_compression();
    read_privacy();
    read_secure_aggregation();
    read_personal_layers();
  }

 private:
  void read_compression() {
    CompressionOptions& compression = options_.compression;
    Names<CompressionKind> names;
    for (const CompressionEntry& entry : compressions()) names.push_back({entry.name, entry.kind});
    compression.kind = choose(table_, "compression", names, compression.kind);
    constexpr Range share{0.0, 1.0, Range::Low::open}, rank{1.0, 1e6}, levels{0.0, 1e6};
    if (reads("keep")) compression.keep = table_.number("keep", compression.keep, share);
    if (reads("levels")) {
      compression.levels = static_cast<int>(table_.integer("levels", compression.levels, levels));
    }
    if (reads("rank")) compression.rank = static_cast<int>(table_.integer("rank", compression.rank, rank));
    if (reads("error_feedback", ValueType::boolean)) {
      const bool is_on = table_.boolean("error_feedback", compression.error_feedback == ErrorFeedback::on);
      compression.error_feedback = is_on ? ErrorFeedback::on : ErrorFeedback::off;
    }
    if (compression.kind != CompressionKind::none && reading_.works(Coordination::split)) {
      table_.problem("compression", "shortens updates of whole networks", "a split network exchanges activations",
                     "leave it out");
    }
  }

  bool reads(const std::string& key, ValueType type = ValueType::number) {
    const auto& all = compressions();
    const auto here = std::find_if(all.begin(), all.end(),
                                   [this](const auto& entry) { return entry.kind == options_.compression.kind; });
    return reads_option(table_, all, *here, "compression", key, type);
  }

  void read_privacy() {
    if (reading_.spec.kind == StrategyKind::async) return;
    static const Names<PrivacyKind> names = {
        {"none", PrivacyKind::none}, {"central", PrivacyKind::central}, {"local", PrivacyKind::local}};
    PrivacyOptions& privacy = options_.privacy;
    privacy.kind = choose(table_, "privacy", names, privacy.kind);
    if (privacy.kind == PrivacyKind::none) {
      for (const char* key : {"update_clip", "noise_multiplier", "delta"}) {
        refuse(table_, key, ValueType::number, "privacy = central | local", "the privacy here is none");
      }
      return;
    }
    constexpr Range probability{0.0, 0.5, Range::Low::open};
    privacy.clip = table_.number("update_clip", privacy.clip, positive);
    privacy.noise_multiplier = table_.number("noise_multiplier", privacy.noise_multiplier, non_negative);
    if (table_.has("noise_multiplier") && privacy.noise_multiplier == 0) {
      table_.problem("noise_multiplier", "is no privacy", "without noise epsilon is infinite",
                     "use more than 0, or privacy = \"none\"");
    }
    privacy.delta = table_.number("delta", privacy.delta, probability);
    if (reading_.works(Coordination::split)) {
      table_.problem("privacy", "adds noise to updates of whole networks", "a split network exchanges activations",
                     "leave it out");
    }
  }

  void read_secure_aggregation() {
    if (reading_.spec.kind == StrategyKind::async) return;
    if (!table_.boolean("secure_aggregation", false)) {
      for (const char* key : {"secure_threshold", "ring_bits", "ring_range"}) {
        refuse(table_, key, ValueType::number, "secure_aggregation = true", "updates are sent in the clear");
      }
      return;
    }
    SecureAggregationOptions secure;
    // Bonawitz et al. 2017: above 2/3 against an active adversary, above 1/2 against a curious server.
    constexpr Range threshold{0.5, 1.0, Range::Low::open}, bits{8.0, 64.0};
    secure.threshold = table_.number("secure_threshold", secure.threshold, threshold);
    secure.bits = static_cast<int>(table_.integer("ring_bits", secure.bits, bits));
    secure.range = table_.number("ring_range", secure.range, positive);
    options_.secure = secure;
    const std::size_t asked = asked_clients(options_.participation), least = secure_minimum(secure, asked);
    const auto kept = static_cast<std::size_t>(options_.participation.clients_per_round);
    if (least <= kept) return;
    table_.problem(table_.has("secure_threshold") ? "secure_threshold" : "secure_aggregation",
                   fmt::format("needs {} of the {} clients asked", least, asked),
                   fmt::format("a round keeps {} reports, clients_per_round", kept),
                   "use a smaller over_selection or secure_threshold");
  }

  void read_personal_layers() {
    if (reading_.spec.kind == StrategyKind::async) return;
    options_.personal_layers = table_.texts("personal_layers");
    const LayerGraph& network = reading_.workload.network;
    if (options_.personal_layers.empty() || network.layers.empty()) return;
    if (reading_.works(Coordination::gossip) || reading_.works(Coordination::split)) {
      table_.problem("personal_layers", "belong to algorithms with a server's model",
                     "the algorithm here is " + reading_.algorithm().name, "remove it");
      return;
    }
    LayerGraph at_home = network;
    for (const std::string& pattern : options_.personal_layers) {
      if (names_layers(pattern)) freeze(at_home, pattern);
    }
    if (trainable_parameters(network) > 0 && trainable_parameters(at_home) == 0) {
      table_.problem("personal_layers", "keep all of " + network.name + " at home", "nothing would be learned together",
                     "leave out the layers that are shared");
    }
  }

  bool names_layers(const std::string& pattern) {
    const LayerGraph& network = reading_.workload.network;
    if (!layers_matching(network, pattern).empty()) return true;
    std::vector<std::string> names;
    for (const Layer& layer : network.layers) names.push_back(layer.name);
    table_.problem("personal_layers", fmt::format("no layer of {} is called \"{}\"", network.name, pattern), {},
                   did_you_mean(pattern, names));
    return false;
  }

  const FederatedReading& reading_;
  TomlTable& table_;
  FederatedOptions& options_;
};

}  // namespace

void read_updates(const FederatedReading& reading) {
  UpdatesReader(reading).read();
}

}  // namespace orrery
