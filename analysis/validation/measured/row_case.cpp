#include "analysis/validation/measured/row_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/validation/measured/framework_rules.hpp"
#include "analysis/validation/measured/row_batch.hpp"
#include "analysis/validation/measured/stated_software.hpp"
#include "analysis/validation/measured/words.hpp"
#include "models/layouts/blocks.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

constexpr double first_year_of_bf16 = 2023;
constexpr double first_year_of_sequence_parallel = 2023;
constexpr double default_year = 2022;

/// Share of the tokens of BERT's pre-training that is masked, and reaches the vocabulary: 20 of 128, 80 of 512
/// (max_predictions_per_seq of NVIDIA/DeepLearningExamples and of Devlin et al.).
constexpr double masked_share = 20.0 / 128;

/// Rates of phase 2 (512 tokens) in NVIDIA/DeepLearningExamples exceed the peak of a V100 in fp32 if whole sequences
/// are counted: padding is not computed. Fit to those rows; half of the tokens of Wikipedia at 512 are padding (Krell
/// et al. 2021, arXiv 2107.02027).
constexpr double computed_share = 0.6;

/// Sentences differ in length, and replicas wait for the one with the longest: standard deviation / mean of what a
/// replica has to do. Fit to GNMT and Transformer-big in the scaling tables of NVIDIA/DeepLearningExamples.
constexpr double sentence_variation = 0.051;

void set_precision(RowCase& target, const MeasuredRow& row) {
  if (const auto named = precision_named(row.precision)) {
    target.job.precision = *named;
    return;
  }
  if (!row.precision.empty()) throw RowSkipped(fmt::format("precision \"{}\" is unknown", row.precision));
  const bool is_late = row.year.value_or(default_year) >= first_year_of_bf16;
  target.job.precision = !target.network.is_transformer() ? Precision::fp32
                         : is_late                        ? Precision::bf16
                                                          : Precision::fp16;
  target.assumed.push_back(fmt::format("precision {}", name_of(target.job.precision)));
}

void set_optimizer(RowCase& target, const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.notes);
  const bool reads_tokens = target.network.is_transformer() || target.network.counted_tokens > 0;
  target.job.optimizer = reads_tokens ? OptimizerKind::adam : OptimizerKind::momentum;
  for (const OptimizerKind kind :
       {OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::lamb, OptimizerKind::adadelta}) {
    if (has_words(words, name_of(kind))) target.job.optimizer = kind;
  }
  if (has_words(words, "offload")) target.layout.offload = Offload::optimizer;
}

/// torchtitan's selective recomputation, where it does not say of what.
bool is_of_every_second_block(const std::vector<std::string>& words, const MeasuredRow& row) {
  return has_words(words, "selective every second layer") ||
         (has_words(words, "selective") && has_words(words_of(row.source + " " + row.notes), "torchtitan"));
}

void set_recompute(RowCase& target, const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.recompute);
  if (row.recompute.empty()) {
    target.open.recompute = target.network.is_transformer();
  } else if (has_words(words, "none") || has_words(words, "no") || has_words(words, "selective 0 layers")) {
    target.layout.recompute = Recompute::none;
  } else if (has_words(words, "selective per operator")) {
    target.layout.recompute = Recompute::operators;
  } else if (is_of_every_second_block(words, row)) {
    target.layout.recompute = Recompute::alternate;
  } else if (has_words(words, "selective")) {
    target.layout.recompute = Recompute::selective;
  } else if (has_words(words, "full") || has_words(words, "yes")) {
    target.layout.recompute = Recompute::full;
  } else {
    throw RowSkipped(fmt::format("recompute \"{}\" is unknown", row.recompute));
  }
}

std::int64_t devices_of(const MeasuredRow& row) {
  if (row.devices) return *row.devices;
  const std::int64_t product = row.tp.value_or(1) * row.pp.value_or(1) * row.cp.value_or(1) * row.dp.value_or(1);
  const bool says_something = row.tp || row.pp || row.cp || row.dp;
  if (!says_something) throw RowSkipped("missing: devices");
  return product;
}

