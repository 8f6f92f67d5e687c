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

FrameworkChoice sharded(const MeasuredRow& row, const std::vector<std::string>& words, double year) {
  if (any(words, {"deepspeed*", "zero"}) && !any(words, {"fsdp*"})) return {"deepspeed-zero3", "sharded, DeepSpeed"};
  if (any(words, {"llm foundry"})) return {"llm-foundry-2023", "words"};
  if (any(words, {"megatron bridge", "megatron fsdp"})) return {"modern", "sharded, kernels of Megatron-Core"};
  if (any(words, {"te", "transformer engine"})) return {"modern", "sharded, kernels of Transformer Engine"};
  if (any(words, {"torch.compile"})) return {"pytorch-fsdp-compiled", "sharded, torch.compile"};
  if (any(words, {"fsdp*"}) || any(words_of(row.zero_stage), {"fsdp*", "hsdp*"})) {
    return {"pytorch-fsdp", "sharded, FSDP"};
  }
  if (any(words, {"offload"})) return {"deepspeed-zero3", "sharded with offload"};
  if (year <= 2021) return {"deepspeed-zero3", "sharded, before FSDP"};
  return {"pytorch-fsdp", "sharded, year"};
}

FrameworkChoice by_year(double year) {
  if (year <= 2020) return {"megatron-2020", "year"};
  if (year <= 2022) return {"megatron-2021", "year"};
  return {"modern", "year"};
}

/// Software with compilers, engines and kernels of its own.
bool is_other_software(const std::vector<std::string>& words, const std::vector<std::string>& device) {
  return any(device, {"tpu*", "trainium*", "gaudi*", "mi1*", "mi2*", "mi3*"}) ||
         any(words, {"oneflow", "alpa", "colossalai", "colossal ai", "mindspore", "paddle", "paddlepaddle", "metaseq",
                     "jax", "xla", "maxtext", "paxml", "pathways", "internevo"});
}

FrameworkChoice nearest_profile(const MeasuredRow& row, const RowNetwork& network, double year,
                                const std::vector<std::string>& words, const std::vector<std::string>& device) {
  if (any(device, {"tpu*", "trainium*", "gaudi*"})) return {"modern", "compiled programs"};
  if (zero_stage_of(row) == 3) return sharded(row, words, year);
  const bool by_data_alone = row.tp.value_or(1) * row.pp.value_or(1) * row.cp.value_or(1) == 1;
  if (by_data_alone && (!network.is_transformer() || network.is_bert)) {
    return {"pytorch-ddp", "data parallel, no decoder"};
  }
  if (any(words, {"vtrain"})) return {"megatron-deepspeed-2021", "words"};
  if (any(words, {"megatron deepspeed", "neox", "bigscience*", "mt nlg", "bloom"})) {
    return {"deepspeed-pipeline", "words"};
  }
  if (any(words, {"launcher"})) return {"megatron-2021", "words"};  // NeMo before fused attention was its default
  if (any(words, {"nemo", "megascale", "torchtitan"})) return {"modern", "words"};
  return by_year(year);
}

}  // namespace

FrameworkChoice framework_of(const MeasuredRow& row, const RowNetwork& network, double year) {
  const std::vector<std::string> words = words_about(row);
  const std::vector<std::string> device = words_of(row.device);
  FrameworkChoice choice = nearest_profile(row, network, year, words, device);
  if (is_other_software(words, device)) choice.fit = FrameworkChoice::Fit::stand_in;
  return choice;
}

}  // namespace orrery
