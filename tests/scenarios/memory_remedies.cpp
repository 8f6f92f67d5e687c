// What is proposed for ways that do not fit into their devices.
#include "tests/scenarios/hybrid_lab.hpp"

namespace orrery {
namespace {

/// What is proposed for the way; the whole error where nothing is.
std::string proposed(const Scenario& scenario) {
  const Way way = check_way(scenario, 0, shipped_catalogue());
  CHECK(way.status == WayStatus::infeasible);
  const std::size_t at = way.error.find(" - use ");
  return at == std::string::npos ? way.error : way.error.substr(at + 7);
}

Scenario llama(const std::string& keys, int nodes = 1) {
  return shipped_lab(
      "[workload]\nnetwork = \"llama3-8b\"\nbatch = 64\nprecision = \"bf16\"\noptimizer = \"adamw\"\n"
      "framework = \"modern\"\n[cluster]\nsystem = \"dgx-h100\"\nnodes = " +
      std::to_string(nodes) + "\n[[strategy]]\nname = \"h\"\nkind = \"hybrid\"\n" + keys);
}

}  // namespace

TEST_CASE("of a layout that does not fit the fewest keys are named that make it fit") {
  // 8 billion parameters: weights and gradients 45 GiB, optimizer 90 GiB whole; of eight shards 11 GiB.
  CHECK(proposed(llama("recompute = \"full\"\n")) == "zero_stage 1");
  CHECK(proposed(llama("zero_stage = 3\nmicrobatch = 8\nrecompute = \"full\"\n")) == "microbatch 1");
  CHECK(proposed(llama("microbatch = 4\ntp = 2\nsequence_parallel = true\n")).starts_with("zero_stage "));
}

TEST_CASE("a pipeline that keeps every micro-batch is told of one that does not") {
  CHECK(proposed(llama("pp = 4\nzero_stage = 1\nschedule = \"gpipe\"\n")) == "schedule 1f1b");
}

TEST_CASE("a pipeline with zero_stage 3 is told what makes it fit, and may keep its stage") {
  const auto llama_70b = [](const std::string& keys) {
    return shipped_lab(
        "[workload]\nnetwork = \"llama3-70b\"\nbatch = 128\nprecision = \"bf16\"\noptimizer = \"adam\"\n"
        "framework = \"modern\"\n[cluster]\nsystem = \"dgx-a100\"\nnodes = 16\n[[strategy]]\nname = \"h\"\n"
        "kind = \"hybrid\"\ntp = 8\npp = 4\nmicrobatch = 2\n" +
        keys);
  };
  const std::string remedy = proposed(llama_70b("zero_stage = 3\n"));
  CHECK(remedy == proposed(llama_70b("zero_stage = 1\n")));  // which keeps as much
  CHECK(remedy.find(' ') == remedy.rfind(' '));              // one key
  CHECK(check_way(llama_70b("zero_stage = 3\nrecompute = \"full\"\n"), 0, shipped_catalogue()).status == WayStatus::ok);
}

TEST_CASE("experts are spread further where that makes them fit") {
  const auto mixtral = [](const std::string& keys) {
    return shipped_lab(
        "[workload]\nnetwork = \"mixtral-8x7b\"\nbatch = 128\nprecision = \"bf16\"\noptimizer = \"adamw\"\n"
        "framework = \"modern\"\n[cluster]\nsystem = \"dgx-h100\"\nnodes = 4\n[[strategy]]\nname = \"h\"\n"
        "kind = \"hybrid\"\n" +
        keys);
  };
  CHECK(proposed(mixtral("pp = 2\nep = 2\nzero_stage = 1\nrecompute = \"full\"\n")) == "ep 8");
}

TEST_CASE("replicas are split no further than they must where nothing else is enough") {
  const Scenario scenario = shipped_lab(
      "[workload]\nnetwork = \"llama3-70b\"\nbatch = 128\nprecision = \"bf16\"\noptimizer = \"adamw\"\n"
      "framework = \"modern\"\n[cluster]\nsystem = \"dgx-h100\"\nnodes = 8\n[[strategy]]\nname = \"h\"\n"
      "kind = \"hybrid\"\npp = 2\nzero_stage = 1\nrecompute = \"full\"\n");
  CHECK(proposed(scenario) == "tp 4, dp 8");
}

TEST_CASE("where nothing simple is enough nothing is proposed") {
  CHECK(proposed(llama("dp = 1\n")).starts_with("needs "));
}

TEST_CASE("of other ways recomputation is proposed, then accumulation") {
  const auto resnet = [](const std::string& keys) {
    return shipped_lab("[workload]\nnetwork = \"resnet50\"\n" + keys +
                       "compute = \"roofline\"\n[cluster]\ndevice = \"v100-sxm2-16\"\n[[strategy]]\nname = \"s\"\n"
                       "kind = \"single\"\n");
  };
  CHECK(proposed(resnet("batch = 256\n")) == "recompute full");
  CHECK(proposed(resnet("recompute = \"full\"\nbatch = 1024\n")).starts_with("accumulation "));
}

}  // namespace orrery
