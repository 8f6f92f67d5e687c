// Metrics by name, and those whose two sides must fit each other.
#include <algorithm>

#include "analysis/validation/measured/metric_names.hpp"
#include "analysis/validation/measured/outcome.hpp"
#include "tests/analysis/measured/one_row.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using testing::shared_tables;

const std::string header =
    "id,metric,value,unit,model,layers,hidden,heads,vocab,seq_len,global_batch,micro_batch,precision,recompute,device,"
    "devices,devices_per_node,tp,pp,dp,year\n";
/// The smallest of the weak scaling rows of Megatron-LM 2020: one A100.
const std::string job = "GPT,24,1920,15,51200,1024,16,16,fp16,full,A100-40GB-SXM,1,8,1,1,1,2020";

std::vector<MeasuredRow> rows_of(const std::string& text) {
  Problems problems;
  auto rows = parse_measured_rows(text, "rows.csv", problems);
  problems.throw_if_any();
  return rows;
}

}  // namespace

TEST_CASE("metrics are known in either case, and each once with its units") {
  const auto rows = rows_of(header + "A-T-1,MFU,30,%," + job + "\nA-T-2,mfu,30,%," + job + "\n");
  const auto outcomes = predict_rows(rows, shared_tables());
  REQUIRE(outcomes[0].predicted.has_value());
  CHECK(outcomes[0].predicted->value == outcomes[1].predicted->value);
  const std::vector<std::string> lines = metric_lines(all_metrics());
  CHECK(lines.front() == "iteration_time: time");
  CHECK(std::count(lines.begin(), lines.end(), "mfu: %, fraction") == 1);
}

TEST_CASE("a batch that does not divide gives a rate, and no time of a step") {
  const std::string split = "GPT,4,1024,16,51200,1024,100,1,fp16,full,A100-40GB-SXM,64,8,1,1,64,2020";
  const auto rows =
      rows_of(header + "A-T-1,iteration_time,1,s," + split + "\nA-T-2,throughput,1,sequences/s," + split + "\n");
  const auto outcomes = predict_rows(rows, shared_tables());
  CHECK(outcomes[0].reason ==
        "batch 100 does not divide into micro-batches on dp 64 (128 does): the time of its step is unknown");
  CHECK(outcomes[1].predicted.has_value());
  CHECK(outcomes[1].reason.find("batch 128, a multiple of micro-batch x dp") != std::string::npos);
}

TEST_CASE("scaling efficiency is of the same work per device on both sides, and at most 1") {
  const auto rows = rows_of(
      "id,metric,value,unit,model,device,devices,global_batch,tp,pp\n"
      "B-T-1,scaling_efficiency,90,%,ResNet-50,V100-32GB-SXM,64,100,1,1\n"
      "B-T-2,scaling_efficiency,90,%,ResNet-50,V100-32GB-SXM,64,128,1,1\n"
      "B-T-3,scaling_efficiency,0.9,fraction,ResNet-50,V100-32GB-SXM,8,256,,\n");
  const auto outcomes = predict_rows(rows, shared_tables());
  for (const RowOutcome& outcome : outcomes) {
    INFO(outcome.reason);
    REQUIRE(outcome.predicted.has_value());
    CHECK(outcome.predicted->low <= outcome.predicted->value);
    CHECK(outcome.predicted->value <= outcome.predicted->high);
  }
  CHECK(outcomes[0].predicted->value == outcomes[1].predicted->value);  // 100 samples are taken as 128
  CHECK(outcomes[1].predicted->high <= 100);
  CHECK(outcomes[2].predicted->high <= 1);
}

}  // namespace orrery
