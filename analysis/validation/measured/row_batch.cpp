#include "analysis/validation/measured/row_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/validation/measured/words.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

/// A row of a convolutional network may name its batch per device in the notes only: "batch per GPU ... (default 192)".
std::optional<std::int64_t> batch_in_notes(const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.notes);
  for (std::size_t index = 0; index + 1 < words.size(); ++index) {
    if (words[index] != "default") continue;
    const auto number = parse_number(words[index + 1]);
    if (number && *number >= 1) return static_cast<std::int64_t>(*number);
  }
  return std::nullopt;
}

/// "4 micro-batches" in the notes.
std::optional<std::int64_t> microbatches_in_notes(const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.notes);
  for (std::size_t index = 1; index + 1 < words.size(); ++index) {
    if (words[index] != "micro" || words[index + 1] != "batches") continue;
    const auto number = parse_number(words[index - 1]);
    if (number && *number >= 1) return static_cast<std::int64_t>(*number);
  }
  return std::nullopt;
}

/// "10240 tokens", or "2560/5120 tokens" in fp32 and in 16 bits, as samples of a network whose input is tokens.
std::optional<std::int64_t> samples_of_tokens(const RowCase& target, const MeasuredRow& row) {
  std::string text(row.words("micro_batch"));
  const std::size_t slash = text.find('/');
  const bool is_half = bytes_in_memory(target.job.precision).value() < 4;
  if (slash != std::string::npos) text = is_half ? text.substr(slash + 1) : text.substr(0, slash) + " tokens";
  const auto tokens = number_beside(text, "tokens", -1);
  if (!tokens || target.network.counted_tokens == 0) return std::nullopt;
  const auto slots = static_cast<double>(target.network.graph(1).input.height);
  return std::max<std::int64_t>(1, std::llround(*tokens / slots));
}

}  // namespace

void set_batch(RowCase& target, const MeasuredRow& row) {
  const auto of_tokens = samples_of_tokens(target, row);
  for (const char* column : {"global_batch", "micro_batch"}) {
    const bool is_read = of_tokens && std::string_view(column) == "micro_batch";
    if (row.words(column).empty() || is_read) continue;
    throw RowSkipped(fmt::format("{} \"{}\" is no number of samples", column, row.words(column)));
  }
  Layout& layout = target.layout;
  std::optional<std::int64_t> each = of_tokens ? of_tokens : row.micro_batch;
  if (of_tokens) target.assumed.push_back(fmt::format("micro-batch {}, of so many tokens", *each));
  if (!each && !target.network.is_transformer()) {
    each = batch_in_notes(row);
    if (each) target.assumed.push_back(fmt::format("micro-batch {}", *each));
  }
  const auto count = microbatches_in_notes(row);
  if (!each && row.global_batch && count && *row.global_batch % (*count * layout.dp) == 0) {
    each = *row.global_batch / (*count * layout.dp);
    target.assumed.push_back(fmt::format("micro-batch {}", *each));
  }
  target.open.batch = !row.global_batch && !each && layout.pp == 1;
  const bool is_guess = target.open.batch && target.open.degrees();
  if (!row.global_batch && (layout.pp > 1 || is_guess)) throw RowSkipped("missing: global_batch");
  target.job.batch = row.global_batch.value_or(each.value_or(1) * layout.dp);
  if (!row.global_batch && each) target.assumed.push_back(fmt::format("batch {}", target.job.batch));
  if (!each && !target.network.is_transformer()) {
    // One pass over a device's share: frameworks of convolutional networks do not accumulate unless told to.
    each = std::max<std::int64_t>(1, std::llround(double(target.job.batch) / double(layout.dp)));
  }
  target.open.microbatch = !each && !target.open.batch;
  layout.microbatch = each.value_or(1);
  if (target.open.replicas) return;  // dp is not chosen yet, and must divide the batch
  const std::int64_t together = layout.microbatch * layout.dp;
  const std::int64_t whole = std::max<std::int64_t>(1, std::llround(double(target.job.batch) / double(together)));
  if (whole * together == target.job.batch) return;
  target.job.batch = whole * together;
  target.assumed.push_back(fmt::format("batch {}, a multiple of micro-batch x dp", target.job.batch));
}

}  // namespace orrery
