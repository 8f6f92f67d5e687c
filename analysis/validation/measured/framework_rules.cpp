#include "analysis/validation/measured/framework_rules.hpp"

#include <algorithm>
#include <initializer_list>

#include "analysis/validation/measured/stated_settings.hpp"
#include "analysis/validation/measured/words.hpp"

namespace orrery {
namespace {

/// Words of everything that says who measured with what.
std::vector<std::string> words_about(const MeasuredRow& row) {
  return words_of(row.source + " " + row.model + " " + row.notes + " " + row.table);
}

bool any(const std::vector<std::string>& words, std::initializer_list<const char*> patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const char* pattern) { return has_words(words, pattern); });
}

bool names_fsdp(const std::vector<std::string>& words) {
  return any(words, {"fsdp*", "shard-grad-op", "reshard-after-forward"});
}

/// States shared out by PyTorch's FSDP, weights gathered for each pass or kept between passes (SHARD_GRAD_OP).
bool is_sharded(const MeasuredRow& row, const std::vector<std::string>& words) {
  const int stage = zero_stage_of(row);
  return stage == 3 || (stage == 2 && names_fsdp(words));
}

/// Modules and autograd of PyTorch itself, and of libraries whose networks are made of them.
bool is_plain_pytorch(const std::vector<std::string>& words) {
  return any(words, {"pytorch", "hugging-face", "huggingface", "lit-gpt", "litgpt"}) &&
         !any(words, {"megatron*", "te", "transformer engine"});
}

/// Unless states are shared out, nothing that the profile says of sharing them counts.
std::string by_compiler(const std::vector<std::string>& words) {
  const bool is_compiled = any(words, {"torch.compile !no-torch.compile !without-torch.compile"});
  return is_compiled ? "pytorch-fsdp-compiled" : "pytorch-fsdp";
}

std::string sharded(const MeasuredRow& row, const std::vector<std::string>& words, double year) {
  if (any(words, {"deepspeed*", "zero"}) && !names_fsdp(words)) return "deepspeed-zero3";
  if (any(words, {"llm foundry"})) return "llm-foundry-2023";
  if (any(words, {"megatron bridge", "megatron fsdp"})) return "modern";
  if (any(words, {"te", "transformer engine"})) return "modern";
  const std::string own = by_compiler(words);
  if (own == "pytorch-fsdp-compiled" || names_fsdp(words) || any(words_of(row.zero_stage), {"fsdp*", "hsdp*"})) {
    return own;
  }
  if (any(words, {"offload"})) return "deepspeed-zero3";
  if (year <= 2021) return "deepspeed-zero3";
  return "pytorch-fsdp";
}

/// PyTorch has had fused attention, as its profile counts it, since 2.0 of 2023.
std::string by_year(double year, const std::vector<std::string>& words) {
  if (year <= 2020) return "megatron-2020";
  if (year <= 2022) return "megatron-2021";
  return is_plain_pytorch(words) ? by_compiler(words) : "modern";
}

/// Software with compilers, engines and kernels of its own.
bool is_other_software(const std::vector<std::string>& words, const std::vector<std::string>& device) {
  return any(device, {"tpu*", "trainium*", "gaudi*", "mi1*", "mi2*", "mi3*"}) ||
         any(words, {"oneflow", "alpa", "colossalai", "colossal ai", "mindspore", "paddle", "paddlepaddle", "metaseq",
                     "jax", "xla", "maxtext", "paxml", "pathways", "internevo"});
}

std::string nearest_profile(const MeasuredRow& row, const RowNetwork& network, double year,
                            const std::vector<std::string>& words, const std::vector<std::string>& device) {
  if (any(device, {"tpu*", "trainium*", "gaudi*"})) return "xla";
  if (is_sharded(row, words)) return sharded(row, words, year);
  const bool by_data_alone = row.tp.value_or(1) * row.pp.value_or(1) * row.cp.value_or(1) == 1;
  if (by_data_alone && (!network.is_transformer() || network.is_bert)) {
    return "pytorch-ddp";
  }
  if (any(words, {"vtrain"})) return "megatron-deepspeed-2021";
  if (any(words, {"megatron deepspeed", "neox", "bigscience*", "mt nlg", "bloom"})) {
    return "deepspeed-pipeline";
  }
  if (any(words, {"launcher"})) return "megatron-2021";  // NeMo before fused attention was its default
  if (any(words, {"nemo", "megascale"})) return "modern";
  if (any(words, {"torchtitan"})) return by_compiler(words);
  return by_year(year, words);
}

}  // namespace

FrameworkChoice framework_of(const MeasuredRow& row, const RowNetwork& network, double year) {
  const std::vector<std::string> words = words_about(row);
  const std::vector<std::string> device = words_of(row.device);
  FrameworkChoice choice{nearest_profile(row, network, year, words, device)};
  if (is_other_software(words, device)) choice.fit = FrameworkChoice::Fit::stand_in;
  return choice;
}

}  // namespace orrery
