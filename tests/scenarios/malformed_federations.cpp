// Mistakes in [federation], and in who of it takes part, each with the whole text that a user sees.
#include "tests/scenarios/malformed.hpp"

namespace orrery {
namespace {

// Whose data the clients hold, in as many lines as two_nn has.
const std::string collected = "workload = { network = \"2nn\", data_origin = \"clients\" }\n\n";  // 2
const std::string data = "dataset_samples = 600\n";                                               // 1
const std::string learning = "dataset = \"mnist\"\nlearn = true\nsteps = 100\n";                  // 3

}  // namespace

TEST_CASE("clients on a grid emit only where server and network do") {
  const std::string clients = two_nn + "dataset_samples = 9\n" + two_clients + "grid = \"windy\"\n" + federated;
  CHECK(error_of(clients) ==
        "lab.toml: energy.grid: is missing (clients on the grid windy emit, and so do their server and the network) - "
        "add grid or gCO2e_per_kWh to [energy], or leave out that of the clients");
  CHECK(error_of(clients + "[energy]\ngCO2e_per_kWh = 100\n").empty());
  CHECK(error_of(clients + "[energy]\ngrid = \"windy\"\n").empty());
}

TEST_CASE("mistakes in a federation are told with their reason") {
  check_malformed({
      {"clients that nobody trains on, and whose data nobody moves", two_nn + box + two_clients + alone,
       R"(lab.toml:5:1: federation: has no effect (no strategy is of kind federated, and with data_origin = "cluster" clients send no data) - remove it, add a strategy of kind = "federated", or data_origin = "clients" to [workload]
  [federation]
  ^)"},
      {"clients whose data are moved",
       two_nn + "dataset_samples = 10\ndata_origin = \"clients\"\n" + box + two_clients + alone, ""},
      {"clients of one strategy of several", two_nn + "dataset_samples = 10\n" + box + two_clients + alone + federated,
       ""},
      {"clients of a strategy whose kind is not told",
       two_nn + box + two_clients + "[[strategy]]\nname = \"a\"\nkind = \"federatd\"\n",
       R"(lab.toml:13:8: strategy[0].kind: unknown name "federatd" - did you mean "federated"?
  kind = "federatd"
         ^)"},
      {"keys of another availability, and a group's keys beside groups", collected + R"([federation]
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
      {"an availability between its bounds", collected + R"([federation]
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
      {"times online and offline that the clock cannot tell, and ones that outlast everybody",
       collected + R"([federation]
clients = 2
device = "gpu"
link = "net"
server = "gpu"
server_link = "net"
availability = "on-off"
mean_online_s = 0.0001
mean_offline_s = 1e12
)" + box + alone,
       R"(lab.toml:10:17: federation.mean_online_s: 1e-04 s are too short (when years have passed the clock does not tell them any more) - use at least 0.001
  mean_online_s = 0.0001
                  ^
lab.toml:11:18: federation.mean_offline_s: 1000000000000 s are too long (1000000000 s are thirty years) - use at most 1000000000
  mean_offline_s = 1e12
                   ^)"},
      {"keys of a federation beside its groups", collected + R"([federation]
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
      {"traces that are not there, and what they would say", collected + R"([federation]
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
      {"labels where nothing is learned", collected + R"([federation]
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
)" + box + federated,
       R"(lab.toml:12:13: federation.partition: 80000 shards are too many (40000 clients x 2, and there are 60000 training samples) - use fewer clients or fewer shards for each
  partition = "shards"
              ^
lab.toml:13:9: federation.alpha: belongs to partition = dirichlet-classes | dirichlet-clients (the partition here is shards) - remove it
  alpha = 0.5
          ^)"},
      {"groups of samples that nobody knows", two_nn + learning + R"([federation]
clients = 4
device = "gpu"
link = "net"
server = "gpu"
server_link = "net"
partition = "natural"
)" + box + federated,
       R"(lab.toml:12:13: federation.partition: mnist does not say whom its samples come from (a natural partition deals each group of samples to one client) - take another partition, or dataset = "synthetic-writers"
  partition = "natural"
              ^)"},
      {"a partition that does not exist says nothing about its options", collected + R"([federation]
clients = 2
device = "gpu"
link = "net"
server = "gpu"
server_link = "net"
partition = "dirichlet-clints"
alpha = 0.5
)" + box + alone,
       R"(lab.toml:9:13: federation.partition: unknown name "dirichlet-clints" - did you mean "dirichlet-clients"?
  partition = "dirichlet-clints"
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
      {"more clients asked than there are", two_nn + data + ten_clients + federated + R"(clients_per_round = 9
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
      {"rules that need losses, and candidates", two_nn + data + ten_clients + federated + R"(clients_per_round = 4
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
      {"deadlines without rounds", two_nn + data + ten_clients + federated + R"(algorithm = "fedbuff"
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

}  // namespace orrery
