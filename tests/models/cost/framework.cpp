#include "models/cost/framework.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "tests/catch.hpp"

namespace orrery {
namespace {

/// What the call throws says; empty when it throws nothing.
template <class Call>
std::string message(const Call& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

const FrameworkProfile& named(const std::vector<FrameworkProfile>& frameworks, std::string_view id) {
  const auto same = [&id](const FrameworkProfile& framework) { return framework.id == id; };
  const auto found = std::find_if(frameworks.begin(), frameworks.end(), same);
  REQUIRE(found != frameworks.end());
  return *found;
}

/// Rows that give every constant but those named.
std::string all_but(const std::string& framework, const std::vector<std::string>& left_out) {
  std::string text;
  for (const FrameworkConstant& constant : framework_constants()) {
    const std::string name(constant.name);
    if (std::find(left_out.begin(), left_out.end(), name) != left_out.end()) continue;
    text += framework + "," + name + ",1,,,test\n";
  }
  return text;
}

constexpr auto header = "framework,constant,value,low,high,source\n";

TEST_CASE("The shipped frameworks: ideal has no overhead, pytorch the published fits") {
  Problems problems;
  const std::vector<FrameworkProfile> frameworks = read_frameworks(problems);
  problems.throw_if_any();
  REQUIRE(frameworks.size() >= 2);
  CHECK(frameworks[0].id == "ideal");
  CHECK(frameworks[0].kernel_overhead_us == Ranged(0));
  CHECK(frameworks[0].memory_efficiency == Ranged(1));
  CHECK(frameworks[1].id == "pytorch");
  CHECK(frameworks[1].kernel_overhead_us == Ranged(6, 5, 6.5));
  CHECK(frameworks[1].memory_efficiency == Ranged(0.88, 0.80, 0.95));
  CHECK(frameworks[1].straggler_per_doubling == Ranged(0.009, 0.008, 0.010));
  CHECK(frameworks[1].optimizer_bytes_sgd.value == 12);
  CHECK(frameworks[1].optimizer_bytes_momentum.value == 20);
  CHECK(frameworks[1].optimizer_bytes_adam.value == 28);
  for (const FrameworkProfile& framework : frameworks) CHECK_FALSE(framework.source.empty());
}

TEST_CASE("The shipped frameworks: what the software of 2021 does, and what the data-parallel fit says") {
  Problems problems;
  const std::vector<FrameworkProfile> frameworks = read_frameworks(problems);
  problems.throw_if_any();
  const FrameworkProfile& megatron = named(frameworks, "megatron-2021");
  CHECK(megatron.blocking_transfers.value == 1);
  CHECK(megatron.transfer_latency_us.value == 25);
  CHECK(megatron.gradient_overlap.value == 0);
  CHECK(megatron.optimizer_bytes_adam_mixed.value == 62);
  CHECK(megatron.flash_attention.value == 0);
  CHECK(megatron.straggler_per_doubling == Ranged(0.009, 0, 0.012));
  CHECK(megatron.gradient_bytes.value == 4);
  CHECK(megatron.gradient_wire_bytes.value == 2);
  const FrameworkProfile& deepspeed = named(frameworks, "megatron-deepspeed-2021");
  CHECK(deepspeed.host_forward_us == Ranged(90, 66, 93));
  CHECK(deepspeed.blocking_transfers.value == 1);  // of its base
  const FrameworkProfile& engine = named(frameworks, "deepspeed-pipeline");
  CHECK(engine.gradient_bytes.value == 2);
  CHECK(engine.bf16_gradient_bytes.value == 6);
  CHECK(engine.host_forward_us == deepspeed.host_forward_us);  // of its base
  const FrameworkProfile& distributed = named(frameworks, "pytorch-ddp");
  CHECK(distributed.exchange_traffic.value == 5);
  CHECK(distributed.exchange_interference == named(frameworks, "pytorch-fsdp").exchange_interference);
  CHECK(named(frameworks, "modern").flash_attention.value == 3);
  CHECK(named(frameworks, "pytorch-fsdp").flash_attention.value == 2);
  CHECK(named(frameworks, "llm-foundry-2023").recompute_early_stop.value == 1);  // of its base
}

TEST_CASE("Every constant of the shipped frameworks has a source, and those that were assumed have a range") {
  Problems problems;
  for (const FrameworkProfile& framework : read_frameworks(problems)) {
    const std::vector<ConstantRow> rows = framework_rows(framework.id, problems);
    CHECK(rows.size() == framework_constants().size());
    for (const ConstantRow& row : rows) {
      INFO(framework.id << " " << row.constant);
      CHECK_FALSE(row.source.empty());
      if (row.assumed()) CHECK(row.value.low < row.value.high);
    }
  }
  problems.throw_if_any();
  CHECK(framework_rows("nobody", problems).empty());
}

TEST_CASE("A framework takes from its base what it does not give itself") {
  Problems problems;
  const auto frameworks = parse_frameworks("id,base,title,source\nb,a,B,test\na,,A,test\n",
                                           header + all_but("a", {}) + "b,host_forward_us,5,4,9,test\n", problems);
  problems.throw_if_any();
  REQUIRE(frameworks.size() == 2);
  CHECK(frameworks[0].id == "b");
  CHECK(frameworks[0].host_forward_us == Ranged(5, 4, 9));
  CHECK(frameworks[0].host_backward_us == Ranged(1));
  CHECK(frameworks[1].host_forward_us == Ranged(1));
}

TEST_CASE("Malformed rows of frameworks are all reported") {
  Problems problems;
  (void)parse_frameworks("id,base,title,source\na,,A,test\na,,A,test\nb,aa,,test\n", header + all_but("a", {}),
                         problems);
  CHECK(message([&] { problems.throw_if_any(); }) ==
        R"(frameworks.csv:3:1: id: framework "a" is described twice - remove one of the rows
  a,,A,test
  ^
frameworks.csv:4:3: base: unknown framework "aa" - did you mean "a"?
  b,aa,,test
    ^
frameworks.csv:4:6: title: cell is empty (required)
  b,aa,,test
       ^)");
}

TEST_CASE("Malformed constants of frameworks are all reported") {
  Problems problems;
  const std::string rows =
      "a,memory_efficiency,1.5,,,x\n"
      "a,host_forward,1,,,x\n"
      "aa,host_forward_us,1,,,x\n"
      "a,host_forward_us,5,6,4,x\n"
      "a,host_forward_us,-5,,,\n"
      "a,flash_attention,,,,x\n"
      "a,parameter_overlap,0.5,0.1,2,x\n";
  (void)parse_frameworks("id,base,title,source\na,,A,test\n", header + rows, problems);
  CHECK(message([&] { problems.throw_if_any(); }) ==
        R"(framework_constants.csv:2:21: value: must be above 0 and at most 1 (a share)
  a,memory_efficiency,1.5,,,x
                      ^
framework_constants.csv:3:3: constant: unknown constant "host_forward" - did you mean "host_forward_us"?
  a,host_forward,1,,,x
    ^
framework_constants.csv:4:1: framework: unknown framework "aa" - did you mean "a"?
  aa,host_forward_us,1,,,x
  ^
framework_constants.csv:5:21: low: is above the value 5
  a,host_forward_us,5,6,4,x
                      ^
framework_constants.csv:5:23: high: is below the value 5
  a,host_forward_us,5,6,4,x
                        ^
framework_constants.csv:6:3: constant: "host_forward_us" of "a" is given twice (first in line 5) - remove one of the rows
  a,host_forward_us,-5,,,
    ^
framework_constants.csv:6:19: value: must be at least 0
  a,host_forward_us,-5,,,
                    ^
framework_constants.csv:6:24: source: cell is empty (required)
  a,host_forward_us,-5,,,
                         ^
framework_constants.csv:7:19: value: cell is empty (required)
  a,flash_attention,,,,x
                    ^
framework_constants.csv:8:29: high: must be at most 1
  a,parameter_overlap,0.5,0.1,2,x
                              ^)");
}

TEST_CASE("switches are at most 1, shares that are divided by above 0, generations of attention at most 3") {
  const auto refused = [](const std::string& row) {
    Problems problems;
    (void)parse_frameworks("id,base,title,source\na,,A,test\n",
                           header + all_but("a", {row.substr(0, row.find(','))}) + "a," + row + ",,,x\n", problems);
    return problems.all().empty() ? std::string() : problems.all().front().what + ", " + problems.all().front().why;
  };
  for (const char* name : {"whole_logits", "fp32_scores", "kept_expert_outputs", "kept_gathered", "node_dispatch",
                           "blocking_transfers", "recompute_early_stop", "tensor_overlap"}) {
    CHECK(refused(name + std::string(",0")).empty());
    CHECK(refused(name + std::string(",1")).empty());
    CHECK(refused(name + std::string(",7")) == "must be at most 1, ");
  }
  CHECK(refused("kernel_efficiency,0") == "must be above 0 and at most 1, a share");
  CHECK(refused("flash_attention,4") == "must be at most 3, ");
}

TEST_CASE("A constant that nobody gives, and bases in a circle, are problems of the framework's row") {
  Problems problems;
  (void)parse_frameworks("id,base,title,source\na,,A,test\n", header + all_but("a", {"logit_bytes"}), problems);
  CHECK(
      message([&] { problems.throw_if_any(); }) ==
      R"(frameworks.csv:2:1: id: no logit_bytes for framework "a" (neither it nor its base gives it) - add a row to framework_constants.csv
  a,,A,test
  ^)");
  Problems circle;
  (void)parse_frameworks("id,base,title,source\na,b,A,test\nb,a,B,test\n", header + all_but("a", {}), circle);
  CHECK(
      message([&] { circle.throw_if_any(); }) ==
      R"(frameworks.csv:2:3: base: "b" is in a circle (a framework cannot be its own base) - leave the base of one of them empty
  a,b,A,test
    ^
frameworks.csv:3:3: base: "a" is in a circle (a framework cannot be its own base) - leave the base of one of them empty
  b,a,B,test
    ^)");
}

}  // namespace
}  // namespace orrery
