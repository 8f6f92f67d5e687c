// Mistakes in [federation] and in federated and asynchronous strategies, each with the whole text that a user sees.
#include "tests/scenarios/malformed.hpp"

namespace orrery {
namespace {

const std::string data = "dataset_samples = 600\n";                                                             // 1
const std::string learning = "dataset = \"mnist\"\nlearn = true\nsteps = 100\n";                                // 3
const std::string ten = "[federation]\nclients = 10\ndevice = \"gpu\"\nlink = \"net\"\n" + served + federated;  // 9

}  // namespace

TEST_CASE("mistakes in a federation are told with their reason") {
  check_malformed({
      {"keys of another availability, and a group's keys beside groups", two_nn + R"([federation]
clients = 2
device = "gpu"
link = "net"
server = "gpu"
server_link = "net"
mean_online_s = 60
amplitude = 0.5
zones = [1, 2]
trace = "week.csv"
)" + box + alone,
       R"(lab.toml:9:17: federation.mean_online_s: belongs to availability = on-off | diurnal (the availability here is always) - remove it
  mean_online_s = 60
                  ^
lab.toml:10:13: federation.amplitude: belongs to availability = diurnal (the availability here is always) - remove it
  amplitude = 0.5
              ^
lab.toml:11:9: federation.zones: belongs to availability = diurnal (the availability here is always) - remove it
  zones = [1, 2]
          ^
lab.toml:12:9: federation.trace: belongs to availability = trace (the availability here is always) - remove it
  trace = "week.csv"
          ^)"},
      {"an availability between its bounds", two_nn + R"([federation]
clients = 2
device = "gpu"
link = "net"
server = "gpu"
server_link = "net"
availability = "diurnal"
amplitude = 1.5
peak_hour = 25
mean_offline_s = 0
zones = [40]
)" + box + alone,
       R"(lab.toml:10:13: federation.amplitude: 1.5 is out of range (must be between 0 and 1)
  amplitude = 1.5
              ^
lab.toml:11:13: federation.peak_hour: 25 is out of range (must be between 0 and 24)
  peak_hour = 25
              ^
lab.toml:12:18: federation.mean_offline_s: 0 is out of range (must be more than 0)
  mean_offline_s = 0
                   ^
lab.toml:13:10: federation.zones[0]: 40 is out of range (must be between -12 and 14)
  zones = [40]
           ^)"},
      {"keys of a federation beside its groups", two_nn + R"([federation]
server = "gpu"
server_link = "net"
clients = 3
slowdown = 2
availability = "diurnal"
[[federation.group]]
count = 2
device = "gpu"
link = "net"
grid = "sunny"
)" + box + alone,
       R"(lab.toml:6:11: federation.clients: belongs to a federation without groups (each [[federation.group]] has its own) - remove it
  clients = 3
            ^
lab.toml:7:12: federation.slowdown: belongs to a federation without groups (each [[federation.group]] has its own) - remove it
  slowdown = 2
             ^
lab.toml:8:16: federation.availability: belongs to a federation without groups (each [[federation.group]] has its own) - remove it
  availability = "diurnal"
                 ^
lab.toml:13:8: federation.group[0].grid: unknown grid "sunny" - known: windy
  grid = "sunny"
         ^)"},
      {"traces that are not there, and what they would say", two_nn + R"([federation]
clients = 2
device = "gpu"
link = "net"
server = "gpu"
server_link = "net"
availability = "trace"
trace = "none.csv"
capacity_trace = "none.csv"
speed_sigma = 0.5
sample_ms = 5
)" + box + alone,
       R"(lab.toml:10:9: federation.trace: there is no file "none.csv"
  trace = "none.csv"
          ^
lab.toml:11:18: federation.capacity_trace: there is no file "none.csv"
  capacity_trace = "none.csv"
                   ^
lab.toml:12:15: federation.speed_sigma: belongs to a group without capacity_trace (the trace says it of each client) - remove it
  speed_sigma = 0.5
                ^
lab.toml:13:13: federation.sample_ms: belongs to a group without capacity_trace (the trace says it of each client) - remove it
  sample_ms = 5
              ^)"},
      {"labels where nothing is learned", two_nn + R"([federation]
clients = 2
device = "gpu"
link = "net"
server = "gpu"
server_link = "net"
partition = "dirichlet-clients"
shards_per_client = 3
)" + box + alone,
       R"(lab.toml:9:13: federation.partition: dirichlet-clients deals samples by their labels (without learning no sample has one) - use learn = true, or partition = "iid" or "quantity"
  partition = "dirichlet-clients"
              ^
