// A scenario that says something in every table.
#pragma once

#include <string>

namespace orrery {

inline const std::string everything = R"([scenario]
name = "everything"
question = "what does \"everything\" cost?"
seed = 7
engine = "closed-form"
message_budget = 1000
reference = "half"
[workload]
network = "2nn"
dataset = "mnist"
batch = 32
precision = "fp32"
optimizer = "momentum"
learning_rate = 0.05
epochs = 2
learn = true
target_accuracy = 0.9
framework = "ideal"
data_origin = "clients"
[cluster]
system = "box"
nodes = 2
[federation]
server = "gpu"
server_link = "net"
partition = "dirichlet-classes"
alpha = 0.3
[[federation.group]]
count = 6
device = "phone"
link = "wan"
[[federation.group]]
count = 2
device = "gpu"
link = "net"
slowdown = 1.5
[[strategy]]
name = "half"
kind = "data"
devices = 4
collective = "hierarchical"
bucket_MiB = 1
overlap = false
accumulation = 2
precision = "fp32"
[[strategy]]
name = "other cluster"
kind = "pipeline"
schedule = "gpipe"
cluster = { device = "phone", nodes = 4, network_link = "net" }
fidelity = "segments"
segments = 2
[[strategy]]
name = "fedavg"
kind = "federated"
clients_per_round = 3
local_batch = 0
rounds = 5
selection = "fastest"
optimizer = "sgd"
[energy]
pue = 1.2
grid = "windy"
[cost]
electricity_per_kWh = 0.3
currency = "EUR"
[[assert]]
metric = "step_time_s"
strategy = "half"
max = 1.5
)";

}  // namespace orrery
