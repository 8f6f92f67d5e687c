// Mistakes in what becomes of updates, in asynchronous and local SGD, seeds and network energy, each with its whole
// text.
#include "tests/scenarios/malformed.hpp"

namespace orrery {
namespace {

const std::string data = "dataset_samples = 600\n";                               // 1
const std::string learning = "dataset = \"mnist\"\nlearn = true\nsteps = 100\n";  // 3

}  // namespace

TEST_CASE("mistakes in what becomes of updates are told with their reason") {
  check_malformed({
      {"options of another compression", two_nn + data + ten_clients + federated + R"(compression = "top-k"
keep = 0
levels = 4
rank = 2
[[strategy]]
name = "g"
kind = "federated"
keep = 0.1
error_feedback = true
)",
       R"(lab.toml:14:8: strategy[0].keep: 0 is out of range (must be more than 0 and at most 1)
  keep = 0
         ^
lab.toml:15:10: strategy[0].levels: belongs to compression = qsgd (the compression here is top-k) - remove it
  levels = 4
           ^
lab.toml:16:8: strategy[0].rank: belongs to compression = low-rank (the compression here is top-k) - remove it
  rank = 2
         ^
lab.toml:20:8: strategy[1].keep: belongs to compression = top-k | random-k (the compression here is none) - remove it
  keep = 0.1
         ^
lab.toml:21:18: strategy[1].error_feedback: belongs to compression = top-k | sign | low-rank (the compression here is none) - remove it
  error_feedback = true
                   ^)"},
      {"privacy without its kind, and where it cannot be", two_nn + data + ten_clients + federated + R"(update_clip = 1
noise_multiplier = 1
[[strategy]]
name = "g"
kind = "federated"
algorithm = "fedasync"
privacy = "central"
[[strategy]]
name = "h"
kind = "federated"
algorithm = "scaffold"
privacy = "local"
delta = 0.6
)",
       R"(lab.toml:13:15: strategy[0].update_clip: belongs to privacy = central | local (the privacy here is none) - remove it
  update_clip = 1
                ^
lab.toml:14:20: strategy[0].noise_multiplier: belongs to privacy = central | local (the privacy here is none) - remove it
  noise_multiplier = 1
                     ^
lab.toml:19:11: strategy[1].privacy: fedasync has no central noise (it goes onto a sum of clients' updates of equal weight at one server) - take local noise, or fedavg, fedprox, fedavgm, fedadam or fedbuff
  privacy = "central"
            ^
lab.toml:24:11: strategy[2].privacy: scaffold cannot be private (control variates are sent without noise) - take fedavg, fedprox, fedavgm or fedadam
  privacy = "local"
            ^
lab.toml:25:9: strategy[2].delta: 0.6 is out of range (must be more than 0 and at most 0.5)
  delta = 0.6
          ^)"},
      {"masks that do not add up", two_nn + data + ten_clients + federated + R"(secure_aggregation = true
secure_threshold = 0.5
compression = "top-k"
[[strategy]]
name = "g"
kind = "federated"
algorithm = "fedbuff"
secure_aggregation = true
[[strategy]]
name = "h"
kind = "federated"
ring_bits = 16
)",
       R"(lab.toml:13:22: strategy[0].secure_aggregation: compressed updates cannot be masked (masks are dense numbers of the ring, which ring_bits makes smaller) - take compression = "none" and fewer ring_bits
  secure_aggregation = true
                       ^
lab.toml:14:20: strategy[0].secure_threshold: 0.5 is out of range (must be more than 0.5 and at most 1)
  secure_threshold = 0.5
                     ^
lab.toml:20:22: strategy[1].secure_aggregation: fedbuff has no rounds (masks cancel in the sum of a round's clients alone) - take an algorithm with rounds
  secure_aggregation = true
                       ^
lab.toml:24:13: strategy[2].ring_bits: belongs to secure_aggregation = true (updates are sent in the clear) - remove it
  ring_bits = 16
              ^)"},
      {"masks of more clients than reports are kept, and noise of nothing",
       two_nn + data + ten_clients + federated + R"(clients_per_round = 5
over_selection = 2
secure_aggregation = true
[[strategy]]
name = "g"
kind = "federated"
privacy = "central"
noise_multiplier = 0
)",
       R"(lab.toml:15:22: strategy[0].secure_aggregation: needs 7 of the 10 clients asked (a round keeps 5 reports, clients_per_round) - use a smaller over_selection or secure_threshold
  secure_aggregation = true
                       ^
lab.toml:20:20: strategy[1].noise_multiplier: is no privacy (without noise epsilon is infinite) - use more than 0, or privacy = "none"
  noise_multiplier = 0
                     ^)"},
      {"personal layers that are not there, or all of them",
       two_nn + data + ten_clients + federated + R"(personal_layers = ["dense9"]
[[strategy]]
name = "g"
kind = "federated"
personal_layers = ["dense*"]
[[strategy]]
name = "h"
kind = "federated"
algorithm = "gossip"
personal_layers = ["dense3"]
)",
       R"(lab.toml:13:19: strategy[0].personal_layers: no layer of 2nn is called "dense9" - did you mean "dense1"?
  personal_layers = ["dense9"]
                    ^
lab.toml:17:19: strategy[1].personal_layers: keep all of 2nn at home (nothing would be learned together) - leave out the layers that are shared
  personal_layers = ["dense*"]
                    ^
lab.toml:22:19: strategy[2].personal_layers: belong to algorithms with a server's model (the algorithm here is gossip) - remove it
  personal_layers = ["dense3"]
                    ^)"},
  });
}

