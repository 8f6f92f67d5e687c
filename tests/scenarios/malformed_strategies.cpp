// Mistakes in [[strategy]], each with the whole text that a user sees.
#include "tests/scenarios/malformed.hpp"

namespace orrery {

TEST_CASE("mistakes in a strategy are told with its kind and numbers") {
  check_malformed({
      {"options of other kinds of strategy", two_nn + box + replicas + R"(microbatches = 4
local_epochs = 2
split = "layers"
)",
       R"(lab.toml:8:16: strategy[0].microbatches: belongs to kind = pipeline (this strategy is kind = data) - remove it
  microbatches = 4
                 ^
lab.toml:9:16: strategy[0].local_epochs: belongs to kind = federated (this strategy is kind = data) - remove it
  local_epochs = 2
                 ^
lab.toml:10:9: strategy[0].split: belongs to kind = model (this strategy is kind = data) - remove it
  split = "layers"
          ^)"},
      {"a kind that does not exist", two_nn + box + R"([[strategy]]
name = "a"
kind = "pipelined"
microbatches = 4
)",
       R"(lab.toml:7:8: strategy[0].kind: unknown name "pipelined" - did you mean "pipeline"?
  kind = "pipelined"
         ^)"},
      {"a strategy without name and kind", two_nn + box + R"([[strategy]]
devices = 4
)",
       R"(lab.toml:5:1: strategy[0].name: is missing (required)
  [[strategy]]
  ^
lab.toml:5:1: strategy[0].kind: is missing (required) - one of: single, data, model, pipeline, hybrid, local-sgd, async, federated
  [[strategy]]
  ^)"},
      {"a strategy without a kind needs no end of learning", two_nn + R"(dataset = "mnist"
learn = true
)" + box + R"([[strategy]]
name = "a"
)",
       R"(lab.toml:7:1: strategy[0].kind: is missing (required) - one of: single, data, model, pipeline, hybrid, local-sgd, async, federated
  [[strategy]]
  ^)"},
      {"a batch that does not divide", two_nn + R"(batch = 30
)" + box + replicas + R"(devices = 4
[[strategy]]
name = "b"
kind = "pipeline"
devices = 2
microbatches = 7
[[strategy]]
name = "c"
kind = "single"
accumulation = 4
)",
       R"(lab.toml:9:11: strategy[0].devices: 4 devices do not divide the batch of 30 samples (each part has the same whole number of samples) - use a batch of 28 or 32
  devices = 4
            ^
lab.toml:14:16: strategy[1].microbatches: 7 micro-batches do not divide the batch of 30 samples (each part has the same whole number of samples) - use a batch of 28 or 35
  microbatches = 7
                 ^
lab.toml:18:16: strategy[2].accumulation: 4 micro-steps do not divide the batch of 30 samples (each part has the same whole number of samples) - use a batch of 28 or 32
  accumulation = 4
                 ^)"},
      {"more devices than there are", two_nn + box + replicas + R"(devices = 16
[[strategy]]
name = "b"
kind = "data"
collective = "parameter-server"
devices = 4
)",
       R"(lab.toml:8:11: strategy[0].devices: 16 devices are too many (the cluster has 4) - use fewer, or a larger cluster
  devices = 16
            ^
lab.toml:13:11: strategy[1].devices: 4 devices and one for the parameter server are too many (the cluster has 4) - use fewer, or a larger cluster
  devices = 4
            ^)"},
      {"a collective that cannot do it", two_nn + box + R"([[strategy]]
name = "a"
kind = "model"
split = "tensor"
collective = "parameter-server"
[[strategy]]
name = "b"
kind = "model"
split = "layers"
collective = "ring"
)",
       R"(lab.toml:9:14: strategy[0].collective: unknown name "parameter-server" - known: ring, halving-doubling, hierarchical
  collective = "parameter-server"
               ^
