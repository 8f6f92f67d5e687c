// Ways of different kinds that do the same work take the same time.
#include <fmt/format.h>

#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

struct Lab {
  std::string network, device, framework, precision, optimizer;
  int batch = 8;
};

Scenario lab(const Lab& what, const std::string& strategy) {
  return shipped_lab(
      fmt::format("[workload]\nnetwork = \"{}\"\nbatch = {}\nframework = \"{}\"\nprecision = \"{}\"\n"
                  "optimizer = \"{}\"\n[cluster]\ndevice = \"{}\"\n[[strategy]]\nname = \"a\"\n{}",
                  what.network, what.batch, what.framework, what.precision, what.optimizer, what.device, strategy));
}

/// Seconds in which kernels run: what energy takes a device to be in training.
double kernel_time(const Way& way) {
  Seconds busy;
  for (const Activity& activity : way.records.activities) {
    if (activity.stream == Stream::compute) busy += activity.end - activity.start;
  }
  return (busy * (1.0 - way.gap_share)).value();
}

}  // namespace

TEST_CASE("one device is priced alike as itself and as a layout of one: in all and of its kernels") {
  const Lab what = GENERATE_COPY(
      Lab{"resnet50", "v100-sxm2-16", "pytorch-ddp", "fp16", "momentum"},
      Lab{"resnet50", "a100-sxm-80", "ideal", "tf32", "momentum", 64},
      Lab{"bert-large", "a100-sxm-80", "pytorch", "bf16", "adam", 32},
      Lab{"bert-large", "h100-sxm", "modern", "fp8", "adamw", 4},
      Lab{"gpt2", "h100-sxm", "megatron-2021", "fp16", "lamb"}, Lab{"gpt2", "h100-sxm", "modern", "bf16", "adam", 1},
      Lab{"unet", "a100-sxm-80", "pytorch-ddp", "fp32", "adam", 2},
      Lab{"char-lstm", "v100-sxm2-16", "pytorch", "fp32", "sgd", 64},
      Lab{"mobilenet-v2", "a100-sxm-80", "pytorch-ddp", "fp16", "momentum", 512},
      Lab{"mobilenet-v2", "a100-sxm-80", "xla", "fp16", "momentum", 4},
      Lab{"neumf", "a100-sxm-80", "pytorch-ddp", "fp32", "sgd", 2048},
      Lab{"2nn", "a100-sxm-80", "pytorch", "bf16", "adam"}, Lab{"vit-b16", "xeon-8380", "xla", "fp32", "adamw"});
  INFO(what.network << " on " << what.device << " with " << what.framework << " in " << what.precision);
  const Scenario single = lab(what, "kind = \"single\"\n");
  const Scenario hybrid = lab(what, fmt::format("kind = \"hybrid\"\nmicrobatch = {}\n", what.batch));
  const Way alone = simulated(single), layout = simulated(hybrid);
  CHECK(step_of(alone) == Approx(step_of(layout)).epsilon(1e-9));
  CHECK(kernel_time(alone) == Approx(kernel_time(layout)).epsilon(1e-9));
  REQUIRE(layout.layout);
  Flops flops;
  for (const Activity& activity : alone.records.activities) flops += activity.flops;
  CHECK(flops.value() == Approx(layout.layout->hardware_flops.value()));
}
TEST_CASE("micro-batches are priced alike, too, where the host sets the pace and where it does not") {
  const Lab what = GENERATE(Lab{"gpt2", "h100-sxm", "modern", "bf16", "adam"},
                            Lab{"gpt2", "a100-sxm-80", "ideal", "bf16", "adam", 64},
                            Lab{"vit-l16", "h100-sxm", "megatron-2021", "fp16", "adam", 16});
  INFO(what.network << " with " << what.framework);
  const double alone = step_of(simulated(lab(what, "kind = \"single\"\naccumulation = 4\n")));
  const std::string layout = fmt::format("kind = \"hybrid\"\nmicrobatch = {}\n", what.batch / 4);
  CHECK(alone == Approx(step_of(simulated(lab(what, layout)))).epsilon(1e-9));
}

