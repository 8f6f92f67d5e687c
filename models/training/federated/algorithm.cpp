// The table of federated algorithms. Adding one: its file, its maker in server_step.hpp, a row here.
#include "models/training/federated/algorithm.hpp"

#include <algorithm>
#include <cmath>

#include "models/training/federated/server_step.hpp"
#include "sim/base/contract.hpp"

namespace orrery {

LocalTerm FederatedAlgorithm::local_term(std::size_t /*client*/) {
  return {};
}
void FederatedAlgorithm::finish_client(ClientUpdate& /*update*/) const {}

double default_staleness_a(Staleness staleness) {
  return staleness == Staleness::hinge ? 10.0 : 0.5;
}

double staleness_weight(const AlgorithmOptions& options, std::int64_t staleness) {
  ORRERY_EXPECT(staleness >= 0);
  const auto age = static_cast<double>(staleness);
  switch (options.staleness) {
    case Staleness::constant:
      return 1.0;
    case Staleness::polynomial:
      return std::pow(1.0 + age, -options.staleness_a);
    case Staleness::hinge:
      return age <= options.staleness_b ? 1.0 : 1.0 / (options.staleness_a * (age - options.staleness_b) + 1.0);
  }
  return 1.0;
}

const std::vector<FederatedAlgorithmEntry>& federated_algorithms() {
  using A = AlgorithmKind;
  using C = Coordination;
  // Their steps are about the server's rate long in every weight, whatever the clients' changes: at 1 they diverge.
  // assumed: 0.03; Reddi et al. 2021 tune it per task, mostly to between 0.003 and 0.3 (their appendix). Momentum 0 of
  // fedadagrad, 0.9 of the others: theirs.
  constexpr AlgorithmDefaults adagrad{.server_learning_rate = 0.03, .beta1 = 0.0};
  constexpr AlgorithmDefaults adaptive{.server_learning_rate = 0.03, .beta1 = 0.9};
  static const std::vector<FederatedAlgorithmEntry> entries{
      {A::fedsgd,
       "fedsgd",
       "one gradient of each client's whole local set, averaged by samples",
       "McMahan et al. 2017 (arXiv 1602.05629)",
       C::rounds,
       0,
       0,
       {},
       make_fedsgd},
      {A::fedavg,
       "fedavg",
       "local SGD, then the average of the models by samples",
       "McMahan et al. 2017 (arXiv 1602.05629)",
       C::rounds,
       0,
       0,
       {"server_learning_rate"},
       make_fedavg},
      {A::fedprox,
       "fedprox",
       "fedavg with a pull of local training towards the received weights",
       "Li et al. 2020 (arXiv 1812.06127)",
       C::rounds,
       0,
       0,
       {"proximal_mu", "server_learning_rate"},
       make_fedprox},
      {A::fedavgm,
       "fedavgm",
       "fedavg with momentum on the server",
       "Hsu et al. 2019 (arXiv 1909.06335)",
       C::rounds,
       0,
       1,
       {"server_learning_rate", "server_momentum"},
       make_fedavgm},
      {A::fedadagrad,
       "fedadagrad",
       "AdaGrad on the server, with the mean change as its gradient",
       "Reddi et al. 2021 (arXiv 2003.00295)",
       C::rounds,
       0,
       2,
       {"server_learning_rate", "beta1", "tau"},
       make_adaptive,
       adagrad},
      {A::fedadam,
       "fedadam",
       "Adam on the server, with the mean change as its gradient",
       "Reddi et al. 2021 (arXiv 2003.00295)",
       C::rounds,
       0,
       2,
       {"server_learning_rate", "beta1", "beta2", "tau"},
       make_adaptive,
       adaptive},
      {A::fedyogi,
       "fedyogi",
       "Yogi on the server, with the mean change as its gradient",
       "Reddi et al. 2021 (arXiv 2003.00295)",
       C::rounds,
       0,
       2,
       {"server_learning_rate", "beta1", "beta2", "tau"},
       make_adaptive,
       adaptive},
      {A::scaffold,
       "scaffold",
       "control variates correct the drift of local training; two models cross each way",
       "Karimireddy et al. 2020 (arXiv 1910.06378), option II",
       C::rounds,
       1,
       1,
       {"server_learning_rate"},
       make_scaffold},
      {A::fednova,
       "fednova",
       "averages changes per local step: clients may make different numbers of them",
       "Wang et al. 2020 (arXiv 2007.07481)",
       C::rounds,
       0,
       0,
       {"server_learning_rate"},
       make_fednova},
      {A::qfedavg,
       "qfedavg",
       "clients with a larger loss weigh more: q from 0 (not at all) on",
       "Li et al. 2020 (arXiv 1905.10497)",
       C::rounds,
       0,
       0,
       {"fairness_q"},
       make_qfedavg},
      {A::fedasync,
       "fedasync",
       "every client's model is mixed in as it comes, less when it is stale",
       "Xie et al. 2019 (arXiv 1903.03934)",
       C::asynchronous,
       0,
       0,
       {"mixing", "staleness", "staleness_a", "staleness_b"},
       make_fedasync},
      {A::fedbuff,
       "fedbuff",
       "asynchronous clients, a server step per so many updates",
       "Nguyen et al. 2022 (arXiv 2106.06639)",
       C::asynchronous,
       0,
       0,
       {"server_learning_rate", "staleness", "staleness_a", "staleness_b", "buffer"},
       make_fedbuff},
      {A::async_sgd,
       "async-sgd",
       "workers of a parameter server: every gradient is applied as it comes",
       "Dean et al. 2012 (Downpour SGD)",
       C::asynchronous,
       0,
       0,
       {"server_learning_rate"},
       make_async_sgd},
      {A::hierarchical,
       "hierarchical",
       "fedavg at edge servers, and of these in the cloud",
       "Liu et al. 2020 (arXiv 1905.06641)",
       C::hierarchical,
       0,
       0,
       {"server_learning_rate"},
       make_fedavg},
      {A::gossip,
       "gossip",
       "no server: clients average with their neighbours",
       "Lian et al. 2017 (arXiv 1705.09056)",
       C::gossip,
       0,
       0,
       {},
       make_fedsgd},
      {A::split,
       "split",
       "the network is cut: clients run its first layers, the server the others",
       "Gupta and Raskar 2018 (arXiv 1810.06060)",
       C::split,
       0,
       0,
       {},
       make_fedsgd}};
  return entries;
}

const FederatedAlgorithmEntry& entry_of(AlgorithmKind kind) {
  const auto& entries = federated_algorithms();
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.kind == kind; });
  ORRERY_EXPECT(found != entries.end());
  return *found;
}

AlgorithmOptions default_options(AlgorithmKind kind) {
  const AlgorithmDefaults& defaults = entry_of(kind).defaults;
  AlgorithmOptions options;
  options.kind = kind;
  options.server_learning_rate = defaults.server_learning_rate;
  options.beta1 = defaults.beta1;
  return options;
}

}  // namespace orrery
