// Devices, fabrics, models and software of published rows.
#include <algorithm>

#include "analysis/validation/measured/framework_rules.hpp"
#include "analysis/validation/measured/row_case.hpp"
#include "analysis/validation/measured/tables.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

const ValidationTables& tables() {
  static const ValidationTables read = read_validation_tables();
  return read;
}

std::string device_of(const std::string& text) {
  const NamedDevice named = find_device(text, tables().devices, tables().catalogue);
  return named.device == nullptr ? "" : named.device->id;
}

Fabrics named_fabrics() {
  return {tables().catalogue, tables().fabrics};
}

const Device& device(const std::string& id) {
  return *tables().catalogue.device(id);
}

MeasuredRow gpt(const std::string& columns, const std::string& cells) {
  Problems problems;
  auto rows =
      parse_measured_rows("id,metric,value,unit,model,layers,hidden,heads,vocab,seq_len,device," + columns +
                              "\nA-T-1,iteration_time,1,s,GPT,4,1024,16,51200,1024,A100-80GB-SXM," + cells + "\n",
                          "rows.csv", problems);
  problems.throw_if_any();
  return rows.at(0);
}

std::string skipped(const MeasuredRow& row) {
  try {
    case_of(row, tables());
  } catch (const RowSkipped& reason) {
    return reason.what();
  }
  return {};
}

}  // namespace

TEST_CASE("devices by the names of publications") {
  CHECK(device_of("A100-80GB-SXM") == "a100-sxm-80");
  CHECK(device_of("A100-40GB-SXM fp16") == "a100-sxm-40");
  CHECK(device_of("A100") == "a100-sxm-80");
  CHECK(device_of("A100-PCIe, 3 GPUs over PCIe") == "a100-pcie-40");
  CHECK(device_of("V100-32GB-SXM (DGX-2)") == "v100-sxm2-32");
  CHECK(device_of("V100-32GB-PCIe") == "v100-pcie-32");
  CHECK(device_of("V100") == "v100-sxm2-16");
  CHECK(device_of("P100-16GB") == "p100-pcie");
  CHECK(device_of("P100-16GB-SXM") == "p100-sxm2");
  CHECK(device_of("H100-80GB-SXM fp8") == "h100-sxm");
  CHECK(device_of("H800") == "h100-sxm");
  CHECK(device_of("B200-180GB-SXM") == "b200-sxm");
  CHECK(device_of("MI250X") == "mi250x");
  CHECK(device_of("TPUv4") == "tpu-v4");
  CHECK(device_of("T4") == "t4");
  CHECK(device_of("gh200") == "gh200");
  for (const char* unknown : {"", "not named (8-GPU NVLink nodes)", "GPU (PCIe box)", "RTX 4070 Ti SUPER", "phones"}) {
    CHECK(device_of(unknown).empty());
  }
  const NamedDevice export_version = find_device("H800", tables().devices, tables().catalogue);
  CHECK(export_version.node_GBps == 400);
  CHECK(export_version.assumed == "H800 computes as H100 SXM");
}

TEST_CASE("links inside the node, at the rate the text names") {
  const auto id = [](const std::string& text, const std::string& of) {
    const NamedLink named = named_fabrics().in_node(text, device(of), 0);
    return named.link ? named.link->id : "";
  };
  CHECK(id("NVLink3+NVSwitch 600GB/s", "a100-sxm-80") == "nvswitch2");
  CHECK(id("NVLink4+NVSwitch 900GB/s", "h100-sxm") == "nvswitch3");
  CHECK(id("NVLink5+NVSwitch 1.8TB/s", "b200-sxm") == "nvswitch4");
  CHECK(id("NVLink2 hybrid cube mesh (DGX-1)", "v100-sxm2-16") == "nvlink2");
  CHECK(id("NVLink2+NVSwitch (DGX-2)", "v100-sxm2-32") == "nvswitch1");
  CHECK(id("PCIe3", "p100-pcie") == "pcie3x16");
  CHECK(id("PCIe5", "rtx5090") == "pcie-shm-gen5");
  CHECK(id("xGMI", "mi300x") == "xgmi-mi300x");
  CHECK(id("NVLink", "v100-sxm2-16") == named_fabrics().in_node("", device("v100-sxm2-16"), 0).link->id);
  CHECK(id("smoke signals", "a100-sxm-80").empty());
  // 400 GB/s both ways of the 900 of NVLink 4
  const NamedLink half = named_fabrics().in_node("NVLink4 400GB/s", device("h100-sxm"), 0);
  CHECK(half.scale == Approx(400.0 / 900));
  CHECK(half.link->down.value() == Approx(200e9));
  CHECK(named_fabrics().in_node("NVLink3+NVSwitch 600GB/s", device("a100-sxm-80"), 0).scale == 1);
}