lab.toml:10:21: federation.shards_per_client: belongs to partition = shards (the partition here is dirichlet-clients) - remove it
  shards_per_client = 3
                      ^)"},
      {"more shards than samples", two_nn + learning + R"([federation]
clients = 40000
device = "gpu"
link = "net"
server = "gpu"
server_link = "net"
partition = "shards"
alpha = 0.5
)" + box + alone,
       R"(lab.toml:12:13: federation.partition: 80000 shards are too many (40000 clients x 2, and there are 60000 training samples) - use fewer clients or fewer shards for each
  partition = "shards"
              ^
lab.toml:13:9: federation.alpha: belongs to partition = dirichlet-classes | dirichlet-clients (the partition here is shards) - remove it
  alpha = 0.5
          ^)"},
      {"the letters of the paper", two_nn + R"(dataset_samples = 600
[federation]
K = 100
clients = 100
device = "gpu"
link = "net"
server = "gpu"
server_link = "net"
[[strategy]]
name = "f"
kind = "federated"
C = 0.1
E = 1
B = 10
eta = 0.1
)",
       R"(lab.toml:5:5: federation.K: is a letter of the FedAvg paper (keys have long names) - use clients (or the counts of the groups) in [federation]
  K = 100
      ^
lab.toml:14:5: strategy[0].C: is a letter of the FedAvg paper (keys have long names) - use clients_per_round in [[strategy]], a number of clients: C x all of them, or 1 where C = 0
  C = 0.1
      ^
lab.toml:15:5: strategy[0].E: is a letter of the FedAvg paper (keys have long names) - use local_epochs in [[strategy]]
  E = 1
      ^
lab.toml:16:5: strategy[0].B: is a letter of the FedAvg paper (keys have long names) - use local_batch in [[strategy]], 0 where B is infinite
  B = 10
      ^
lab.toml:17:7: strategy[0].eta: is a letter of the FedAvg paper (keys have long names) - use learning_rate in [[strategy]] or [workload]
  eta = 0.1
        ^)"},
  });
}

