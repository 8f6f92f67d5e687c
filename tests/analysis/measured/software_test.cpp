// The software of published rows, as their sources and notes tell it.
#include "analysis/validation/fit_rows.hpp"
#include "analysis/validation/measured/framework_rules.hpp"
#include "analysis/validation/measured/solved_case.hpp"
#include "analysis/validation/measured/stated_software.hpp"
#include "tests/analysis/measured/one_row.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

using namespace testing;

}  // namespace

TEST_CASE("the software of a row") {
  const auto software = [](const std::string& source, const std::string& zero, int tp, double year) {
    MeasuredRow row = gpt_row("devices,global_batch", "8,8");
    row.source = source;
    row.zero_stage = zero;
    row.tp = tp;
    row.year = year;
    return framework_of(row, network_of(row, shared_tables().models), year).id;
  };
  CHECK(software("Narayanan et al.", "0", 8, 2021) == "megatron-2021");
  CHECK(software("NVIDIA/Megatron-LM README figures", "", 8, 2020) == "megatron-2020");
  CHECK(software("VIA-Research/vTrain data", "", 2, 2024) == "megatron-deepspeed-2021");
  CHECK(software("torchtitan", "1", 8, 2022) == "pytorch-fsdp");
  CHECK(software("somebody", "", 8, 2024) == "modern");
  CHECK(software("microsoft/DeepSpeed docs", "3", 1, 2022) == "deepspeed-zero3");
  CHECK(software("PyTorch FSDP, VLDB 2023", "3", 1, 2023) == "pytorch-fsdp");
  CHECK(software("somebody", "FSDP", 1, 2020) == "pytorch-fsdp");
  CHECK(software("somebody", "3", 1, 2021) == "deepspeed-zero3");
  CHECK(software("MosaicML llm-foundry, PyTorch FSDP", "3", 1, 2023) == "llm-foundry-2023");
  CHECK(software("NVIDIA-NeMo/Megatron-Bridge, FSDP", "3", 1, 2025) == "modern");
  CHECK(software("torchtitan FSDP2; torch.compile, float8 linear", "3", 1, 2024) == "pytorch-fsdp-compiled");
  CHECK(software("torchtitan FSDP2; no torch.compile", "3", 1, 2024) == "pytorch-fsdp");
  CHECK(software("torchtitan FSDP2, without torch.compile", "3", 1, 2024) == "pytorch-fsdp");
}

TEST_CASE("PyTorch's own software is one profile, whichever states FSDP shares out, and if none") {
  const auto software = [](const std::string& source, const std::string& zero, double year) {
    MeasuredRow row = gpt_row("devices,global_batch", "8,8");
    row.source = source;
    row.zero_stage = zero;
    return framework_of(row, network_of(row, shared_tables().models), year).id;
  };
  // Weights that stay gathered between the passes are stage 2.
  CHECK(software("FSDP2, reshard_after_forward never (ZeRO-2)", "2", 2025) == "pytorch-fsdp");
  CHECK(software("SHARD_GRAD_OP of PyTorch, torch.compile", "2", 2024) == "pytorch-fsdp-compiled");
  CHECK(software("Megatron FSDP", "2", 2025) == "modern");
  CHECK(software("somebody", "2", 2025) == "modern");
  CHECK(software("somebody", "3", 2025) == "pytorch-fsdp");
  // Without shared states.
  CHECK(software("Hugging Face trainer", "", 2024) == "pytorch-fsdp");
  CHECK(software("PyTorch 2.10, naive attention", "0", 2026) == "pytorch-fsdp");
  CHECK(software("lit-GPT benchmark, torch.compile", "0", 2024) == "pytorch-fsdp-compiled");
  CHECK(software("torchtitan TP, torch.compile", "", 2025) == "pytorch-fsdp-compiled");
  CHECK(software("Megatron-Core in a container of PyTorch", "", 2024) == "modern");
  CHECK(software("PyTorch with layers of TE", "1", 2025) == "modern");
  CHECK(software("PyTorch with NeMo", "", 2025) == "modern");
  // Before its own fused attention.
  CHECK(software("PyTorch 1.12", "", 2022) == "megatron-2021");
}