TEST_CASE("networks: kind, number and rate of the NICs") {
  const auto named = [](const std::string& text) { return named_fabrics().network(text, device("a100-sxm-80"), 8); };
  CHECK(named("8x HDR IB 200Gb/s per node (Selene)").link->id == "ib-hdr");
  CHECK(named("8x HDR IB 200Gb/s per node (Selene)").nics == 8);
  CHECK(named("4x 100Gb/s Omni-Path per node (Jean Zay)").link->id == "omnipath-100");
  CHECK(named("4x 100Gb/s Omni-Path per node (Jean Zay)").nics == 4);
  CHECK(named("25 Gb/s RoCE per node").link->id == "roce-25");
  CHECK(named("25 Gb/s RoCE per node").nics == 1);
  CHECK(named("8x 400Gb/s EFAv4 per node").link->id == "efa-400");
  CHECK(named("10 Gb/s").link->id == "eth-10g");
  const NamedLink terabit = named("2 Tb/s RoCE per node");  // 8 NICs of 250 Gb/s
  CHECK(terabit.nics == 8);
  CHECK(terabit.link->down.value() == Approx(2e12 / 8 / 8));
  CHECK(terabit.assumed == "a NIC per device");
  CHECK(named("25 Gb/s RoCE per node").assumed == "1 NIC per node");
  CHECK(named("8 x 200Gb/s IB").link->id == "ib-hdr");
  CHECK(named("8 x 200Gb/s IB").nics == 8);
  CHECK(named("8x200Gb/s").nics == 8);
  CHECK(named("8xHDR").link->id == "ib-hdr");
  CHECK(named("x4 HDR200").nics == 4);
  CHECK(named("x4 HDR200").assumed.empty());
  CHECK(named("x4 HDR200").scale == 1);
  CHECK(named("8x HDR100").scale == 0.5);
  CHECK(named("HDR100").assumed == "8 NICs per node");  // as many as the usual system has
  CHECK(named("25GbE").link->kind == "ethernet");
  CHECK(named("2x 100GbE").link->id == "eth-100g");
  CHECK(named("2x 100GbE").nics == 2);
  CHECK(named("RoCE v2 400G").link->id == "roce-400");
  CHECK(named("400G IB").link->id == "ib-ndr");
  CHECK(named("400G IB").assumed == "1 NIC per node");
  CHECK(named("").link->id == "ib-hdr");
  CHECK(named("").assumed == "network of dgx-a100");
  CHECK_FALSE(named("TCP sockets, cloud VM (rate not stated, InfiniBand disabled)").link.has_value());
  CHECK_FALSE(named("2 pods over DCN").link.has_value());
}

TEST_CASE("a row becomes a job: degrees, defaults and what is assumed") {
  const RowCase plain = case_of(gpt("devices,tp,pp,global_batch,micro_batch,year", "16,2,2,64,4,2021"), tables());
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
  const RowCase late = case_of(gpt("devices,tp,global_batch,year,seq_parallel,precision,recompute,zero_stage",
                                   "8,8,64,2024,,bf16,selective (0 layers),1"),
                               tables());
  CHECK(late.job.framework.id == "modern");
  CHECK(late.layout.sequence_parallel == SequenceParallel::on);
  CHECK(late.layout.recompute == Recompute::none);
  CHECK(late.layout.zero_stage == 1);
  CHECK(late.open.microbatch);
}

TEST_CASE("selective recomputation of blocks or operators is that of every second block") {
  const auto recompute = [](const std::string& text) {
    return case_of(gpt("devices,global_batch,recompute", "8,8," + text), tables()).layout.recompute;
  };
  CHECK(recompute("selective") == Recompute::selective);
  CHECK(recompute("selective (every second layer)") == Recompute::alternate);
  CHECK(recompute("selective (per operator)") == Recompute::operators);
  CHECK(recompute("full") == Recompute::full);
  MeasuredRow row = gpt("devices,global_batch,recompute", "8,8,selective");
  row.source = "torchtitan, H100 benchmarks";
  CHECK(case_of(row, tables()).layout.recompute == Recompute::alternate);
}

TEST_CASE("of the cards with two dies eight of a node are dies") {
  MeasuredRow row = gpt("devices,devices_per_node,inter_link,global_batch", "16,8,4x 200Gb/s Slingshot per node,16");
  row.device = "MI250X";
  CHECK(case_of(row, tables()).job.cluster.device.id == "mi250x-gcd");
  row.devices_per_node = 4;
  CHECK(case_of(row, tables()).job.cluster.device.id == "mi250x");
}

