// Published rows as the jobs and layouts that they are taken for.
#include "tests/analysis/measured/one_row.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using namespace testing;

std::string skipped(const MeasuredRow& row) {
  try {
    case_of(row, shared_tables());
  } catch (const RowSkipped& reason) {
    return reason.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a row becomes a job: degrees, defaults and what is assumed") {
  const RowCase plain =
      case_of(gpt_row("devices,tp,pp,global_batch,micro_batch,year", "16,2,2,64,4,2021"), shared_tables());
  CHECK(plain.layout.dp == 4);
  CHECK(plain.job.cluster.nodes == 2);
  CHECK(plain.job.cluster.nics_per_node == 8);
  CHECK(plain.job.precision == Precision::fp16);
  CHECK(plain.job.framework.id == "megatron-2021");
  CHECK(plain.open.recompute);
  CHECK_FALSE(plain.open.interleave);
  const std::vector<std::string> expected = {"8 devices per node",     "link inside the node: nvswitch2",
                                             "network of dgx-a100",    "precision fp16",
                                             "software megatron-2021", "interleave 1",
                                             "no sequence parallelism"};
  CHECK(plain.assumed == expected);
  const RowCase late = case_of(gpt_row("devices,tp,global_batch,year,seq_parallel,precision,recompute,zero_stage",
                                       "8,8,64,2024,,bf16,selective (0 layers),1"),
                               shared_tables());
  CHECK(late.job.framework.id == "modern");
  CHECK(late.layout.sequence_parallel == SequenceParallel::on);
  CHECK(late.layout.recompute == Recompute::none);
  CHECK(late.layout.zero_stage == 1);
  CHECK(late.open.microbatch);
}

TEST_CASE("selective recomputation of blocks or operators is that of every second block") {
  const auto recompute = [](const std::string& text) {
    return case_of(gpt_row("devices,global_batch,recompute", "8,8," + text), shared_tables()).layout.recompute;
  };
  CHECK(recompute("selective") == Recompute::selective);
  CHECK(recompute("selective (every second layer)") == Recompute::alternate);
  CHECK(recompute("selective (per operator)") == Recompute::operators);
  CHECK(recompute("full") == Recompute::full);
  MeasuredRow row = gpt_row("devices,global_batch,recompute", "8,8,selective");
  row.source = "torchtitan, H100 benchmarks";
  CHECK(case_of(row, shared_tables()).layout.recompute == Recompute::alternate);
}

TEST_CASE("of the cards with two dies eight of a node are dies") {
  MeasuredRow row =
      gpt_row("devices,devices_per_node,inter_link,global_batch", "16,8,4x 200Gb/s Slingshot per node,16");
  row.device = "MI250X";
  CHECK(case_of(row, shared_tables()).job.cluster.device.id == "mi250x-gcd");
  row.devices_per_node = 4;
  CHECK(case_of(row, shared_tables()).job.cluster.device.id == "mi250x");
}

TEST_CASE("jobs that leave a few devices of every node idle are taken so") {
  MeasuredRow row =
      gpt_row("devices,devices_per_node,inter_link,global_batch", "256,72,64x NDR IB 400Gb/s per node,256");
  row.device = "GB200";
  const RowCase racks = case_of(row, shared_tables());
  CHECK(racks.job.cluster.devices_per_node == 64);
  CHECK(racks.job.cluster.nodes == 4);
  CHECK(assumes(racks, "64 of the 72 devices of a node"));
}

TEST_CASE("rows that say too little, or contradict themselves, are skipped with the reason") {
  CHECK(skipped(gpt_row("tp,pp,dp", "2,2,1")) == "missing: global_batch");
  CHECK(skipped(gpt_row("tp,pp", "2,2")) == "missing: devices");
  CHECK(skipped(gpt_row("global_batch", "8")) == "missing: devices");
  CHECK(skipped(gpt_row("devices,tp,pp,global_batch", "8,3,1,8")) == "8 devices are no multiple of tp 3 x pp 1 x cp 1");
  CHECK(skipped(gpt_row("devices,tp,pp,dp,global_batch", "8,2,2,4,8")) ==
        "dp is 4, but 8 devices / (tp 2 x pp 2 x cp 1) are 2");
  CHECK(skipped(gpt_row("devices,tp,global_batch,precision", "8,8,8,posit")) ==
        "precision \"posit\" is unknown - known: fp8, bf16, fp16, amp, tf32, fp32, fp64");
  CHECK(skipped(gpt_row("devices,tp,global_batch,recompute", "8,8,8,sometimes")) ==
        "recompute \"sometimes\" is unknown - known: none, selective, selective (per operator), selective (every "
        "second layer), full");
  CHECK(skipped(gpt_row("devices,tp,global_batch,zero_stage", "8,8,8,9")) ==
        "zero_stage \"9\" is unknown - known: 0 to 3, ZeRO-1, stage 3, FSDP, HSDP, none");
  CHECK(skipped(gpt_row("devices,tp,global_batch,seq_parallel", "8,8,8,maybe")) ==
        "seq_parallel \"maybe\" is unknown - known: yes, y, true, on, 1; no, n, false, off, none, 0");
  CHECK(skipped(gpt_row("devices,tp,global_batch", "8,8,64K then 32K")) ==
        "global_batch \"64K then 32K\" is no number of samples");
  MeasuredRow unknown = gpt_row("devices,tp,global_batch", "8,8,8");
  unknown.device = "abacus";
  CHECK(skipped(unknown) == "the catalogue has no device \"abacus\"");
  unknown.layers.reset();
  CHECK(skipped(unknown) == "missing: layers of \"GPT\"");
  unknown.model = "Switch 1.5T";
  CHECK(skipped(unknown) == "model \"Switch 1.5T\": the row does not say the experts");
}

TEST_CASE("rows share a prediction when all that decides it is the same, tables and cells in words too") {
  const auto key = [](const std::string& table, const std::string& batch) {
    return case_key(gpt_row("devices,tp,table,global_batch", "8,8," + table + "," + batch));
  };
  CHECK(key("Table 1", "64") == key("Table 1", "64"));
  CHECK(key("Table 1", "64") != key("Table 2", "64"));
  CHECK(key("Table 1", "64K then 32K") != key("Table 1", ""));
  CHECK(key("Table 1", "64K then 32K") != key("Table 1", "32K then 64K"));
}

}  // namespace orrery