TEST_CASE("software and devices without a profile are told and widen the range, profiles of their own do not") {
  const auto priced = [](const std::string& notes, const std::string& device) {
    MeasuredRow row = gpt_row("devices,tp,global_batch,year", "8,8,8,2021");
    row.notes = notes;
    if (!device.empty()) row.device = device;
    return case_of(row, shared_tables());
  };
  const auto is_told = [](const RowCase& row, const std::string& software) {
    return assumes(row, "software " + software + " in place of another");
  };
  const RowCase own = priced("Megatron-LM", ""), other = priced("OneFlow in static graphs", "");
  CHECK(own.job.framework.model_error == Ranged(0.035, 0.02, 0.05));
  CHECK_FALSE(is_told(own, "megatron-2021"));
  CHECK(other.job.framework.model_error == other.job.framework.stand_in_error);
  CHECK(other.job.framework.model_error.value > own.job.framework.model_error.value);
  CHECK(is_told(other, "megatron-2021"));
  CHECK(is_told(priced("", "TPU v4"), "xla"));
  CHECK(priced("", "TPU v4").job.framework.host_forward_us == Ranged(0));
  CHECK(is_told(priced("", "MI250X"), "megatron-2021"));
}

TEST_CASE(
    "what notes say of the software: hybrid sharding, gradients in 16 bits, asynchronous tensor parallelism, how "
    "tokens reach experts") {
  const auto noted = [](const std::string& notes, const std::string& zero) {
    MeasuredRow row = gpt_row("devices,global_batch,zero_stage,year", "32,64," + zero + ",2024");
    row.notes = notes;
    return case_of(row, shared_tables());
  };
  const RowCase plain = noted("", "3");
  CHECK(plain.layout.zero_group == 0);
  CHECK(plain.job.framework.gradient_wire_bytes.value == 4);
  const RowCase hybrid = noted("hybrid shard within the node (HSDP); gradients kept and reduced in bf16", "3");
  CHECK(hybrid.layout.zero_group == hybrid.job.cluster.devices_per_node);
  CHECK(hybrid.job.framework.gradient_wire_bytes == Ranged(2));
  CHECK(hybrid.job.framework.bf16_gradient_bytes == Ranged(2));
  CHECK(noted("gradients reduced in bf16", "3").job.framework.bf16_gradient_bytes == Ranged(4, 2, 4));
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
  CHECK(dropped.job.framework.host_forward_us == Ranged(0));
  CHECK(noted("TE CUDA graphs of the router", "1").job.framework.host_backward_us == Ranged(0));
  CHECK(noted("one CUDA graph", "1").job.framework.host_forward_us == Ranged(0));
  CHECK(noted("", "1").job.framework.node_dispatch == Ranged(1, 0, 1));
  const RowCase by_node = noted("dispatched by DeepEP, a2a overlap", "1");
  CHECK(by_node.job.framework.node_dispatch == Ranged(1));
  CHECK(by_node.job.framework.expert_overlap == Ranged(0.5));
  CHECK(noted("alltoall dispatcher", "1").job.framework.node_dispatch == Ranged(0));
  CHECK(noted("TE + FSDP2", "3").job.framework.id == "modern");
  CHECK(plain.job.framework.id == "pytorch-fsdp");
  // All of it is told.
  CHECK(assumes(hybrid, "zero_group 8, a node"));
  CHECK(assumes(hybrid, "bf16_gradient_bytes 2"));
  CHECK(assumes(hybrid, "gradient_wire_bytes 2"));
  CHECK(assumes(dropped, "node_dispatch 0"));
  CHECK(assumes(by_node, "node_dispatch 1"));
  CHECK(assumes(by_node, "expert_overlap 0.5"));
  CHECK(assumes(beside, "tensor_overlap 0.25"));
  CHECK(assumes(dropped, "expert_host_ms 0.15"));
}