TEST_CASE("jobs that leave a few devices of every node idle are taken so") {
  MeasuredRow row = gpt("devices,devices_per_node,inter_link,global_batch", "256,72,64x NDR IB 400Gb/s per node,256");
  row.device = "GB200";
  const RowCase racks = case_of(row, tables());
  CHECK(racks.job.cluster.devices_per_node == 64);
  CHECK(racks.job.cluster.nodes == 4);
  const auto& assumed = racks.assumed;
  CHECK(std::find(assumed.begin(), assumed.end(), "64 of the 72 devices of a node") != assumed.end());
}

TEST_CASE("rows that say too little, or contradict themselves, are skipped with the reason") {
  CHECK(skipped(gpt("tp,pp,dp", "2,2,1")) == "missing: global_batch");
  CHECK(skipped(gpt("tp,pp", "2,2")) == "missing: devices");
  CHECK(skipped(gpt("global_batch", "8")) == "missing: devices");
  CHECK(skipped(gpt("devices,tp,pp,global_batch", "8,3,1,8")) == "8 devices are no multiple of tp 3 x pp 1 x cp 1");
  CHECK(skipped(gpt("devices,tp,pp,dp,global_batch", "8,2,2,4,8")) ==
        "dp is 4, but 8 devices / (tp 2 x pp 2 x cp 1) are 2");
  CHECK(skipped(gpt("devices,tp,global_batch,precision", "8,8,8,posit")) ==
        "precision \"posit\" is unknown - known: fp8, bf16, fp16, amp, tf32, fp32, fp64");
  CHECK(skipped(gpt("devices,tp,global_batch,recompute", "8,8,8,sometimes")) ==
        "recompute \"sometimes\" is unknown - known: none, selective, selective (per operator), selective (every "
        "second layer), full");
  CHECK(skipped(gpt("devices,tp,global_batch,zero_stage", "8,8,8,9")) ==
        "zero_stage \"9\" is unknown - known: 0 to 3, ZeRO-1, stage 3, FSDP, HSDP, none");
  CHECK(skipped(gpt("devices,tp,global_batch,seq_parallel", "8,8,8,maybe")) ==
        "seq_parallel \"maybe\" is unknown - known: yes, y, true, on, 1; no, n, false, off, none, 0");
  CHECK(skipped(gpt("devices,tp,global_batch", "8,8,64K then 32K")) ==
        "global_batch \"64K then 32K\" is no number of samples");
  MeasuredRow unknown = gpt("devices,tp,global_batch", "8,8,8");
  unknown.device = "abacus";
  CHECK(skipped(unknown) == "the catalogue has no device \"abacus\"");
  unknown.layers.reset();
  CHECK(skipped(unknown) == "missing: layers of \"GPT\"");
  unknown.model = "Switch 1.5T";
  CHECK(skipped(unknown) == "model \"Switch 1.5T\": the row does not say the experts");
}

TEST_CASE("rows share a prediction when all that decides it is the same, tables and cells in words too") {
  const auto key = [](const std::string& table, const std::string& batch) {
    return case_key(gpt("devices,tp,table,global_batch", "8,8," + table + "," + batch));
  };
  CHECK(key("Table 1", "64") == key("Table 1", "64"));
  CHECK(key("Table 1", "64") != key("Table 2", "64"));
  CHECK(key("Table 1", "64K then 32K") != key("Table 1", ""));
  CHECK(key("Table 1", "64K then 32K") != key("Table 1", "32K then 64K"));
}

TEST_CASE("the software of a row") {
  const auto software = [](const std::string& source, const std::string& zero, int tp, double year) {
    MeasuredRow row = gpt("devices,global_batch", "8,8");
    row.source = source;
    row.zero_stage = zero;
    row.tp = tp;
    row.year = year;
    return framework_of(row, network_of(row, tables().models), year).id;
  };
  CHECK(software("Narayanan et al.", "0", 8, 2021) == "megatron-2021");
  CHECK(software("NVIDIA/Megatron-LM README figures", "", 8, 2020) == "megatron-2020");
  CHECK(software("VIA-Research/vTrain data", "", 2, 2024) == "megatron-deepspeed-2021");
  CHECK(software("torchtitan", "1", 8, 2022) == "modern");
  CHECK(software("somebody", "", 8, 2024) == "modern");
  CHECK(software("microsoft/DeepSpeed docs", "3", 1, 2022) == "deepspeed-zero3");
  CHECK(software("PyTorch FSDP, VLDB 2023", "3", 1, 2023) == "pytorch-fsdp");
  CHECK(software("somebody", "FSDP", 1, 2020) == "pytorch-fsdp");
  CHECK(software("somebody", "3", 1, 2021) == "deepspeed-zero3");
  CHECK(software("MosaicML llm-foundry, PyTorch FSDP", "3", 1, 2023) == "llm-foundry-2023");
  CHECK(software("NVIDIA-NeMo/Megatron-Bridge, FSDP", "3", 1, 2025) == "modern");
  CHECK(software("torchtitan FSDP2; torch.compile, float8 linear", "3", 1, 2024) == "pytorch-fsdp-compiled");
}

