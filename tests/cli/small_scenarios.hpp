// Scenarios of several tests.
#pragma once

#include <string>

namespace orrery::testing {

inline const std::string four_v100 = R"(
[cluster]
device = "v100-sxm2-16"
devices_per_node = 4
node_link = "nvlink2"
)";

inline const std::string one_and_four = R"(
[[strategy]]
name = "one"
kind = "single"

[[strategy]]
name = "four"
kind = "data"
)";

/// Strategies "one" and "four", without learning.
inline const std::string two_ways = R"([workload]
network = "2nn"
batch = 64
compute = "roofline"
)" + four_v100 + one_and_four;

/// Strategies "one", "four" and "fedavg", with learning.
inline const std::string three_ways = R"([scenario]
name = "small"
question = "does it run?"

[workload]
network = "2nn"
dataset = "synthetic"
batch = 64
learning_rate = 0.1
steps = 40
learn = true
evaluate_every = 20
compute = "roofline"
)" + four_v100 + R"(
[federation]
clients = 4
device = "jetson-nano"
link = "wifi5"
server = "xeon-8380"
server_link = "eth-1g"
)" + one_and_four + R"(
[[strategy]]
name = "fedavg"
kind = "federated"
clients_per_round = 2
rounds = 3
)";

/// Strategy "one" does not fit in the memory of its device.
inline const std::string too_big = R"([scenario]
name = "big"
[workload]
network = "gpt2-xl"
batch = 64
optimizer = "adam"
[cluster]
device = "rtx3080"
devices_per_node = 4
node_link = "pcie4x16"
[[strategy]]
name = "one"
kind = "single"
)";
/// One more strategy for it, "small", that fits.
inline const std::string roomy = R"([[strategy]]
name = "small"
kind = "single"
cluster = {device = "h200-sxm"}
accumulation = 64
)";

}  // namespace orrery::testing
