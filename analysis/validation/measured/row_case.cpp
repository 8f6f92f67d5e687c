#include "analysis/validation/measured/row_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "analysis/validation/measured/framework_rules.hpp"
#include "analysis/validation/measured/row_batch.hpp"
#include "analysis/validation/measured/row_degrees.hpp"
#include "analysis/validation/measured/stated_settings.hpp"
#include "analysis/validation/measured/stated_software.hpp"
#include "analysis/validation/measured/words.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

constexpr double first_year_of_bf16 = 2023;
constexpr double first_year_of_sequence_parallel = 2023;
/// Of a row without a year, and without a device that came later.
constexpr double default_year = 2022;

/// Share of the tokens of BERT's pre-training that is masked, and reaches the vocabulary: 20 of 128, 80 of 512
/// (max_predictions_per_seq of NVIDIA/DeepLearningExamples and of Devlin et al.).
constexpr double masked_share = 20.0 / 128;

/// Rates of phase 2 (512 tokens) of PyTorch in NVIDIA/DeepLearningExamples exceed the peak of a V100 in fp32 if whole
/// sequences are counted: padding is not computed. Fit to those rows; half of the tokens of Wikipedia at 512 are
/// padding (Krell et al. 2021, arXiv 2107.02027).
constexpr double computed_share = 0.6;

/// Sentences differ in length, and replicas wait for the one with the longest: standard deviation / mean of what a
/// replica has to do. Fit to GNMT and Transformer-big in the scaling tables of NVIDIA/DeepLearningExamples.
constexpr double sentence_variation = 0.073;

/// Of a row without a year: published runs on a device begin in earnest in the year after its own (of the rows that
/// ship those on H100, of 2022, begin in 2023).
void set_year(RowCase& target, const MeasuredRow& row) {
  const Device& device = target.job.cluster.device;
  target.year = row.year.value_or(std::max(default_year, device.year + 1.0));
  if (row.year) return;
  const bool is_later = target.year > default_year;
  target.assumed.push_back("year " + number_text(target.year) + (is_later ? ", the one after " + device.id : ""));
}

void set_precision(RowCase& target, const MeasuredRow& row) {
  if (const auto stated = stated_precision(row)) {
    target.job.precision = *stated;
    return;
  }
  const bool is_late = target.year >= first_year_of_bf16;
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

void set_recompute(RowCase& target, const MeasuredRow& row) {
  const auto stated = stated_recompute(row);
  if (stated) target.layout.recompute = *stated;
  target.open.recompute = !stated && target.network.is_transformer();
}

bool has_recent_software(const RowCase& target) {
  return target.job.framework.id == "modern" || target.job.framework.id == "xla";
}

void set_pipeline(RowCase& target, const MeasuredRow& row) {
  target.open.sharding = row.zero_stage.empty() && target.layout.dp > 1 && has_recent_software(target);
  target.layout.interleave = static_cast<int>(row.interleave.value_or(1));
  // Megatron-LM of 2021 may interleave, and its sources say so; later stacks do where it helps.
  const bool may_interleave = has_recent_software(target) || has_words(words_of(row.notes), "interleave*");
  const bool has_stages = target.layout.pp > 1 || (target.open.pipeline && !target.open.layout());
  target.open.interleave = !row.interleave && has_stages && may_interleave;
  if (!row.interleave && target.layout.pp > 1 && !target.open.interleave) target.assumed.emplace_back("interleave 1");
}

/// Ranks of which "sharded over 8 ranks" speaks.
std::optional<int> stated_sharers(const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.notes);
  constexpr std::array<std::string_view, 2> phrase = {"sharded", "over"};
  const auto found = std::search(words.begin(), words.end(), phrase.begin(), phrase.end());
  const auto number = words.end() - found > 2 ? parse_number(found[2]) : std::nullopt;
  if (!number || *number < 1 || *number != std::floor(*number)) return std::nullopt;
  return static_cast<int>(*number);
}

/// Hybrid sharding: states are shared out inside a node, or over so many ranks, and every group has all of them.
void set_sharing(RowCase& target, const MeasuredRow& row) {
  const int node = target.job.cluster.devices_per_node;
  const bool by_node = target.layout.zero_stage == 3 && has_words(words_of(row.zero_stage + " " + row.notes), "hsdp");
  const int sharers = by_node ? node : stated_sharers(row).value_or(0);
  if (target.layout.zero_stage == 0 || sharers == 0 || target.layout.dp <= sharers) return;
  target.layout.zero_group = sharers;
  target.assumed.push_back(fmt::format("zero_group {}{}", sharers, by_node ? ", a node" : ""));
}

void set_chunks(RowCase& target) {
  const BlockSequence sequence = blocks_of(target.job.network);
  target.layout.chunks = chunks_of(sequence, target.layout);
  if (target.layout.chunks == Chunks::equal) return;
  target.assumed.push_back(fmt::format("uneven chunks, as {} do not divide {} blocks",
                                       target.layout.pp * target.layout.interleave, dealt_blocks(sequence)));
}

void set_sequence_parallel(RowCase& target, const MeasuredRow& row) {
  const bool is_late = target.year >= first_year_of_sequence_parallel && target.network.is_transformer();
  const auto usual = is_late && !target.open.layout() ? SequenceParallel::on : SequenceParallel::off;
  const auto stated = stated_sequence_parallel(row);
  const bool splits = target.layout.tp > 1 || target.open.tensor;
  target.layout.sequence_parallel = splits ? stated.value_or(usual) : SequenceParallel::off;
  if (stated || target.layout.tp == 1) return;
  target.assumed.emplace_back(usual == SequenceParallel::on ? "sequence parallel" : "no sequence parallelism");
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
  const bool leaves_out_padding = has_words(words, "deeplearningexamples pytorch");
  if (is_tuning || target.network.shape.tokens < 512 || !leaves_out_padding) return;
  target.job.computed_tokens = computed_share;
  target.assumed.push_back(fmt::format("{} of the tokens computed", computed_share));
}

void set_sentences(RowCase& target) {
  if (target.network.counted_tokens == 0) return;
  target.job.length_variation = sentence_variation;
  target.assumed.push_back(fmt::format("length_variation {}", sentence_variation));
}

}  // namespace

RowCase case_of(const MeasuredRow& row, const ValidationTables& tables) {
  RowCase target;
  target.network = network_of(row, tables.models);
  target.assumed = target.network.assumed;
  const std::int64_t devices = devices_of(target, row);
  set_degrees(target, row, devices);
  set_cluster(target, row, devices, tables);
  set_year(target, row);
  set_precision(target, row);
  set_optimizer(target, row);
  set_recompute(target, row);
  set_batch(target, row);
  const FrameworkChoice choice = framework_of(row, target.network, target.year);
  target.job.framework = tables.framework(choice.id);
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
