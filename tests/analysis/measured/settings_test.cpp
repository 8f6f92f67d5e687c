// Settings that rows write as words, in the spellings of people.
#include "analysis/validation/measured/stated_settings.hpp"
#include "tests/analysis/measured/one_row.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using namespace testing;

constexpr const char* columns = "id,metric,value,unit,model,device,devices,tp,global_batch,";
const std::string cells = "A-T-1,iteration_time,1,s,Llama 3 8B,H100-80GB-SXM,8,8,8,";

}  // namespace

TEST_CASE("settings in words: sequence parallelism, shared states, precision") {
  const auto sequence = [](const std::string& text) {
    return case_of_row(std::string(columns) + "seq_parallel", cells + text).layout.sequence_parallel;
  };
  for (const char* yes : {"yes", "Yes", "y", "true", "TRUE", "on", "1"}) CHECK(sequence(yes) == SequenceParallel::on);
  for (const char* no : {"no", "n", "false", "off", "0", "none"}) CHECK(sequence(no) == SequenceParallel::off);
  const auto stage = [](const std::string& text) {
    return zero_stage_of(one_row(std::string(columns) + "zero_stage", cells + text));
  };
  for (const char* all : {"3", "ZeRO-3", "zero3", "stage 3", "ZeRO stage 3", "fsdp", "FSDP2", "hsdp", "HSDP"}) {
    INFO(all);
    CHECK(stage(all) == 3);
  }
  CHECK(stage("zero2") == 2);
  CHECK(stage("ZeRO-1") == 1);
  CHECK(stage("none") == 0);
  CHECK_THROWS_AS(stage("ZeRO-9"), RowSkipped);
  CHECK_THROWS_AS(stage("3.5"), RowSkipped);
  const std::pair<const char*, Precision> precisions[] = {
      {"bfloat16", Precision::bf16}, {"amp bf16", Precision::bf16},   {"float16", Precision::fp16},
      {"half", Precision::fp16},     {"amp", Precision::fp16},        {"float32", Precision::fp32},
      {"fp8-e4m3", Precision::fp8},  {"mxfp8", Precision::fp8},       {"tfloat32", Precision::tf32},
      {"fp64", Precision::fp64},     {"fp8 and bf16", Precision::fp8}};
  for (const auto& [text, precision] : precisions) {
    INFO(text);
    CHECK(precision_named(text) == precision);
  }
  CHECK_FALSE(precision_named("posit").has_value());
}

}  // namespace orrery
