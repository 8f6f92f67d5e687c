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

}  // namespace

TEST_CASE("one device is priced alike as itself and as a layout of one") {
  const Lab what = GENERATE(Lab{"resnet50", "v100-sxm2-16", "pytorch-ddp", "fp16", "momentum"},
                            Lab{"resnet50", "a100-sxm-80", "ideal", "tf32", "momentum", 64},
                            Lab{"bert-large", "a100-sxm-80", "pytorch", "bf16", "adam", 32},
                            Lab{"bert-large", "h100-sxm", "modern", "fp8", "adamw", 4},
                            Lab{"gpt2", "h100-sxm", "megatron-2021", "fp16", "lamb"},
                            Lab{"unet", "a100-sxm-80", "pytorch-ddp", "fp32", "adam", 2},
                            Lab{"char-lstm", "v100-sxm2-16", "pytorch", "fp32", "sgd", 64},
                            Lab{"mobilenet-v2", "a100-sxm-80", "pytorch-ddp", "fp16", "momentum", 512},
                            Lab{"neumf", "a100-sxm-80", "pytorch-ddp", "fp32", "sgd", 2048},
                            Lab{"vit-b16", "xeon-8380", "xla", "fp32", "adamw"});
  INFO(what.network << " on " << what.device << " with " << what.framework << " in " << what.precision);
  const double alone = step_of(simulated(lab(what, "kind = \"single\"\n")));
  const double layout = step_of(simulated(lab(what, fmt::format("kind = \"hybrid\"\nmicrobatch = {}\n", what.batch))));
  CHECK(alone == Approx(layout).epsilon(1e-9));
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
