#include "analysis/validation/measured/stated_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "analysis/validation/measured/row_network.hpp"
#include "analysis/validation/measured/words.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

using Words = std::vector<std::string>;

struct PrecisionName {
  const char* words;
  Precision precision;
};
/// In this order: "fp8 and bf16" is fp8, "amp bf16" is bf16.
constexpr PrecisionName precision_names[] = {
    {"fp8*", Precision::fp8},      {"mxfp8*", Precision::fp8},    {"float8*", Precision::fp8},
    {"e4m3*", Precision::fp8},     {"e5m2*", Precision::fp8},     {"bf16", Precision::bf16},
    {"bfloat16", Precision::bf16}, {"fp16", Precision::fp16},     {"float16", Precision::fp16},
    {"half", Precision::fp16},     {"amp", Precision::fp16},      {"mixed", Precision::fp16},
    {"tf32", Precision::tf32},     {"tfloat32", Precision::tf32}, {"tensorfloat32", Precision::tf32},
    {"fp32", Precision::fp32},     {"float32", Precision::fp32},  {"single", Precision::fp32},
    {"fp64", Precision::fp64},     {"float64", Precision::fp64},  {"double", Precision::fp64}};

[[noreturn]] void unknown(const char* column, const std::string& text, const char* known) {
  throw RowSkipped(fmt::format("{} \"{}\" is unknown - known: {}", column, text, known));
}

bool is_one_of(const Words& words, std::initializer_list<const char*> known) {
  return words.size() == 1 && std::find(known.begin(), known.end(), words.front()) != known.end();
}

/// torchtitan's selective recomputation, where it does not say of what.
bool is_of_every_second_block(const Words& words, const MeasuredRow& row) {
  return has_words(words, "selective every second layer") ||
         (has_words(words, "selective") && has_words(words_of(row.source + " " + row.notes), "torchtitan"));
}

std::optional<int> stage_in(std::string_view text) {
  const auto number = parse_number(text);
  if (!number || (*number != 0 && *number != 1 && *number != 2 && *number != 3)) return std::nullopt;
  return static_cast<int>(*number);
}

/// "zero3", "zero 3", "stage 3": the number at or behind one of these words.
std::optional<int> stage_behind_name(const Words& words) {
  for (std::size_t index = 0; index < words.size(); ++index) {
    for (const std::string_view name : {"zero", "stage"}) {
      const std::string& word = words[index];
      if (word.rfind(name, 0) != 0) continue;
      if (const auto stage = stage_in(std::string_view(word).substr(name.size()))) return stage;
      if (word != name || index + 1 == words.size()) continue;
      if (const auto stage = stage_in(words[index + 1])) return stage;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Precision> precision_named(std::string_view text) {
  const Words words = words_of(text);
  for (const PrecisionName& name : precision_names) {
    if (has_words(words, name.words)) return name.precision;
  }
  return std::nullopt;
}

std::optional<Precision> stated_precision(const MeasuredRow& row) {
  const auto named = precision_named(row.precision);
  if (!named && !row.precision.empty()) {
    unknown("precision", row.precision, "fp8, bf16, fp16, amp, tf32, fp32, fp64");
  }
  return named;
}

std::optional<Recompute> stated_recompute(const MeasuredRow& row) {
  if (row.recompute.empty()) return std::nullopt;
  const Words words = words_of(row.recompute);
  if (has_words(words, "none") || has_words(words, "no") || has_words(words, "selective 0 layers")) {
    return Recompute::none;
  }
  if (has_words(words, "selective per operator")) return Recompute::operators;
  if (is_of_every_second_block(words, row)) return Recompute::alternate;
  if (has_words(words, "selective")) return Recompute::selective;
  if (has_words(words, "full") || has_words(words, "yes")) return Recompute::full;
  unknown("recompute", row.recompute,
          "none, selective, selective (per operator), selective (every second layer), full");
}

std::optional<SequenceParallel> stated_sequence_parallel(const MeasuredRow& row) {
  if (row.seq_parallel.empty()) return std::nullopt;
  const Words words = words_of(row.seq_parallel);
  if (is_one_of(words, {"yes", "y", "true", "1", "on"})) return SequenceParallel::on;
  if (is_one_of(words, {"no", "n", "false", "0", "off", "none"})) return SequenceParallel::off;
  unknown("seq_parallel", row.seq_parallel, "yes, y, true, on, 1; no, n, false, off, none, 0");
}

bool shards_by_default(const MeasuredRow& row) {
  return row.zero_stage.empty() && !row.tp && !row.pp && has_words(words_of(row.source + " " + row.notes), "maxtext");
}

int zero_stage_of(const MeasuredRow& row) {
  if (row.zero_stage.empty()) return shards_by_default(row) ? 3 : 0;
  if (const auto stage = stage_in(row.zero_stage)) return *stage;
  const Words words = words_of(row.zero_stage);
  if (const auto stage = stage_behind_name(words)) return *stage;
  if (has_words(words, "fsdp*") || has_words(words, "hsdp*")) return 3;
  if (is_one_of(words, {"no", "none", "off"})) return 0;
  unknown("zero_stage", row.zero_stage, "0 to 3, ZeRO-1, stage 3, FSDP, HSDP, none");
}

}  // namespace orrery