TEST_CASE("mistakes in who takes part are told with their numbers") {
  check_malformed({
      {"more clients asked than there are", two_nn + data + ten + R"(clients_per_round = 9
over_selection = 1.3
min_reports = 10
deadline_s = -1
[[strategy]]
name = "g"
kind = "federated"
clients_per_round = 11
)",
       R"(lab.toml:14:18: strategy[0].over_selection: asks 12 clients (9 x 1.3, and the federation has 10) - ask fewer, or add clients
  over_selection = 1.3
                   ^
lab.toml:15:15: strategy[0].min_reports: 10 are never there (a round keeps 9 reports, clients_per_round) - use at most clients_per_round
  min_reports = 10
                ^
lab.toml:16:14: strategy[0].deadline_s: -1 is out of range (must be at least 0)
  deadline_s = -1
               ^
lab.toml:20:21: strategy[1].clients_per_round: 11 are too many (the federation has 10 clients)
  clients_per_round = 11
                      ^)"},
      {"rules that need losses, and candidates", two_nn + data + ten + R"(clients_per_round = 4
selection = "power-of-choice"
candidates = 3
[[strategy]]
name = "g"
kind = "federated"
candidates = 3
offline = "giveup"
)",
       R"(lab.toml:14:13: strategy[0].selection: power-of-choice chooses by the clients' losses (nothing is learned here) - use learn = true, or another rule
  selection = "power-of-choice"
              ^
lab.toml:15:14: strategy[0].candidates: 3 are too few (4 of them take part) - use more, or 0: twice as many
  candidates = 3
               ^
lab.toml:19:14: strategy[1].candidates: belongs to selection = power-of-choice | energy-aware (the selection here is random) - remove it
  candidates = 3
               ^
lab.toml:20:11: strategy[1].offline: unknown name "giveup" - did you mean "give-up"?
  offline = "giveup"
            ^)"},
      {"deadlines without rounds", two_nn + data + ten + R"(algorithm = "fedbuff"
clients_per_round = 4
deadline_s = 60
over_selection = 1.3
min_reports = 2
[[strategy]]
name = "g"
kind = "federated"
algorithm = "gossip"
clients_per_round = 2
selection = "fastest"
)",
       R"(lab.toml:15:14: strategy[0].deadline_s: belongs to algorithms in rounds (fedbuff is asynchronous) - remove it
  deadline_s = 60
               ^
lab.toml:16:18: strategy[0].over_selection: belongs to algorithms in rounds (fedbuff is asynchronous) - remove it
  over_selection = 1.3
                   ^
lab.toml:17:15: strategy[0].min_reports: belongs to algorithms in rounds (fedbuff is asynchronous) - remove it
  min_reports = 2
                ^
lab.toml:22:21: strategy[1].clients_per_round: belongs to algorithms that choose clients (gossip lets all clients talk to their neighbours) - remove it
  clients_per_round = 2
                      ^
lab.toml:23:13: strategy[1].selection: belongs to algorithms that choose clients (gossip lets all clients talk to their neighbours) - remove it
  selection = "fastest"
              ^)"},
  });
}

TEST_CASE("mistakes in an algorithm are told with what reads its options") {
  check_malformed({
      {"an unknown algorithm", two_nn + data + ten + R"(algorithm = "fedprx"
)",
       R"(lab.toml:13:13: strategy[0].algorithm: unknown name "fedprx" - did you mean "fedprox"?
  algorithm = "fedprx"
              ^)"},
      {"options of other algorithms", two_nn + data + ten + R"(proximal_mu = 0.1
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
      {"staleness, its law and its range", two_nn + data + ten + R"(algorithm = "fedasync"
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
      {"one step of the whole local set has no epochs", two_nn + data + ten + R"(algorithm = "fedsgd"
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
      {"steps beside epochs, and fewer epochs at most than at least", two_nn + data + ten + R"(local_steps = 5
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
      {"an optimizer that the formulas do not know", two_nn + data + ten + R"(algorithm = "scaffold"
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
      {"a hierarchy without edges to speak of", two_nn + data + ten + R"(algorithm = "hierarchical"
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
      {"too many neighbours", two_nn + data + ten + R"(algorithm = "gossip"
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
      {"cuts where there is no layer, or nothing behind it", two_nn + data + ten + R"(algorithm = "split"
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

TEST_CASE("mistakes in what becomes of updates are told with their reason") {
  check_malformed({
      {"options of another compression", two_nn + data + ten + R"(compression = "top-k"
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
      {"privacy without its kind, and where it cannot be", two_nn + data + ten + R"(update_clip = 1
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
      {"masks that do not add up", two_nn + data + ten + R"(secure_aggregation = true
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
       R"(lab.toml:13:22: strategy[0].secure_aggregation: compressed updates cannot be masked (masks are dense numbers of the ring, which the key bits makes smaller) - take compression = "none" and fewer bits
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
      {"personal layers that are not there, or all of them", two_nn + data + ten + R"(personal_layers = ["dense9"]
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
lab.toml:12:20: energy.fixed_kWh_per_GB: -1 is out of range (must be at least 0)
  fixed_kWh_per_GB = -1
                     ^
lab.toml:14:9: scenario.seeds: 0 is out of range (must be between 1 and 1000)
  seeds = 0
          ^)"},
  });
}

}  // namespace orrery