TEST_CASE("mistakes in asynchronous and local SGD are told with their reason") {
  check_malformed({
      {"an asynchronous strategy without an end", two_nn + data + box + R"([[strategy]]
name = "a"
kind = "async"
optimizer = "momentum"
algorithm = "fedasync"
rounds = 3
offline = "resume"
)",
       R"(lab.toml:6:1: strategy[0].steps: is missing (neither this strategy nor [workload] says how long to train) - add steps: updates of the server
  [[strategy]]
  ^
lab.toml:9:13: strategy[0].optimizer: momentum has no use in one step (a client's optimizer starts anew with every model it gets, and async-sgd makes one step) - use optimizer = "sgd"
  optimizer = "momentum"
              ^
lab.toml:10:13: strategy[0].algorithm: belongs to kind = federated (this strategy is kind = async) - remove it
  algorithm = "fedasync"
              ^
lab.toml:11:10: strategy[0].rounds: belongs to kind = federated (this strategy is kind = async) - remove it
  rounds = 3
           ^
lab.toml:12:11: strategy[0].offline: belongs to kind = federated (this strategy is kind = async) - remove it
  offline = "resume"
            ^)"},
      {"asynchronous without data", two_nn + R"([[strategy]]
name = "a"
kind = "async"
steps = 3
)",
       R"(lab.toml:3:1: strategy[0].cluster: kind = async needs a cluster (the scenario has no [cluster]) - add a [cluster], or cluster = { ... } here
  [[strategy]]
  ^
lab.toml:5:8: strategy[0].kind: async needs a data set (each trains on its own part of it) - add dataset or dataset_samples to [workload]
  kind = "async"
         ^)"},
      {"local steps without devices to share a batch", two_nn + box + R"([[strategy]]
name = "a"
kind = "local-sgd"
devices = 3
collective = "parameter-server"
local_steps = 0
)",
       R"(lab.toml:8:11: strategy[0].devices: 3 devices do not divide the batch of 64 samples (each part has the same whole number of samples) - use a batch of 63 or 66
  devices = 3
            ^
lab.toml:9:14: strategy[0].collective: unknown name "parameter-server" - known: ring, double-binary-tree, halving-doubling, hierarchical
  collective = "parameter-server"
               ^
lab.toml:10:15: strategy[0].local_steps: 0 is out of range (must be between 1 and 1000000)
  local_steps = 0
                ^)"},
  });
}

TEST_CASE("mistakes in seeds and network energy are told with their reason") {
  check_malformed({
      {"weights of several runs in one file",
       std::string("[scenario]\nseeds = 3\n") + two_nn + learning + "save_weights = \"w\"\n" + box + alone +
           R"([[strategy]]
name = "l"
kind = "local-sgd"
save_weights = "v"
)",
       R"(lab.toml:8:16: workload.save_weights: is the file of one run (there are 3 seeds, each with weights of its own) - use seeds = 1, or leave it out
  save_weights = "w"
                 ^
lab.toml:17:16: strategy[1].save_weights: is the file of one run (there are 3 seeds, each with weights of its own) - use seeds = 1, or leave it out
  save_weights = "v"
                 ^)"},
      {"figures of the other model of the network", two_nn + box + alone + R"([energy]
network = "intensity"
gateway_W = 10
wan_J_per_GB = 1
fixed_kWh_per_GB = -1
[scenario]
seeds = 0
)",
       R"(lab.toml:10:13: energy.gateway_W: belongs to network = power (the network here is counted by intensity, and the two are never mixed) - remove it
  gateway_W = 10
              ^
lab.toml:11:16: energy.wan_J_per_GB: belongs to network = power (the network here is counted by intensity, and the two are never mixed) - remove it
  wan_J_per_GB = 1
                 ^
lab.toml:12:20: energy.fixed_kWh_per_GB: -1 is out of range (must be between 0 and 1000)
  fixed_kWh_per_GB = -1
                     ^
lab.toml:14:9: scenario.seeds: 0 is out of range (must be between 1 and 1000)
  seeds = 0
          ^)"},
  });
}

}  // namespace orrery