/// Groups of experts that span tensor ranks have whole experts (Megatron-Core's recipes: expert_tensor_parallel_size
/// 1).
void set_expert_degree(RowCase& target) {
  Layout& layout = target.layout;
  const int replicas = layout.dp * layout.cp;
  if (replicas % layout.ep == 0 || replicas * layout.tp % layout.ep != 0) return;
  layout.etp = 1;
  target.assumed.push_back(
      fmt::format("etp 1, as ep {} does not divide dp {} x cp {}", layout.ep, layout.dp, layout.cp));
}

/// tp, pp, cp and dp, whose product is the number of devices.
void set_degrees(RowCase& target, const MeasuredRow& row, std::int64_t devices) {
  Layout& layout = target.layout;
  layout.tp = static_cast<int>(row.tp.value_or(1));
  layout.pp = static_cast<int>(row.pp.value_or(1));
  layout.cp = static_cast<int>(row.cp.value_or(1));
  layout.ep = static_cast<int>(row.ep.value_or(1));
  layout.zero_stage = zero_stage_of(row);
  const std::int64_t model_ranks = std::int64_t{layout.tp} * layout.pp * layout.cp;
  if (devices % model_ranks != 0) {
    throw RowSkipped(
        fmt::format("{} devices are no multiple of tp {} x pp {} x cp {}", devices, layout.tp, layout.pp, layout.cp));
  }
  layout.dp = static_cast<int>(devices / model_ranks);
  if (row.dp && *row.dp != layout.dp) {
    throw RowSkipped(fmt::format("dp is {}, but {} devices / (tp {} x pp {} x cp {}) are {}", *row.dp, devices,
                                 layout.tp, layout.pp, layout.cp, layout.dp));
  }
  set_expert_degree(target);
  target.open.tensor_and_pipeline = devices > 1 && !row.tp && !row.pp && layout.zero_stage < 3;
}

void set_pipeline(RowCase& target, const MeasuredRow& row) {
  target.open.sharding = row.zero_stage.empty() && target.layout.dp > 1 && target.job.framework.id == "modern";
  target.layout.interleave = static_cast<int>(row.interleave.value_or(1));
  // Megatron-LM of 2021 may interleave, and its sources say so; later stacks do where it helps.
  const bool may_interleave = target.job.framework.id == "modern" || has_words(words_of(row.notes), "interleave*");
  target.open.interleave = !row.interleave && target.layout.pp > 1 && may_interleave;
  if (!row.interleave && target.layout.pp > 1 && !target.open.interleave) target.assumed.emplace_back("interleave 1");
}

/// Hybrid sharding: states are shared out inside a node, and every node has all of them.
void set_sharing(RowCase& target, const MeasuredRow& row) {
  const int node = target.job.cluster.devices_per_node;
  if (target.layout.zero_stage < 3 || !has_words(words_of(row.zero_stage + " " + row.notes), "hsdp")) return;
  if (target.layout.dp <= node) return;
  target.layout.zero_group = node;
  target.assumed.push_back(fmt::format("zero_group {}, a node", node));
}

/// Software is told by a list which layers stand where the chunks do not divide them (Megatron-Core's
/// pipeline-model-parallel-layout).
void set_chunks(RowCase& target) {
  const BlockSequence sequence = blocks_of(target.job.network);
  const std::size_t chunks = static_cast<std::size_t>(target.layout.pp) * target.layout.interleave;
  if (target.layout.interleave == 1 || target.layout.pp == 1 || divides_into(sequence, chunks)) return;
  target.layout.chunks = Chunks::uneven;
  target.assumed.push_back(fmt::format("uneven chunks, as {} do not divide {} blocks", chunks, dealt_blocks(sequence)));
}

void set_sequence_parallel(RowCase& target, const MeasuredRow& row) {
  const bool is_late = row.year.value_or(default_year) >= first_year_of_sequence_parallel;
  const bool is_on = row.seq_parallel.empty() ? is_late && target.network.is_transformer() : row.seq_parallel == "yes";
  target.layout.sequence_parallel = is_on && target.layout.tp > 1 ? SequenceParallel::on : SequenceParallel::off;
  if (row.seq_parallel.empty() && target.layout.tp > 1) {
    target.assumed.emplace_back(is_on ? "sequence parallel" : "no sequence parallelism");
  }
}

