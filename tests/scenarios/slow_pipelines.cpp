// Pipelines whose messages take as long as their work: closed form and flow engine.
#include <string>

#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

struct SlowPipeline {
  std::string layout, cluster = "nics = 1\nnetwork_link = \"eth-25g\"\n";
};

Scenario gpt2(const SlowPipeline& pipeline, const std::string& framework) {
  return shipped_lab(
      "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 128\nprecision = \"fp16\"\noptimizer = \"adam\"\nframework = \"" +
      framework + "\"\n[cluster]\nsystem = \"dgx-a100\"\nnodes = 4\n" + pipeline.cluster +
      "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + pipeline.layout);
}

}  // namespace

TEST_CASE("pipelines with slow messages take in closed form what they do in the flow engine, to 1 %") {
  const auto pipeline = GENERATE(values<SlowPipeline>({
      {"pp = 4\n"},
      {"pp = 4\ninterleave = 2\n"},
      {"tp = 2\npp = 4\ninterleave = 3\n"},
      {"tp = 2\npp = 8\ninterleave = 3\n"},  // two stages in a node
      {"tp = 4\npp = 8\n"},
      {"tp = 8\npp = 4\nschedule = \"gpipe\"\n"},
      {"tp = 2\npp = 4\nschedule = \"zb-h1\"\n"},
      {"tp = 2\npp = 16\norder = [\"tp\", \"pp\", \"cp\", \"dp\"]\n"},  // four
      {"tp = 2\npp = 8\ninterleave = 3\n", "nics = 2\n"},
  }));
  for (const std::string framework : {"modern", "megatron-2021"}) {
    INFO(framework << "\n" << pipeline.cluster << pipeline.layout);
    const Scenario scenario = gpt2(pipeline, framework);
    CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.01));
  }
}

TEST_CASE("ZB-H1 takes in closed form what it does in the flow engine, with few micro-batches, too") {
  const std::string network = GENERATE(as<std::string>(), "llama2-7b", "llama3-8b");
  const int batch = GENERATE(1, 2, 4, 8, 32);
  INFO(network << ", " << batch);
  const Scenario scenario = shipped_lab(
      "[workload]\nnetwork = \"" + network + "\"\nbatch = " + std::to_string(batch) +
      "\nprecision = \"bf16\"\noptimizer = \"adamw\"\nframework = \"ideal\"\n[cluster]\nsystem = \"dgx-h100\"\n"
      "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\npp = 8\ndp = 1\nschedule = \"zb-h1\"\n");
  CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.005));
}

TEST_CASE("stages without a link in their node share its NIC") {
  const std::string keys = GENERATE(as<std::string>(), "pp = 4\n", "pp = 6\n", "pp = 12\n");
  INFO(keys);
  const Scenario scenario = shipped_lab(
      "[workload]\nnetwork = \"vit-b16\"\nbatch = 16\nprecision = \"bf16\"\noptimizer = \"adamw\"\n"
      "[cluster]\ndevice = \"rtx4090\"\nnodes = 4\ndevices_per_node = 4\nnetwork_link = \"eth-10g\"\n"
      "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\ndp = 1\n" +
      keys);
  // Of 12 stages four to a NIC, whose messages take as long as their passes: 1.4 %.
  CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.015));
}

TEST_CASE("every boundary of a network sends its own bytes") {
  // U-Net: 8.4, 16.8 and 8.4 MB; ResNet-50: 12.8, 6.4 and 3.2 MB.
  const std::string network = GENERATE(as<std::string>(), "unet", "resnet50");
  const std::string keys = GENERATE(as<std::string>(), "pp = 4\n", "pp = 4\nschedule = \"gpipe\"\n", "pp = 3\n");
  INFO(network << " " << keys);
  const Scenario scenario = shipped_lab("[workload]\nnetwork = \"" + network +
                                        "\"\nbatch = 16\nprecision = \"bf16\"\noptimizer = \"adamw\"\n"
                                        "[cluster]\ndevice = \"rtx4090\"\nnodes = 4\nnetwork_link = \"eth-10g\"\n"
                                        "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\ndp = 1\n" +
                                        keys);
  CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.01));
}

TEST_CASE("between unequal networks every hop takes its own time") {
  const std::string layout = GENERATE(as<std::string>(), "pp = 4\n", "pp = 8\n", "pp = 8\ninterleave = 3\n",
                                      "tp = 2\npp = 8\n", "tp = 8\npp = 4\n");
  INFO(layout);
  const Scenario scenario = shipped_lab(
      "[workload]\nnetwork = \"gpt2-medium\"\nbatch = 128\nprecision = \"bf16\"\noptimizer = \"adam\"\n"
      "[[cluster.group]]\nsystem = \"dgx-a100\"\nnodes = 2\n"
      "[[cluster.group]]\nsystem = \"dgx-a100\"\nnodes = 2\nnetwork_link = \"eth-25g\"\nnics = 1\n"
      "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" +
      layout);
  CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.01));
}

TEST_CASE("interleaved stages of unequal devices take in closed form what they do in the flow engine, to 1 %") {
  const std::string layout = GENERATE(as<std::string>(), "pp = 2\ninterleave = 2\n", "pp = 4\ninterleave = 3\n",
                                      "tp = 2\npp = 8\ninterleave = 3\n", "tp = 8\npp = 2\ninterleave = 6\n");
  const int batch = GENERATE(16, 128);
  INFO(layout << batch);
  const Scenario scenario =
      shipped_lab("[workload]\nnetwork = \"gpt2-medium\"\nbatch = " + std::to_string(batch) +
                  "\nprecision = \"fp16\"\noptimizer = \"adam\"\n[[cluster.group]]\nsystem = \"dgx-a100\"\n"
                  "[[cluster.group]]\nsystem = \"dgx1-v100\"\n"
                  "[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" +
                  layout);
  CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.01));
}

TEST_CASE("a loader that is too slow sets the pace in closed form as in the flow engine") {
  const std::string layout = GENERATE(as<std::string>(), "tp = 4\n", "pp = 4\n", "pp = 4\nschedule = \"gpipe\"\n",
                                      "pp = 4\nschedule = \"zb-h1\"\n", "zero_stage = 3\nmicrobatch = 4\n",
                                      "pp = 4\ninterleave = 3\n", "pp = 2\ninterleave = 6\nmicrobatch = 2\n");
  const std::string loader =
      GENERATE(as<std::string>(), "samples_per_s = 1000", "samples_per_s = 300", "samples_per_s = 150",
               "samples_per_s = 60", "samples_per_s = 4", "host_GBps = 4e-5");
  INFO(layout << loader);
  const Scenario scenario = gpt2({layout + "cluster = { nodes = 1 }\ninput = { " + loader + " }\n", ""}, "modern");
  CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.01));
}

/// To 1.5 %: messages between stages share their NICs with it in the flow engine.
TEST_CASE("interleaved chunks exchange their gradients one after the other") {
  const std::string keys = GENERATE(as<std::string>(), "pp = 2\ninterleave = 2\n", "pp = 4\ninterleave = 3\n",
                                    "pp = 4\ninterleave = 6\nzero_stage = 1\n");
  const std::string network = GENERATE(as<std::string>(), "", "nics = 2\n", "nics = 1\n");
  INFO(keys << network);
  const Scenario scenario = gpt2({keys, network}, "modern");
  CHECK(predicted(scenario) == Approx(flow_step(scenario)).epsilon(0.015));
}

}  // namespace orrery
