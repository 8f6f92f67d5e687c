#include "analysis/cli/explain_federated.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/training/federated/federated_training.hpp"
#include "scenarios/client_population.hpp"
#include "scenarios/federated/client_work.hpp"
#include "scenarios/federated/coordinator.hpp"
#include "scenarios/federated/gossip_graph.hpp"
#include "scenarios/federated/learner.hpp"
#include "scenarios/federated/split_work.hpp"
#include "scenarios/number_formats.hpp"
#include "scenarios/plan.hpp"
#include "sim/base/human.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

std::string line(const std::string& text) {
  return "  " + text + "\n";
}

/// Updates that a server step is made of.
int updates_per_step(const StrategySpec& strategy) {
  const FederatedOptions& options = strategy.federated;
  switch (entry_of(options.algorithm.kind).coordination) {
    case Coordination::asynchronous:
      return options.algorithm.kind == AlgorithmKind::fedbuff ? options.algorithm.buffer : 1;
    case Coordination::hierarchical:
      return options.participation.clients_per_round * options.edge_rounds;
    default:
      return options.participation.clients_per_round;
  }
}

std::string split_bytes_lines(const Scenario& scenario, const StrategySpec& strategy) {
  const LayerGraph& network = scenario.workload.network;
  const SplitBytes bytes = split_bytes(network, strategy);
  const SplitShares shares = client_shares(network, bytes.first_server_layer);
  return line(fmt::format("cut                 behind layer {}", network.layers[bytes.first_server_layer - 1].name)) +
         line(fmt::format("client's computing  {:.2f} % of a sample's training FLOPs: of its time where it is measured",
                          (shares.forward + shares.backward) * 100)) +
         line(fmt::format(
             "bytes of a turn     {} down and up for the client's layers, and for every sample trained on {} "
             "up and {} down",
             number_text(bytes.client_layers.value()), number_text(bytes.up_per_sample.value()),
             number_text(bytes.down_per_sample.value()))) +
         line(fmt::format("bytes of a step     {}, and what is wasted",
                          human_count(strategy.federated.participation.clients_per_round, "turn")));
}

/// The graph that the run draws.
std::string gossip_bytes_lines(const Scenario& scenario, const StrategySpec& strategy) {
  const UpdateBytes bytes = update_bytes(scenario.workload.network, training_options(scenario, strategy));
  Random random = Random::derived(scenario.seed, "gossip");
  const GossipGraph graph = gossip_graph(strategy.federated.topology, strategy.federated.degree,
                                         static_cast<std::size_t>(scenario.federation.clients()), random);
  std::size_t messages = 0;
  for (const auto& neighbours : graph) messages += neighbours.size();
  return line(fmt::format("bytes of a message  {} ({} numbers)", number_text(bytes.up.value()), bytes.numbers)) +
         line(fmt::format("bytes of a step     {} messages, every client to each of its neighbours, = {}, when all "
                          "are online",
                          messages, number_text(static_cast<double>(messages) * bytes.up.value())));
}

std::string client_bytes_line(const UpdateBytes& bytes) {
  return line(fmt::format("bytes of a client   {} down, {} up ({} numbers in an update)",
                          number_text(bytes.down.value()), number_text(bytes.up.value()), bytes.numbers));
}

std::string bytes_lines(const Scenario& scenario, const StrategySpec& strategy) {
  const UpdateBytes bytes = update_bytes(scenario.workload.network, training_options(scenario, strategy));
  const int updates = updates_per_step(strategy);
  return client_bytes_line(bytes) +
         line(fmt::format("bytes of a step     {} x (down + up) = {}, and what is wasted",
                          human_count(updates, "update"), number_text(updates * (bytes.down + bytes.up).value())));
}

/// Clients talk to their edges in every round there; a model goes to each edge and one comes back once a step.
std::string hierarchy_bytes_lines(const Scenario& scenario, const StrategySpec& strategy) {
  const FederatedTrainingOptions options = training_options(scenario, strategy);
  const UpdateBytes bytes = update_bytes(scenario.workload.network, options);
  const int updates = updates_per_step(strategy);
  const int edges = std::min(strategy.federated.edges, scenario.federation.clients());
  const Bytes model = model_bytes(bytes, options);
  const Bytes sum = updates * (bytes.down + bytes.up) + 2.0 * edges * model;
  return client_bytes_line(bytes) +
         line(fmt::format("bytes of an edge    {} down and up", number_text(model.value()))) +
         line(fmt::format("bytes of a step     {} x (down + up) + {} x (down + up) = {}, and what is wasted",
                          human_count(updates, "update"), human_count(edges, "edge"), number_text(sum.value())));
}

std::string sent_lines(const Scenario& scenario, const StrategySpec& strategy) {
  switch (entry_of(strategy.federated.algorithm.kind).coordination) {
    case Coordination::split:
      return split_bytes_lines(scenario, strategy);
    case Coordination::gossip:
      return gossip_bytes_lines(scenario, strategy);
    case Coordination::hierarchical:
      return hierarchy_bytes_lines(scenario, strategy);
    default:
      return bytes_lines(scenario, strategy);
  }
}

std::string staleness_line(const AlgorithmOptions& algorithm) {
  const std::vector<std::string>& reads = entry_of(algorithm.kind).options;
  if (std::find(reads.begin(), reads.end(), "staleness") == reads.end()) return {};
  std::string weights;
  for (const std::int64_t age : {0, 1, 2, 5, 10, 20}) {
    weights += fmt::format("{}{}: {:.3f}", weights.empty() ? "" : ", ", age, staleness_weight(algorithm, age));
  }
  const char* law = algorithm.staleness == Staleness::constant     ? "1"
                    : algorithm.staleness == Staleness::polynomial ? "(1 + t)^-a"
                                                                   : "1 if t <= b, else 1 / (a (t - b) + 1)";
  return line(fmt::format("staleness weight    {}; t = {}", law, weights));
}

