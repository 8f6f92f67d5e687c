// Mistakes in [cluster] and [federation], each with the whole text that a user sees.
#include "tests/scenarios/malformed.hpp"

namespace orrery {

TEST_CASE("mistakes in clusters and federations are told with the nearest names") {
  check_malformed({
      {"more nodes than the system has", two_nn + box + R"(nodes = 3
)" + alone,
       R"(lab.toml:5:9: cluster.nodes: 3 nodes are too many (box has at most 2)
  nodes = 3
          ^)"},
      {"more devices than a node of the system has", two_nn + box + R"(devices_per_node = 5
)" + alone,
       R"(lab.toml:5:20: cluster.devices_per_node: 5 devices are too many (a node of box has 4)
  devices_per_node = 5
                     ^)"},
      {"a system and a device", two_nn + box + R"(device = "gpu"
)" + alone,
       R"(lab.toml:5:10: cluster.device: is given beside system (a system has its own device) - keep one of them
  device = "gpu"
           ^)"},
      {"a cluster that names nothing", two_nn + R"([cluster]
nodes = 2
)" + alone,
       R"(lab.toml:3:1: cluster.system: is missing (a cluster is a system of the catalogue, or a device and its links) - add system = "..." or device = "..."
  [cluster]
  ^)"},
      {"unknown devices, links, fabrics and grids", two_nn + R"([cluster]
device = "gpy"
network_link = "nett"
)" + alone + R"(cluster = { device = "gpu", network_link = "nett", nodes = 2, fabric = "stra" }
[energy]
grid = "windi"
)",
       R"(lab.toml:4:10: cluster.device: unknown device "gpy" - did you mean "gpu"?
  device = "gpy"
           ^
lab.toml:5:16: cluster.network_link: unknown link "nett" - did you mean "net"?
  network_link = "nett"
                 ^
lab.toml:9:44: strategy[0].cluster.network_link: unknown link "nett" - did you mean "net"?
  cluster = { device = "gpu", network_link = "nett", nodes = 2, fabric = "stra" }
                                             ^
lab.toml:9:72: strategy[0].cluster.fabric: unknown fabric "stra" - did you mean "star"?
  cluster = { device = "gpu", network_link = "nett", nodes = 2, fabric = "stra" }
                                                                         ^
lab.toml:11:8: energy.grid: unknown grid "windi" - did you mean "windy"?
  grid = "windi"
         ^)"},
      {"options that the fabric does not read", two_nn + R"([cluster]
device = "gpu"
network_link = "net"
nodes = 2
oversubscription = 4
nodes_per_leaf = 8
)" + alone,
       R"(lab.toml:7:20: cluster.oversubscription: has no effect (fabric = "star" does not read it) - remove it, or choose fat-tree
  oversubscription = 4
                     ^
lab.toml:8:18: cluster.nodes_per_leaf: has no effect (fabric = "star" does not read it) - remove it, or choose fat-tree
  nodes_per_leaf = 8
                   ^)"},
      {"nodes that nothing joins", two_nn + R"([cluster]
device = "gpu"
nodes = 2
)" + alone + R"(cluster = { nodes = 1, devices_per_node = 2 }
)",
       R"(lab.toml:3:1: cluster.network_link: is missing (2 nodes need a network) - add network_link = "..."
  [cluster]
  ^
lab.toml:9:11: strategy[0].cluster.node_link: is missing (2 devices of a node need a link between them) - add node_link = "...", or network_link when they talk over the network
  cluster = { nodes = 1, devices_per_node = 2 }
            ^)"},
      {"a strategy without a cluster", two_nn + alone,
       R"(lab.toml:3:1: strategy[0].cluster: kind = single needs a cluster (the scenario has no [cluster]) - add a [cluster], or cluster = { ... } here
  [[strategy]]
  ^)"},
      {"federated without a federation", two_nn + R"(data_origin = "clients"
)" + box + R"([[strategy]]
name = "a"
kind = "federated"
)",
       R"(lab.toml:3:15: workload.data_origin: clients are where the data is born (the scenario has no [federation]) - add a [federation], or data_origin = "cluster"
  data_origin = "clients"
                ^
lab.toml:8:8: strategy[0].kind: federated needs clients (the scenario has no [federation]) - add a [federation]
  kind = "federated"
         ^
lab.toml:8:8: strategy[0].kind: federated needs a data set (each trains on its own part of it) - add dataset or dataset_samples to [workload]
  kind = "federated"
         ^)"},
      {"a federation half described", two_nn + R"(dataset = "mnist"
[federation]
clients = 10
device = "fone"
link = "wan"
alpha = 0.5
[[strategy]]
name = "a"
kind = "federated"
clients_per_round = 11
cluster = { nodes = 2 }
)",
       R"(lab.toml:4:1: federation.server: is missing (required)
  [federation]
  ^
lab.toml:4:1: federation.server_link: is missing (required)
  [federation]
  ^
lab.toml:6:10: federation.device: unknown device "fone" - did you mean "phone"?
  device = "fone"
           ^
lab.toml:8:9: federation.alpha: belongs to partition = dirichlet-classes | dirichlet-clients (the partition here is iid) - remove it
  alpha = 0.5
          ^
lab.toml:12:21: strategy[0].clients_per_round: 11 are too many (the federation has 10 clients)
  clients_per_round = 11
                      ^
lab.toml:13:11: strategy[0].cluster: belongs to kind = single | data | model | pipeline | hybrid | local-sgd | async (this strategy is kind = federated) - remove it
  cluster = { nodes = 2 }
            ^)"},
      {"groups beside a single kind of client", two_nn + R"(dataset = "mnist"
[federation]
clients = 10
server = "gpu"
server_link = "net"
[[federation.group]]
count = 3
device = "phone"
link = "wan"
slowdown = 0
[[strategy]]
name = "a"
kind = "federated"
)",
       R"(lab.toml:5:11: federation.clients: belongs to a federation without groups (each [[federation.group]] has its own) - remove it
  clients = 10
            ^
lab.toml:12:12: federation.group[0].slowdown: 0 is out of range (must be more than 0)
  slowdown = 0
             ^)"},
  });
}

}  // namespace orrery
