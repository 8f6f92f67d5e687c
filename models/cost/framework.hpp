// What belongs to the software, not to the device: constants of a training framework, as data with ranges and sources.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/constants_csv.hpp"
#include "sim/base/errors.hpp"
#include "sim/base/ranged.hpp"

namespace orrery {

/// A row of models/cost/frameworks.csv (id, base, title, source) and its constants in framework_constants.csv
/// (framework, constant, value, low, high, source); what a framework does not give it takes from its base.
struct FrameworkProfile {
  std::string id, title, source;
  Ranged kernel_overhead_us;              // roofline alone: host or launch cost of one layer's pass
  Ranged memory_efficiency{1.0};          // roofline alone: share of the memory bandwidth that streaming kernels reach
  Ranged optimizer_bytes_sgd{12.0};       // moved per parameter and step, fp32: read w, g; write w
  Ranged optimizer_bytes_momentum{20.0};  // + read and write m
  Ranged optimizer_bytes_adam{28.0};      // read w, g, m, v; write w, m, v
  Ranged optimizer_bytes_adam_mixed{34.0};  // mixed precision: with the 16-bit copy, loss scaling, norm and clipping
  Ranged straggler_per_doubling;            // share of step time added per doubling of replicas
  Ranged host_forward_us;                   // host time per kernel: a stage is never faster than its host
  Ranged host_backward_us;
  Ranged host_update_us;  // host time of each operation on each weight tensor in an update, each a kernel of its own
                          // (PyTorch's loops before 2.0); 0: a fused update, few kernels for all weights
  Ranged host_sample_us;  // host time per sample of a step: it is taken over from the loader
  Ranged host_microbatch_ms;
  Ranged host_iteration_ms;
  Ranged checkpoint_wait_ms;  // per block that is computed again whole and micro-batch: the device waits for the engine
  Ranged expert_host_ms;      // per expert of a rank, layer and micro-batch, half of it in either pass: the host asks
                              // for the products of experts one by one, once it knows their tokens
  Ranged kernel_efficiency{1.0};   // share of the device's two laws that its kernels reach, in place: kernels that are
                                   // not fused, gaps, others that run beside them
  Ranged depthwise_slowness{1.0};  // times that depthwise convolutions take longer than their bytes
  Ranged whole_logits{1.0};        // 1: logits are kept whole, in fp32; 0: the loss makes and uses them piece by piece
  Ranged fp32_scores;              // 1: autocast runs softmax and dropout of 16-bit scores in fp32; 0: as they are kept
  Ranged flash_attention;          // generation of the fused kernel that keeps no scores: 1, 2, 3 (FlashAttention 1, 2,
                                   // 3 and cuDNN's); 0: products and softmax apart
  Ranged blocking_transfers;       // 1: pipeline neighbours wait for each exchange (Megatron-LM 2021); 0: hidden
  Ranged transfer_latency_us;      // of a pipeline message beside its bytes
  Ranged gradient_overlap;         // share of the last micro-batch's backward pass that hides gradient exchange
  Ranged parameter_overlap;        // share of computing that hides gathering sharded parameters (ZeRO-3, FSDP)
  Ranged recompute_early_stop;  // 1: recomputing a block stops before its last product, whose output no gradient needs
                                // (PyTorch's checkpoints that are not re-entrant); 0: the whole forward pass
  Ranged kept_operand_bytes;    // fp8: per kept input of a product
  Ranged kept_expert_outputs;  // 1: what experts write is kept, as their weights are multiplied in last; 0: the weights
                               // come before the last product (Megatron-Core since 2025, torchtitan)
  Ranged cast_bytes;           // fp8: moved per number to scale, cast and transpose inputs and gradients of products
  Ranged exchange_interference;  // of exchange of states hidden by a pass, the share by which that pass takes longer:
                                 // the library's kernels take multiprocessors and bandwidth
  Ranged gather_links;           // ZeRO-3: gathers and sums of pieces reach so many network links' bandwidth; 0: all
                                 // that the library reaches
  Ranged tensor_overlap;         // share of tensor-parallel communication hidden by computing (sequence parallelism)
  Ranged expert_overlap;         // share of the all-to-all of experts hidden by computing
  Ranged node_dispatch;          // 1: a token goes once to each node that has experts of it, and is passed on inside
                                 // (DeepEP, HybridEP); 0: once to each expert (all-to-all)
  Ranged gather_again_exposed;   // sequence parallelism: share of backward's second gather that is not hidden
  Ranged kept_gathered;      // sequence parallelism: 1: what is gathered for products is kept for backward; 0: it is
                             // gathered again (Megatron-LM)
  Ranged sequence_copies;    // sequence parallelism, several sequences per micro-batch: times that what is gathered or
                             // scattered is copied so that a rank's part lies in one piece
  Ranged exchange_traffic;   // of a byte that a rank sends of gradients, the bytes of device memory traffic by
                             // which kernels take longer: copies into buckets, the library's kernels beside them
  Ranged shard_bytes;        // ZeRO-3 in 16 bits: per weight as shared out, beside the optimizer's fp32 one
  Ranged master_bytes{4.0};  // per weight in 16 bits that trains: the optimizer's own; 0: it moves that one
  Ranged state_bytes{4.0};   // per number that it keeps of such a weight (Adam keeps two)
  Ranged gradient_bytes;     // per number as kept (4: fp32 accumulation) where weights are fp16
  Ranged bf16_gradient_bytes;    // the same where they are bf16 (fp8: as bf16)
  Ranged bf16_sum_bytes;         // moved per number and micro-batch by sums that are kept apart from bf16 gradients
  Ranged gradient_wire_bytes;    // per number as sent
  Ranged unsplit_head{1.0};      // products of the logits take so many times longer without tensor parallelism
  Ranged logit_bytes;            // per logit, moved by the loss in all its passes
  Ranged kept_logit_bytes{4.0};  // per logit, kept for the gradient of the loss; less than the precision's where it is
                                 // made in place of the logits themselves counts as that
  Ranged logit_gradient_bytes;   // per logit, held beside what is kept while the loss goes back
  Ranged split_logit_gradient_bytes;  // the same where tensor-parallel ranks have parts of the logits
  Ranged offload_ns_per_parameter;    // optimizer on the host, per parameter of a rank
  Ranged reserve_GiB;                 // context, communication buffers, fragmentation
  Ranged model_error;                 // share by which predictions miss beyond the ranges of their constants
  Ranged expert_error;                // of steps of mixtures of experts, where it is more: their software differs
  Ranged stand_in_error;              // the same where the profile stands for software that has none
};

/// Of a step, by how much the last of so many replicas is late.
double straggler_share(const FrameworkProfile& framework, double replicas);

struct FrameworkConstant {
  std::string_view name;
  Ranged FrameworkProfile::*member;
  std::string_view meaning;
  ConstantLimits limits = {};
};
/// In the order of the struct: what reading, `explain`, ranges and `fit` walk.
const std::vector<FrameworkConstant>& framework_constants();

std::vector<FrameworkProfile> read_frameworks(Problems& problems);
/// Same from two texts; the file names stand for them in messages. Problems: a doubled id or constant, an unknown base
/// or constant, a value outside [low, high], a cell without source, a constant that neither it nor its base gives.
std::vector<FrameworkProfile> parse_frameworks(std::string_view frameworks, std::string_view constants,
                                               Problems& problems);
/// The constants of a shipped framework with their sources, each from the framework or the nearest base that gives it
/// (ConstantRow::owner), in the order of framework_constants(); none for an unknown id.
std::vector<ConstantRow> framework_rows(std::string_view id, Problems& problems);

}  // namespace orrery
