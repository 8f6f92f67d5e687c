// Plans with recomputation: when the forward passes run again, and what that costs.
#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "sim/base/files.hpp"
#include "tests/catch.hpp"
#include "tests/scenarios/small.hpp"
#include "tests/sim/base/scratch_folder.hpp"

namespace orrery {
namespace {

// Two blocks of dense (10 -> 10) and gelu, and a head of 4 units: 200 FLOPs a sample in each block, 80 in the head. The
// segments are the blocks and the head with the loss.
const char* const network = R"([network]
name = "blocks"
title = "Two blocks"
source = "made for this test"
sample = "vector"
input = [1, 1, 10]
classes = 4
layers = [
  { name = "b", block = "pair", width = 10, repeat = 2 },
  { name = "head", kind = "dense", units = 4 },
  { name = "loss", kind = "softmax_cross_entropy" },
]
[blocks]
pair = [{ name = "dense", kind = "dense", units = 1 }, { name = "gelu", kind = "gelu" }]
)";

/// A scenario of that network; its file need not stay.
Lab lab_of(const std::string& strategy, const std::string& workload = {}) {
  const ScratchFolder folder;
  const std::string file = (folder.path() / "blocks.toml").string();
  write_file(file, network);
  return Lab("[workload]\nnetwork = \"" + file +
             "\"\nframework = \"ideal\"\ncompute = \"roofline\"\nrecompute = \"full\"\nbatch = 8\n" + workload +
             "[cluster]\ndevice = \"gpu\"\nnodes = 8\nnetwork_link = \"net\"\n[[strategy]]\nname = \"a\"\n" + strategy);
}

/// F, R, B, U: what a rank computes, in order.
std::string computed(const Plan& plan, std::size_t rank = 0) {
  std::string text;
  for (const Op& op : plan.program.ops()) {
    if (op.rank != RankId(rank) || op.stream != Stream::compute) continue;
    text += op.phase == Phase::forward     ? 'F'
            : op.phase == Phase::recompute ? 'R'
            : op.phase == Phase::backward  ? 'B'
                                           : 'U';
  }
  return text;
}

double flops(const Plan& plan, Phase phase, std::size_t rank = 0) {
  double sum = 0;
  for (const Op& op : plan.program.ops()) {
    if (op.rank != RankId(rank) || op.phase != phase || op.stream != Stream::compute) continue;
    sum += std::get<Compute>(op.action).flops.value();
  }
  return sum;
}

TEST_CASE("one device runs all segments but the last forward again") {
  const Lab lab = lab_of("kind = \"single\"\naccumulation = 2\n");
  const Plan plan = lab.plan();
  CHECK(computed(plan) == "FRBFRBU");
  CHECK(flops(plan, Phase::forward) == 8 * 480);
  CHECK(flops(plan, Phase::recompute) == 8 * 400);
  CHECK(plan.model_flops.value() == 8 * 3 * 480);  // what the model needs does not change
  CHECK(lab.run(plan).makespan.value() == Approx(8 * (3 * 480 + 400) / 1e9));
  CHECK(plan.notes.back() ==
        "recompute: 3 segments keep their inputs only; backward runs the forward pass of each once more, but of the "
        "last, whose activations are still there");
}

TEST_CASE("a strategy may do without, or be the only one that does it") {
  const Plan without = lab_of("kind = \"single\"\nrecompute = \"none\"\n").plan();
  CHECK(computed(without) == "FBU");
  // per sample: the inputs of all layers with weights or gelu, and 4 probabilities; the inputs of segments, and 10.
  CHECK(without.memory.activations.value() == 8 * 4 * 54);
  CHECK(lab_of("kind = \"single\"\n").plan().memory.activations.value() == 8 * 4 * 40);
}

TEST_CASE("overlapped data parallelism recomputes a segment when backward meets it, before its first bucket") {
  // A bucket per layer with weights: head and loss, the second block, the first block's gelu and dense.
  const Plan plan = lab_of("kind = \"data\"\ndevices = 2\nbucket_MiB = 0.00001\n").plan();
  CHECK(computed(plan) == "FBRBRBU");
  CHECK(flops(plan, Phase::recompute) == 4 * 400);
  const Plan at_once = lab_of("kind = \"data\"\ndevices = 2\noverlap = false\n").plan();
  CHECK(computed(at_once) == "FRBU");
  CHECK(flops(at_once, Phase::recompute) == 4 * 400);
}

TEST_CASE("buckets that end within segments recompute each segment whole, once") {
  const auto plan = [](const std::string& keys) {
    return Lab("[workload]\nnetwork = \"gpt2\"\nbatch = 2\nrecompute = \"full\"\n[cluster]\ndevice = \"gpu\"\nnodes = "
               "2\n"
               "network_link = \"net\"\n[[strategy]]\nname = \"a\"\nkind = \"data\"\n" +
               keys)
        .plan();
  };
  const double at_once = flops(plan("overlap = false\n"), Phase::recompute);
  for (const char* bucket : {"0.001", "5", "13", "25", "1000"}) {
    CAPTURE(bucket);
    CHECK(flops(plan(std::string("bucket_MiB = ") + bucket + "\n"), Phase::recompute) == Approx(at_once));
  }
}

TEST_CASE("tensor parallelism repeats the exchanges of what it recomputes") {
  const Plan plan = lab_of("kind = \"model\"\nsplit = \"tensor\"\ndevices = 2\n").plan();
  const auto exchanges = [&](Phase phase) {
    return std::count_if(plan.program.ops().begin(), plan.program.ops().end(), [&](const Op& op) {
      return op.rank == RankId(std::size_t{0}) && op.stream == Stream::collective && op.phase == phase;
    });
  };
  // Forward: the second block's dense adds its rows up; so it does again. The head's exchanges are not repeated.
  CHECK(exchanges(Phase::recompute) >= 1);
  CHECK(exchanges(Phase::recompute) < exchanges(Phase::forward));
  CHECK(flops(plan, Phase::recompute) == 8 * (100 + 100));
}

TEST_CASE("a pipeline stage recomputes what it holds, right after forward, its last segment is still there") {
  const std::string keys = "kind = \"pipeline\"\ndevices = 3\nmicrobatches = 4\n";
  const Plan one_f_one_b = lab_of(keys + "schedule = \"1f1b\"\n").plan();
  const Plan gpipe = lab_of(keys + "schedule = \"gpipe\"\n").plan();
  // Each stage has one segment. The last one goes back at once: with 1F1B always, with GPipe once.
  CHECK(computed(one_f_one_b, 2) == "FBFBFBFBU");
  CHECK(computed(gpipe, 2) == "FFFFBRBRBRBU");
  CHECK(computed(one_f_one_b, 0) == "FFFRBFRBRBRBU");
  CHECK(flops(one_f_one_b, Phase::recompute, 0) == 4 * 2 * 200);
  CHECK(flops(gpipe, Phase::recompute, 2) == 3 * 2 * 80);
  // The first stage keeps three inputs and the inside of one segment.
  CHECK(one_f_one_b.memory.activations.value() == 2 * 4 * (3 * 10 + 10));
}

TEST_CASE("recomputation of a real network costs a third of a step less the last segment's, and saves memory") {
  for (const char* name : {"gpt2", "resnet50"}) {
    CAPTURE(name);
    const std::string text =
        std::string("[workload]\nnetwork = \"") + name +
        "\"\nbatch = 1\n[cluster]\ndevice = \"gpu\"\n[[strategy]]\nname = \"a\"\nkind = \"single\"\n";
    const Plan without = Lab(text).plan(), with = Lab(text + "recompute = \"full\"\n").plan();
    CHECK(with.memory.activations < without.memory.activations);
    CHECK(flops(with, Phase::recompute) < flops(with, Phase::forward));
    CHECK(flops(with, Phase::recompute) > 0.6 * flops(with, Phase::forward));
    CHECK(flops(with, Phase::backward) == flops(without, Phase::backward));
  }
}

}  // namespace
}  // namespace orrery
