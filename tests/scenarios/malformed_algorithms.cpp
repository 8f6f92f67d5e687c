// Mistakes in the algorithm of a federated strategy, each with the whole text that a user sees.
#include "tests/scenarios/malformed.hpp"

namespace orrery {
namespace {

const std::string data = "dataset_samples = 600\n";  // 1

}  // namespace

TEST_CASE("mistakes in an algorithm are told with what reads its options") {
  check_malformed({
      {"an unknown algorithm", two_nn + data + ten_clients + federated + R"(algorithm = "fedprx"
)",
       R"(lab.toml:13:13: strategy[0].algorithm: unknown name "fedprx" - did you mean "fedprox"?
  algorithm = "fedprx"
              ^)"},
      {"options of other algorithms", two_nn + data + ten_clients + federated + R"(proximal_mu = 0.1
beta1 = 0.5
buffer = 3
staleness = "hinge"
staleness_a = 1
edges = 2
edge_device = "gpu"
topology = "ring"
cut_layer = "dense1"
)",
       R"(lab.toml:13:15: strategy[0].proximal_mu: belongs to algorithm = fedprox (the algorithm here is fedavg) - remove it
  proximal_mu = 0.1
                ^
lab.toml:14:9: strategy[0].beta1: belongs to algorithm = fedadagrad | fedadam | fedyogi (the algorithm here is fedavg) - remove it
  beta1 = 0.5
          ^
lab.toml:15:10: strategy[0].buffer: belongs to algorithm = fedbuff (the algorithm here is fedavg) - remove it
  buffer = 3
           ^
lab.toml:16:13: strategy[0].staleness: belongs to algorithm = fedasync | fedbuff (the algorithm here is fedavg) - remove it
  staleness = "hinge"
              ^
lab.toml:17:15: strategy[0].staleness_a: belongs to algorithm = fedasync | fedbuff (the algorithm here is fedavg) - remove it
  staleness_a = 1
                ^
lab.toml:18:9: strategy[0].edges: belongs to algorithm = hierarchical (the algorithm here is fedavg) - remove it
  edges = 2
          ^
lab.toml:19:15: strategy[0].edge_device: belongs to algorithm = hierarchical (the algorithm here is fedavg) - remove it
  edge_device = "gpu"
                ^
lab.toml:20:12: strategy[0].topology: belongs to algorithm = gossip (the algorithm here is fedavg) - remove it
  topology = "ring"
             ^
lab.toml:21:13: strategy[0].cut_layer: belongs to algorithm = split (the algorithm here is fedavg) - remove it
  cut_layer = "dense1"
              ^)"},
      {"staleness, its law and its range", two_nn + data + ten_clients + federated + R"(algorithm = "fedasync"
staleness = "polynomial"
staleness_a = 0
staleness_b = 4
mixing = 2
[[strategy]]
name = "g"
kind = "federated"
algorithm = "fedbuff"
staleness = "constant"
staleness_a = 1
buffer = 0
)",
       R"(lab.toml:15:15: strategy[0].staleness_a: 0 is out of range (must be more than 0)
  staleness_a = 0
                ^
lab.toml:16:15: strategy[0].staleness_b: belongs to staleness = hinge (the staleness here is polynomial) - remove it
  staleness_b = 4
                ^
lab.toml:17:10: strategy[0].mixing: 2 is out of range (must be more than 0 and at most 1)
  mixing = 2
           ^
lab.toml:23:15: strategy[1].staleness_a: belongs to staleness = polynomial | hinge (the staleness here is constant) - remove it
  staleness_a = 1
                ^
lab.toml:24:10: strategy[1].buffer: 0 is out of range (must be between 1 and 1000000)
  buffer = 0
           ^)"},
      {"one step of the whole local set has no epochs",
       two_nn + data + ten_clients + federated + R"(algorithm = "fedsgd"
local_epochs = 1
local_batch = 10
optimizer = "adam"
)",
       R"(lab.toml:14:16: strategy[0].local_epochs: belongs to algorithms with local training (fedsgd makes one step with all local samples: E = 1, B = infinite) - remove it
  local_epochs = 1
                 ^
lab.toml:15:15: strategy[0].local_batch: belongs to algorithms with local training (fedsgd makes one step with all local samples: E = 1, B = infinite) - remove it
  local_batch = 10
                ^
lab.toml:16:13: strategy[0].optimizer: adam has no use in one step (a client's optimizer starts anew with every model it gets, and fedsgd makes one step) - use optimizer = "sgd"
  optimizer = "adam"
              ^)"},
      {"steps beside epochs, and fewer epochs at most than at least",
       two_nn + data + ten_clients + federated + R"(local_steps = 5
local_epochs = 2
[[strategy]]
name = "g"
kind = "federated"
local_epochs = 3
most_local_epochs = 2
)",
       R"(lab.toml:14:16: strategy[0].local_epochs: belongs to a strategy without local_steps (local_steps says how much a client trains) - remove it
  local_epochs = 2
                 ^
lab.toml:19:21: strategy[1].most_local_epochs: is below local_epochs (clients draw between 3 and 2) - use at least local_epochs
  most_local_epochs = 2
                      ^)"},
      {"an optimizer that the formulas do not know", two_nn + data + ten_clients + federated + R"(algorithm = "scaffold"
optimizer = "adam"
[[strategy]]
name = "g"
kind = "federated"
algorithm = "fednova"
optimizer = "lamb"
)",
       R"(lab.toml:14:13: strategy[0].optimizer: adam does not go with scaffold (its formulas divide by the learning rate of plain steps) - use optimizer = "sgd", "momentum" or "nesterov"
  optimizer = "adam"
              ^
