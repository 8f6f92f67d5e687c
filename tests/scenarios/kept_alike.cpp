// One device as itself and as a layout of one: what it keeps, and what it does where a part of the network is frozen.
#include <fmt/format.h>

#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

struct Alike {
  std::string network;
  int batch = 4;
  std::string precision = "bf16", freeze = "[]", framework = "ideal";
};

Way on_one_device(const Alike& what, const std::string& strategy) {
  return simulated(shipped_lab(fmt::format(
      "[workload]\nnetwork = \"{}\"\nbatch = {}\nframework = \"{}\"\nprecision = \"{}\"\noptimizer = \"adam\"\n"
      "freeze = {}\n[cluster]\ndevice = \"h200-sxm\"\n[[strategy]]\nname = \"a\"\n{}",
      what.network, what.batch, what.framework, what.precision, what.freeze, strategy)));
}

Way single(const Alike& what) {
  return on_one_device(what, "kind = \"single\"\n");
}

Way layout_of_one(const Alike& what) {
  return on_one_device(what, fmt::format("kind = \"hybrid\"\nmicrobatch = {}\n", what.batch));
}

}  // namespace

TEST_CASE("one device keeps as much as a layout of one, wherever blocks are cut") {
  const Alike what = GENERATE(Alike{"vgg16", 8, "fp32"}, Alike{"vgg16", 64}, Alike{"resnet50"}, Alike{"resnet152"},
                              Alike{"mobilenet-v2"}, Alike{"inception-v3"}, Alike{"unet"}, Alike{"2nn", 64, "fp32"},
                              Alike{"char-lstm"}, Alike{"gnmt"}, Alike{"transformer-big"}, Alike{"t5-3b", 1},
                              Alike{"stable-diffusion-v1", 1}, Alike{"gpt2"}, Alike{"bert-base"});
  INFO(what.network << " in " << what.precision);
  CHECK(layout_of_one(what).memory.activations.value() ==
        Approx(single(what).memory.activations.value()).epsilon(1e-9));
}

TEST_CASE("one device works as long, and keeps as much, as a layout of one where only some layers are frozen") {
  // All blocks have the same layers frozen, but below the first one nothing trains: its backward pass is shorter.
  const std::string first_differs = R"(["embedding", "*.norm*", "*.qkv", "*.projection", "*.up"])";
  const std::string framework = GENERATE(as<std::string>(), "ideal", "modern");
  Alike what = GENERATE_COPY(Alike{"gpt2", 16, "bf16", first_differs}, Alike{"gpt2", 4, "bf16", R"(["*1*"])"},
                             Alike{"resnet50", 16, "bf16", R"(["*1*"])"}, Alike{"vgg16", 16, "bf16", R"(["*1*"])"},
                             Alike{"bert-base", 4, "bf16", R"(["*embed*", "block.1.*", "block.2.*"])"});
  what.framework = framework;
  INFO(what.network << " without " << what.freeze << ", " << framework);
  const Way alone = single(what), layout = layout_of_one(what);
  CHECK(step_of(alone) == Approx(step_of(layout)).epsilon(1e-9));
  if (framework == "ideal") {  // which counts logits and scores as a device alone does
    CHECK(alone.memory.activations.value() == Approx(layout.memory.activations.value()).epsilon(1e-9));
  }
}

}  // namespace orrery