TEST_CASE("notes name the generation of the attention kernel, and a loss that is not compiled") {
  const auto noted = [](const std::string& notes) {
    MeasuredRow row = gpt_row("devices,global_batch,zero_stage,year", "32,64,FSDP,2025");
    row.notes = notes;
    return case_of(row, shared_tables()).job.framework;
  };
  CHECK(noted("").flash_attention == Ranged(2));
  CHECK(noted("FlashAttention 2").flash_attention == Ranged(2));
  CHECK(noted("FlashAttention-3").flash_attention == Ranged(3));
  CHECK(noted("cuDNN attention").flash_attention == Ranged(3));
  CHECK(noted("2 nodes, cuDNN, FlashAttention").flash_attention == Ranged(2));  // words that do not follow one another
  CHECK(noted("torch.compile").kept_logit_bytes.value + noted("torch.compile").logit_gradient_bytes.value == 4);
  CHECK(noted("torch.compile, eager loss").kept_logit_bytes == Ranged(4));
  CHECK(noted("torch.compile, eager loss").logit_gradient_bytes == Ranged(10));
  CHECK(noted("torch.compile, eager loss").split_logit_gradient_bytes == Ranged(14));
  // What the profile of software that does not compile its loss says by itself.
  CHECK(noted("").logit_gradient_bytes.value == 10);
  CHECK(noted("").split_logit_gradient_bytes.value == 14);
  CHECK(noted("").sequence_copies.value == 1);
  CHECK(noted("asynchronous TP").sequence_copies == Ranged(0));
  const FrameworkProfile in_place = noted("TE loss");
  CHECK(in_place.kept_logit_bytes == Ranged(2));
  CHECK(in_place.logit_gradient_bytes == Ranged(0));
  CHECK(in_place.split_logit_gradient_bytes == Ranged(0));
  CHECK(in_place.logit_bytes == Ranged(10));
  CHECK(noted("compiled Megatron loss").split_logit_gradient_bytes == Ranged(6));
  CHECK(noted("TE kernels, loss of 2.3").kept_logit_bytes.value == 4);  // other words between them
}

TEST_CASE("weights and states in bf16 alone are 2 + 2 + 4 bytes of each parameter, and less to update") {
  const auto solved = [](const std::string& notes) {
    MeasuredRow row = gpt_row("devices,global_batch,micro_batch,recompute", "1,1,1,none");
    row.precision = "bf16", row.notes = notes;
    CaseSolver solver(shared_tables());
    return solver.solve(row);
  };
  const SolvedCase mixed = solved(""), pure = solved("Adam, weights and states in bf16 (pure-bf16)");
  const MemoryEstimate &all = mixed.step.memory.states, &few = pure.step.memory.states;
  CHECK((all.weights + all.gradients + all.optimizer) / all.weights == Approx((2 + 4 + 4 + 8) / 2.0));
  CHECK(few.weights == all.weights);
  CHECK((few.weights + few.gradients + few.optimizer) / few.weights == Approx((2 + 2 + 4) / 2.0));
  const double bytes = mixed.row.job.framework.optimizer_bytes_adam_mixed.value;
  CHECK(pure.step.parts.optimizer.value() == Approx(mixed.step.parts.optimizer.value() * 16 / bytes));
}

TEST_CASE("NeMo's host shows between steps whose passes CUDA graphs start, and a fit leaves such constants alone") {
  MeasuredRow row = gpt_row("devices,global_batch,micro_batch,recompute", "1,1,1,none");
  row.precision = "bf16", row.metric = "iteration_time", row.unit = "s", row.value = 0.1;
  FrameworkProfile plain = shared_tables().framework("modern"), graphs = plain, nemo = plain;
  row.notes = "CUDA graphs";
  set_stated_software(graphs, row);
  row.notes = "NeMo, CUDA graphs";
  set_stated_software(nemo, row);
  CHECK(graphs.host_forward_us.value == plain.host_forward_us.low);
  CHECK(graphs.host_iteration_ms == plain.host_iteration_ms);
  CHECK(nemo.host_iteration_ms == Ranged(37, 20, 45));
  const RowsToFit fit = problem_of_rows({row}, shared_tables(), {FitTarget::Kind::framework, "modern"},
                                        {"host_iteration_ms", "host_microbatch_ms"});
  const double as_stated = fit.problem.ratio(std::vector<double>{2, 1.5}, 0);
  CHECK(fit.problem.ratio(std::vector<double>{20, 1.5}, 0) == as_stated);
  CHECK(fit.problem.ratio(std::vector<double>{2, 15}, 0) > as_stated);
}

}  // namespace orrery
