// Federated algorithms as mathematics: what a client's local steps add to the gradient, and what the server makes of
// the updates. One file per algorithm, one line in the table. No clock, no network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// Who talks to whom, and when: which coordinator drives the algorithm on the simulated clock.
enum class Coordination : std::uint8_t { rounds, asynchronous, hierarchical, gossip, split };

enum class AlgorithmKind : std::uint8_t {
  fedsgd,
  fedavg,
  fedprox,
  fedavgm,
  fedadagrad,
  fedadam,
  fedyogi,
  scaffold,
  fednova,
  qfedavg,
  fedasync,
  fedbuff,
  async_sgd,  // not federated: workers of a parameter server, each update one gradient
  hierarchical,
  gossip,
  split
};

/// How an update loses weight with its staleness t (server updates since its weights were downloaded), Xie et al. 2019:
/// constant 1; polynomial (1 + t)^-a; hinge 1 if t <= b, else 1 / (a (t - b) + 1).
enum class Staleness : std::uint8_t { constant, polynomial, hinge };

struct AlgorithmOptions {
  AlgorithmKind kind = AlgorithmKind::fedavg;
  double proximal_mu = 0.01;          // fedprox
  double server_learning_rate = 1.0;  // all but fedsgd, qfedavg, fedasync, gossip, split
  double server_momentum = 0.9;       // fedavgm
  double beta1 = 0.9, beta2 = 0.99;   // fedadagrad (beta1), fedadam, fedyogi: Reddi et al. 2021
  double tau = 1e-3;                  // their adaptivity
  double fairness_q = 1.0;            // qfedavg; 0: fedavg
  double mixing = 0.6;                // fedasync: alpha
  Staleness staleness = Staleness::polynomial;
  double staleness_a = 0.5, staleness_b = 4;  // of polynomial; hinge: default_staleness_a()
  int buffer = 10;                            // fedbuff: updates per server step
};
/// Xie et al. 2019, section 6: a = 0.5 of polynomial, a = 10 of hinge.
double default_staleness_a(Staleness staleness);
double staleness_weight(const AlgorithmOptions& options, std::int64_t staleness);

/// A model's numbers, shared by all who hold them.
using Weights = std::shared_ptr<const std::vector<float>>;

/// What changes on a client when its update is accepted; it never leaves the client.
struct ClientState {
  std::vector<float> residual{};  // error feedback: what compression has left out, of the parameters that are sent
  std::vector<float> personal{};  // numbers of the personal layers
};

/// What arrives at the server from one client.
struct ClientUpdate {
  std::size_t client = 0;
  Weights received{};            // what its training started from (fedasync's model is received + delta)
  std::vector<float> delta{};    // trained weights - received weights: parameters, then running statistics
  std::vector<float> control{};  // scaffold: change of the client's control variate; else empty
  double train_loss = 0;         // mean over its local steps
  double start_loss = 0;         // qfedavg: of the received weights on the client's data
  std::int64_t samples = 0;      // size of its local set: its weight in the average
  std::int64_t steps = 0;        // local steps made
  double learning_rate = 0;      // of these steps
  std::int64_t staleness = 0;    // set by who knows when it was received
  ClientState kept{};
};

/// Of every local step: proximal (w - received) is added to the gradient, rate x shift to the step down (StepTerm).
/// Empty shift: none.
struct LocalTerm {
  double proximal = 0;
  std::span<const float> shift{};
};

/// What an algorithm is told of the training it serves.
struct AlgorithmSetup {
  AlgorithmOptions options{};
  std::size_t clients = 1;     // known
  std::size_t parameters = 0;  // numbers of a model that are trained; running statistics follow them
  std::size_t weights = 0;     // all of a model's numbers
  double learning_rate = 0.1;  // of the clients' optimizer
  double momentum = 0;         // of the clients' optimizer; 0: none (fednova)
};

class FederatedAlgorithm {
 public:
  virtual ~FederatedAlgorithm() = default;

  /// Of the client's next local training: valid until the next apply(). Called before its training, from one thread.
  [[nodiscard]] virtual LocalTerm local_term(std::size_t client);
  /// Called for each trained client, in any order and from any thread, before its update is compressed: fills what the
  /// algorithm sends beside the delta.
  virtual void finish_client(ClientUpdate& update) const;
  /// The server's step: changes `weights` (parameters, then running statistics; these are always averaged by samples)
  /// and the algorithm's own state, by these updates in this order. At least one.
  virtual void apply(std::span<float> weights, std::span<const ClientUpdate> updates) = 0;
};

/// Of the options, where an algorithm's default is not that of most.
struct AlgorithmDefaults {
  double server_learning_rate = 1.0;
  double beta1 = 0.9;
};

struct FederatedAlgorithmEntry {
  AlgorithmKind kind;
  std::string name, summary, source;
  Coordination coordination;
  int extra_models;  // parameters cross so many times more, down beside the weights and up beside the delta
  int models_kept;   // on the server beside the model, read and written in every step: momentum, first and second
                     // moments, control variate
  std::vector<std::string> options;  // keys of AlgorithmOptions that it reads, by their scenario names
  std::unique_ptr<FederatedAlgorithm> (*make)(const AlgorithmSetup& setup);
  AlgorithmDefaults defaults = {};
};
const std::vector<FederatedAlgorithmEntry>& federated_algorithms();
const FederatedAlgorithmEntry& entry_of(AlgorithmKind kind);
/// What a scenario that names nothing but the algorithm stands for.
AlgorithmOptions default_options(AlgorithmKind kind);

/// sum_k n_k / n delta_k over numbers [first, last), added in double in the order given. Bits do not depend on threads.
std::vector<double> mean_delta(std::span<const ClientUpdate> updates, std::size_t first, std::size_t last);
/// The same with factors[k] in the place of n_k / n.
std::vector<double> weighted_sum(std::span<const ClientUpdate> updates, std::span<const double> factors,
                                 std::size_t first, std::size_t last);

}  // namespace orrery