TEST_CASE("recomputing takes its host's time once, and what the device or the host takes, whichever is longer") {
  const Lab what = GENERATE(Lab{"mobilenet-v2", "h100-sxm", "xla", "fp16", "momentum", 4},
                            Lab{"mobilenet-v2", "h100-sxm", "modern", "fp16", "momentum", 4});
  INFO(what.framework);
  const auto step = [&](const std::string& keys) { return step_of(simulated(lab(what, keys))); };
  CHECK(step("kind = \"single\"\nrecompute = \"full\"\n") ==
        Approx(step("kind = \"hybrid\"\nmicrobatch = 4\nrecompute = \"full\"\n")).epsilon(0.01));
}

/// Computing of forward passes and the waits behind it.
double forward_time(const Way& way) {
  Seconds sum;
  for (const Activity& activity : way.records.activities) {
    const bool counts = activity.stream == Stream::compute || activity.stream == Stream::host;
    if (counts && activity.phase == Phase::forward && activity.microbatch == 0) sum += activity.end - activity.start;
  }
  return sum.value();
}

TEST_CASE("stages of a pipeline wait for hosts of their own") {
  Lab what{"gpt2", "h100-sxm", "modern", "bf16", "adam", 4};
  const double whole = forward_time(simulated(lab(what, "kind = \"single\"\naccumulation = 4\n")));
  const Scenario stages = shipped_lab(
      "[workload]\nnetwork = \"gpt2\"\nbatch = 4\nframework = \"modern\"\nprecision = \"bf16\"\n"
      "optimizer = \"adam\"\n[cluster]\nsystem = \"dgx-h100\"\nnodes = 1\n[[strategy]]\nname = \"a\"\n"
      "kind = \"pipeline\"\ndevices = 4\nmicrobatches = 4\n");
  // Every host takes longer than its device with one sequence: the same calls, and 0.75 ms (half of
  // host_microbatch_ms) in each of four processes.
  CHECK(forward_time(simulated(stages)) == Approx(whole + 3 * 0.75e-3));
}

TEST_CASE("both stages that hold tied weights update theirs") {
  const auto updates = [](const std::string& strategy) {
    const Scenario scenario = shipped_lab(
        "[workload]\nnetwork = \"gpt2\"\nbatch = 8\nframework = \"ideal\"\nprecision = \"bf16\"\n"
        "optimizer = \"adam\"\n[cluster]\nsystem = \"dgx-h100\"\nnodes = 1\n[[strategy]]\nname = \"a\"\n" +
        strategy);
    Seconds sum;
    for (const Activity& activity : simulated(scenario).records.activities) {
      if (activity.phase == Phase::optimizer) sum += activity.end - activity.start;
    }
    return sum.value();
  };
  // 50257 x 768 numbers of the embedding beside 124.4 million.
  const double all = 124439808, tied = 50257 * 768;
  const double alone = updates("kind = \"single\"\n");
  CHECK(updates("kind = \"pipeline\"\ndevices = 4\nmicrobatches = 4\n") == Approx(alone * (all + tied) / all));
  CHECK(updates("kind = \"model\"\nsplit = \"layers\"\ndevices = 4\n") == Approx(alone * (all + tied) / all));
}

TEST_CASE("what a strategy is priced by: operators, the roofline beside federations, what the workload asks for") {
  const auto choice = [](const std::string& keys, const std::string& more) {
    const Scenario scenario =
        shipped_lab("[workload]\nnetwork = \"2nn\"\ndataset = \"synthetic\"\nbatch = 8\n" + keys +
                    "[cluster]\ndevice = \"a100-sxm-80\"\n" + more + "[[strategy]]\nname = \"a\"\nkind = \"single\"\n");
    return name_of(priced_by(scenario, StrategyKind::single));
  };
  const std::string federation =
      "[federation]\nclients = 4\ndevice = \"jetson-nano\"\nlink = \"wifi5\"\nserver = \"xeon-8380\"\n"
      "server_link = \"eth-1g\"\n[[strategy]]\nname = \"f\"\nkind = \"federated\"\nclients_per_round = 2\nrounds = 1\n";
  CHECK(choice("", "") == "operators");
  CHECK(choice("", federation) == "roofline");
  CHECK(choice("compute = \"operators\"\n", federation) == "operators");
  CHECK(choice("compute = \"roofline\"\n", "") == "roofline");
}

}  // namespace orrery