/// BERT's head works on the masked tokens of pre-training (NVIDIA/DeepLearningExamples: dense sequence output), on none
/// in fine-tuning; its attention is unfused unless the row says otherwise.
void set_bert(RowCase& target, const MeasuredRow& row) {
  if (!target.network.is_bert) return;
  const std::vector<std::string> words = words_of(row.source + " " + row.model + " " + row.notes);
  if (!has_words(words, "flash*") && !has_words(words, "fmha")) {
    target.job.framework.flash_attention = Ranged(0);
    target.assumed.emplace_back("unfused attention");
  }
  const bool is_tuning = has_words(words, "squad");
  target.job.head_tokens = is_tuning ? 0.0 : masked_share;
  target.assumed.emplace_back(is_tuning ? "no vocabulary head" : "head on 20 of 128 tokens");
  if (is_tuning || target.network.shape.tokens < 512 || !has_words(words, "deeplearningexamples")) return;
  target.job.computed_tokens = computed_share;
  target.assumed.push_back(fmt::format("{} of the tokens computed", computed_share));
}

void set_sentences(RowCase& target) {
  if (target.network.counted_tokens == 0) return;
  target.job.length_variation = sentence_variation;
  target.assumed.push_back(fmt::format("length_variation {}", sentence_variation));
}

}  // namespace

std::optional<Precision> precision_named(std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  if (has_words(words, "fp8*")) return Precision::fp8;
  if (has_words(words, "bf16")) return Precision::bf16;
  if (has_words(words, "fp16") || has_words(words, "amp") || has_words(words, "mixed")) return Precision::fp16;
  if (has_words(words, "tf32")) return Precision::tf32;
  if (has_words(words, "fp32")) return Precision::fp32;
  if (has_words(words, "fp64")) return Precision::fp64;
  return std::nullopt;
}

RowCase case_of(const MeasuredRow& row, const ValidationTables& tables) {
  RowCase target;
  target.network = network_of(row, tables.models);
  target.assumed = target.network.assumed;
  const std::int64_t devices = devices_of(row);
  set_degrees(target, row, devices);
  set_cluster(target, row, devices, tables);
  set_precision(target, row);
  set_optimizer(target, row);
  set_recompute(target, row);
  set_batch(target, row);
  const FrameworkChoice choice = framework_of(row, target.network);
  target.job.framework = tables.framework(choice.id);
  target.framework_rule = choice.rule;
  const bool stands_in = choice.fit == FrameworkChoice::Fit::stand_in;
  target.assumed.push_back("software " + choice.id + (stands_in ? " in place of another" : ""));
  FrameworkProfile& software = target.job.framework;
  if (stands_in && software.stand_in_error.value > software.model_error.value) {
    software.model_error = software.stand_in_error;
  }
  set_pipeline(target, row);
  set_sharing(target, row);
  for (std::string& told : set_stated_software(target.job.framework, row)) target.assumed.push_back(std::move(told));
  set_sequence_parallel(target, row);
  set_bert(target, row);
  set_sentences(target);
  target.job.network = target.network.graph(target.layout.tp);
  set_chunks(target);
  return target;
}

std::string case_key(const MeasuredRow& row) {
  const auto text = [](const std::optional<std::int64_t>& count) { return count ? std::to_string(*count) : ""; };
  std::string key;
  for (const std::string* part : {&row.source, &row.table, &row.model, &row.precision, &row.recompute, &row.device,
                                  &row.intra_link, &row.inter_link, &row.zero_stage, &row.seq_parallel, &row.notes}) {
    key += *part + '\n';
  }
  for (const auto& part :
       {row.layers, row.hidden, row.heads, row.kv_heads, row.ffn_hidden, row.vocab, row.seq_len, row.global_batch,
        row.micro_batch, row.devices, row.devices_per_node, row.tp, row.pp, row.dp, row.cp, row.ep, row.interleave}) {
    key += text(part) + '\n';
  }
  for (const auto& [column, words] : row.in_words) key += column + '=' + words + '\n';
  return key + number_text(row.year.value_or(0)) + '\n' + number_text(row.params_b.value_or(0));
}

}  // namespace orrery