std::string compression_line(const CompressionOptions& options) {
  if (options.kind == CompressionKind::none) return {};
  for (const CompressionEntry& entry : compressions()) {
    if (entry.kind == options.kind) {
      return line(fmt::format("compression         {}: {} ({})", entry.name, entry.summary, entry.source));
    }
  }
  return {};
}

std::string secure_line(const Scenario& scenario, const StrategySpec& strategy) {
  const auto& secure = strategy.federated.secure;
  if (!secure) return {};
  const auto clients = static_cast<std::size_t>(strategy.federated.participation.clients_per_round);
  const UpdateBytes bytes = update_bytes(scenario.workload.network, training_options(scenario, strategy));
  const SecureAggregationCost cost = secure_aggregation_cost(*secure, clients, 0, bytes.numbers);
  return line(
      fmt::format("secure aggregation  {}, nobody drops out: {} up and {} beside the model down each, {}; {} on a "
                  "client and {} on the server at 1e9 operations per second (Bonawitz et al. 2017)",
                  human_count(clients, "client"), human(cost.up), human(cost.down),
                  human_count(cost.round_trips, "round trip"), human(cost.client_compute), human(cost.server_compute)));
}

std::string privacy_line(const Scenario& scenario, const StrategySpec& strategy) {
  const PrivacyOptions& privacy = strategy.federated.privacy;
  if (privacy.kind == PrivacyKind::none) return {};
  const bool is_local = privacy.kind == PrivacyKind::local;
  const double rate = is_local ? 1.0 : sampling_rate(scenario.federation, strategy.federated);
  RdpAccountant accountant;
  accountant.add(rate, is_local ? local_noise_multiplier(privacy) : privacy.noise_multiplier,
                 strategy.federated.rounds);
  return line(fmt::format(
      "privacy             {}: updates clipped to norm {}, noise of deviation {} x {}; after {} epsilon {:.3f} at "
      "delta {} for {}",
      is_local ? "local" : "central", number_text(privacy.clip), number_text(privacy.noise_multiplier),
      number_text(privacy.clip), human_count(strategy.federated.rounds, "round"), accountant.epsilon(privacy.delta),
      number_text(privacy.delta),
      is_local ? "a client that takes part in all of them"
               : fmt::format("clients that take part with chance {}", number_text(rate))));
}

std::string local_work_line(const StrategySpec& strategy) {
  const FederatedOptions& options = strategy.federated;
  const std::string batch = options.local_batch == 0 ? "the whole local set" : fmt::format("{}", options.local_batch);
  if (options.algorithm.kind == AlgorithmKind::fedsgd)
    return line("local work          one step on the whole local set");
  if (options.local_steps > 0) {
    return line(fmt::format("local work          {} of batch {}", human_count(options.local_steps, "step"), batch));
  }
  const std::string epochs = options.most_local_epochs > options.local_epochs
                                 ? fmt::format("{} to {} epochs", options.local_epochs, options.most_local_epochs)
                                 : human_count(options.local_epochs, "epoch");
  return line(fmt::format("local work          {} of ceil(local samples / batch) steps, batch {}", epochs, batch));
}

std::string format_lines(const Scenario& scenario, const StrategySpec& strategy) {
  std::string text;
  const Population population = client_population(scenario, strategy, scenario.seed);
  for (const std::string& note : format_notes(strategy.precision, population.groups)) text += line(note);
  return text;
}

}  // namespace

std::string explain_cosimulated(const Scenario& scenario, const StrategySpec& strategy) {
  require_training_format(strategy.precision);
  const FederatedOptions& options = strategy.federated;
  const FederatedAlgorithmEntry& algorithm = entry_of(options.algorithm.kind);
  return line(fmt::format("algorithm           {}: {} ({})", algorithm.name, algorithm.summary, algorithm.source)) +
         line("time                " + coordinator_of(options).formula + "; decided while it runs") +
         local_work_line(strategy) + sent_lines(scenario, strategy) + staleness_line(options.algorithm) +
         compression_line(options.compression) + secure_line(scenario, strategy) + privacy_line(scenario, strategy) +
         format_lines(scenario, strategy) +
         line(
             "learns by itself; centralised ways share one curve, since splitting a synchronous step changes no "
             "number");
}

std::string federated_formulas(const Scenario& scenario) {
  const bool any = std::any_of(scenario.strategies.begin(), scenario.strategies.end(),
                               [](const StrategySpec& strategy) { return is_cosimulated(strategy.kind); });
  if (!any) return {};
  const std::string network =
      scenario.energy.network == NetworkEnergy::power
          ? "always-on gateway / devices + access line for as long as a transfer holds them, + J/GB beyond them"
          : "kWh per GB of fixed and mobile networks x bytes";
  return "  a client's training    local steps x (step overhead + forward + backward + optimizer), slowed as drawn\n"
         "  a client's transfer    latency + bytes through its line and the server's, shared max-min fairly; paused "
         "or\n"
         "                         started again as `offline` says\n"
         "  waste                  bytes and joules of every trip that did not report, and of bytes that a transfer\n"
         "                         sent again; useful + waste = total\n"
         "  network energy         " +
         network + " (the two models differ by up to 1000 x)\n";
}

}  // namespace orrery