lab.toml:19:13: strategy[1].optimizer: fednova does not know how lamb accumulates gradients (its normalisation is for sgd and momentum) - take one of these
  optimizer = "lamb"
              ^)"},
      {"a hierarchy without edges to speak of", two_nn + data + ten_clients + federated + R"(algorithm = "hierarchical"
edges = 11
edge_link = "nett"
)",
       R"(lab.toml:10:1: strategy[0].edge_device: is missing (required)
  [[strategy]]
  ^
lab.toml:14:9: strategy[0].edges: 11 are too many (the federation has 10 clients) - give every edge a client
  edges = 11
          ^
lab.toml:15:13: strategy[0].edge_link: unknown link "nett" - did you mean "net"?
  edge_link = "nett"
              ^)"},
      {"too many neighbours", two_nn + data + ten_clients + federated + R"(algorithm = "gossip"
topology = "random"
degree = 10
[[strategy]]
name = "g"
kind = "federated"
algorithm = "gossip"
degree = 3
)",
       R"(lab.toml:15:10: strategy[0].degree: 10 neighbours are too many (a client has 9 others)
  degree = 10
           ^
lab.toml:20:10: strategy[1].degree: belongs to topology = random (the topology here is ring) - remove it
  degree = 3
           ^)"},
      {"cuts where there is no layer, or nothing behind it",
       two_nn + data + ten_clients + federated + R"(algorithm = "split"
cut_layer = "dense9"
[[strategy]]
name = "g"
kind = "federated"
algorithm = "split"
cut_layer = "loss"
compression = "int8"
)",
       R"(lab.toml:14:13: strategy[0].cut_layer: no layer of 2nn is called "dense9" - did you mean "dense1"?
  cut_layer = "dense9"
              ^
lab.toml:19:13: strategy[1].cut_layer: is the last layer (nothing would be left for the server) - name the last layer that the clients keep
  cut_layer = "loss"
              ^
lab.toml:20:15: strategy[1].compression: shortens updates of whole networks (a split network exchanges activations) - leave it out
  compression = "int8"
                ^)"},
  });
}

}  // namespace orrery