lab.toml:14:14: strategy[1].collective: belongs to split = tensor (with split = layers there are messages only) - remove it
  collective = "ring"
               ^)"},
      {"segments without their fidelity", two_nn + box + replicas + R"(segments = 4
)",
       R"(lab.toml:8:12: strategy[0].segments: belongs to fidelity = segments (the fidelity here is auto) - remove it
  segments = 4
             ^)"},
  });
}

TEST_CASE("keys that a layout has no use for are told") {
  const std::string layout = "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n";
  check_malformed({
      {"a capacity without experts", two_nn + box + layout + R"(capacity_factor = 1.25
expert_imbalance = 1.5
)",
       R"(lab.toml:8:19: strategy[0].capacity_factor: has no effect (2nn has no experts) - remove it
  capacity_factor = 1.25
                    ^
lab.toml:9:20: strategy[0].expert_imbalance: has no effect (2nn has no experts) - remove it
  expert_imbalance = 1.5
                     ^)"},
      {"lists of a search without a value, and of wrong ones", two_nn + box + layout + R"([search]
tp = []
recompute = []
pp = [0]
schedule = ["1f2b"]
)",
       R"(lab.toml:9:6: search.tp: is an empty list (no layout would be left to judge) - name values, or leave it out
  tp = []
       ^
lab.toml:10:13: search.recompute: is an empty list (no layout would be left to judge) - name values, or leave it out
  recompute = []
              ^
lab.toml:11:7: search.pp[0]: 0 is out of range (must be between 1 and 10000)
  pp = [0]
        ^
lab.toml:12:12: search.schedule: unknown name "1f2b" - did you mean "1f1b"?
  schedule = ["1f2b"]
             ^)"},
      {"how other kinds are computed and cut", two_nn + R"(compute = "roofline"
accumulation = 2
)" + box + layout,
       R"(lab.toml:3:11: workload.compute: has no effect (strategies of kind hybrid alone are priced by operators) - remove it
  compute = "roofline"
            ^
lab.toml:4:16: workload.accumulation: has no effect (strategies of kind hybrid have as many micro-batches as `microbatch` leaves) - remove it
  accumulation = 2
                 ^)"},
  });
  // Beside a strategy that reads them they stay.
  CHECK(error_of(two_nn + "compute = \"roofline\"\naccumulation = 2\n" + box + layout + alone) == "");
}

TEST_CASE("a straggler is a rank of the devices, where they are known") {
  const std::string slow = "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\nstraggler = { rank = 5, factor = 2 }\n";
  const std::string unknown = R"(lab.toml:4:10: cluster.system: unknown system "bix" - did you mean "box"?
  system = "bix"
           ^)";
  const std::string typo = two_nn + "[cluster]\nsystem = \"bix\"\n";
  check_malformed({
      {"beyond the devices", two_nn + box + slow,
       R"(lab.toml:8:22: strategy[0].straggler.rank: 5 is out of range (must be between 0 and 3)
  straggler = { rank = 5, factor = 2 }
                       ^)"},
      {"an unknown system", typo + slow, unknown},
      {"no rank of any devices", typo + R"([[strategy]]
name = "h"
kind = "hybrid"
straggler = { rank = -1, factor = 2 }
)",
       unknown + R"(
lab.toml:8:22: strategy[0].straggler.rank: -1 is out of range (must be at least 0)
  straggler = { rank = -1, factor = 2 }
                       ^)"},
      {"an unknown system and all degrees", typo + slow + "dp = 2\n", unknown + R"(
lab.toml:8:22: strategy[0].straggler.rank: 5 is out of range (must be between 0 and 1)
  straggler = { rank = 5, factor = 2 }
                       ^)"},
      {"a wrong degree", two_nn + box + slow + "tp = 0\n",
       R"(lab.toml:9:6: strategy[0].tp: 0 is out of range (must be between 1 and 10000)
  tp = 0
       ^)"},
  });
}

}  // namespace orrery