TEST_CASE("software and devices without a profile are told and widen the range, profiles of their own do not") {
  const auto priced = [](const std::string& notes, const std::string& device) {
    MeasuredRow row = gpt("devices,tp,global_batch,year", "8,8,8,2021");
    row.notes = notes;
    if (!device.empty()) row.device = device;
    return case_of(row, tables());
  };
  const auto is_told = [](const RowCase& row, const std::string& software) {
    return std::find(row.assumed.begin(), row.assumed.end(), "software " + software + " in place of another") !=
           row.assumed.end();
  };
  const RowCase own = priced("Megatron-LM", ""), other = priced("OneFlow in static graphs", "");
  CHECK(own.job.framework.model_error == Ranged(0.035, 0.02, 0.05));
  CHECK_FALSE(is_told(own, "megatron-2021"));
  CHECK(other.job.framework.model_error == other.job.framework.stand_in_error);
  CHECK(other.job.framework.model_error.value > own.job.framework.model_error.value);
  CHECK(is_told(other, "megatron-2021"));
  CHECK(is_told(priced("", "TPU v4"), "modern"));
  CHECK(is_told(priced("", "MI250X"), "megatron-2021"));
}

TEST_CASE(
    "what notes say of the software: hybrid sharding, gradients in 16 bits, asynchronous tensor parallelism, how "
    "tokens "
    "reach experts") {
  const auto noted = [](const std::string& notes, const std::string& zero) {
    MeasuredRow row = gpt("devices,global_batch,zero_stage,year", "32,64," + zero + ",2024");
    row.notes = notes;
    return case_of(row, tables());
  };
  const RowCase plain = noted("", "3");
  CHECK(plain.layout.zero_group == 0);
  CHECK(plain.job.framework.gradient_wire_bytes.value == 4);
  const RowCase hybrid = noted("hybrid shard within the node (HSDP); gradients kept and reduced in bf16", "3");
  CHECK(hybrid.layout.zero_group == hybrid.job.cluster.devices_per_node);
  CHECK(hybrid.job.framework.gradient_wire_bytes == Ranged(2));
  CHECK(hybrid.job.framework.bf16_gradient_bytes == Ranged(2));
  CHECK(noted("gradients reduced in bf16", "3").job.framework.bf16_gradient_bytes == Ranged(4));
  CHECK(noted("HSDP", "1").layout.zero_group == 0);
  CHECK(noted("optimizer states sharded over 4 ranks", "1").layout.zero_group == 4);
  CHECK(noted("optimizer states sharded over all ranks", "1").layout.zero_group == 0);
  CHECK(noted("sharded over", "1").layout.zero_group == 0);
  CHECK(plain.job.framework.tensor_overlap.value == 0);
  const RowCase beside = noted("TP (asynchronous)", "3");
  CHECK(beside.job.framework.tensor_overlap == Ranged(0.25));
  const RowCase dropped = noted("token drop", "1");
  CHECK(dropped.job.framework.expert_host_ms == Ranged(0.15));
  CHECK(dropped.job.framework.node_dispatch == Ranged(0));
  CHECK(noted("", "1").job.framework.node_dispatch == Ranged(1, 0, 1));
  const RowCase by_node = noted("dispatched by DeepEP, a2a overlap", "1");
  CHECK(by_node.job.framework.node_dispatch == Ranged(1));
  CHECK(by_node.job.framework.expert_overlap == Ranged(0.5));
  CHECK(noted("alltoall dispatcher", "1").job.framework.node_dispatch == Ranged(0));
  CHECK(noted("TE + FSDP2", "3").job.framework.id == "modern");
  CHECK(plain.job.framework.id == "pytorch-fsdp");
  // All of it is told.
  const auto tells = [](const RowCase& row, const std::string& text) {
    return std::find(row.assumed.begin(), row.assumed.end(), text) != row.assumed.end();
  };
  CHECK(tells(hybrid, "zero_group 8, a node"));
  CHECK(tells(hybrid, "bf16_gradient_bytes 2"));
  CHECK(tells(hybrid, "gradient_wire_bytes 2"));
  CHECK(tells(dropped, "node_dispatch 0"));
  CHECK(tells(by_node, "node_dispatch 1"));
  CHECK(tells(by_node, "expert_overlap 0.5"));
  CHECK(tells(beside, "tensor_overlap 0.25"));
  CHECK(tells(dropped, "expert_host_ms 0.15"));
}

}  // namespace orrery
