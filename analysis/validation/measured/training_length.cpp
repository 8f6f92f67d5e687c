#include "analysis/validation/measured/training_length.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "analysis/validation/measured/row_network.hpp"
#include "analysis/validation/measured/words.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

using Unit = TrainingAmount::Unit;

constexpr double cifar_images = 50000;
// MovieLens 1M: 1,000,209 ratings without the last one of each of 6,040 users, and four others drawn for each (He et
// al. 2017, section 4.1).
constexpr double movielens_pairs = 5.0 * (1000209 - 6040);

constexpr double least_count = 1e6;            // of samples or tokens
constexpr std::size_t most_words_between = 3;  // "403M seq-128 samples"

struct Magnitude {
  std::string_view letter, word;
  double factor;
};
constexpr Magnitude magnitudes[] = {
    {"k", "thousand", 1e3}, {"m", "million", 1e6}, {"b", "billion", 1e9}, {"t", "trillion", 1e12}};

std::optional<Unit> unit_named(const std::string& word) {
  if (word == "samples" || word == "sequences" || word == "images") return Unit::samples;
  if (word == "tokens") return Unit::tokens;
  if (word == "epochs" || word == "epoch") return Unit::epochs;
  return std::nullopt;
}

/// A number with a letter behind it: "1.4t".
std::optional<double> with_letter(std::string_view word) {
  for (const Magnitude& magnitude : magnitudes) {
    if (!word.ends_with(magnitude.letter)) continue;
    if (const auto number = parse_number(word.substr(0, word.size() - 1))) return *number * magnitude.factor;
  }
  return std::nullopt;
}

/// The number that begins with the word at `index`, of what the word at `end` names.
std::optional<double> number_at(const std::vector<std::string>& words, std::size_t index, std::size_t end) {
  if (const auto scaled = with_letter(words[index])) return scaled;
  const auto number = parse_number(words[index]);
  if (!number || index + 1 == end) return number;
  for (const Magnitude& magnitude : magnitudes) {
    if (words[index + 1] == magnitude.word) return *number * magnitude.factor;
  }
  return std::nullopt;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> known) {
  return std::find(known.begin(), known.end(), word) != known.end();
}

/// "batch 2M tokens", "batch of 2M tokens".
bool is_batch(const std::vector<std::string>& words, std::size_t index) {
  const bool has_link = index > 0 && is_one_of(words[index - 1], {"of", "size"});
  const std::size_t behind = has_link ? index - 1 : index;
  return behind > 0 && words[behind - 1] == "batch";
}

/// "1.1k images/s", "4M tokens per step", "4M tokens batch".
bool is_rate(const std::vector<std::string>& words, std::size_t unit) {
  return unit + 1 < words.size() && is_one_of(words[unit + 1], {"s", "sec", "second", "per", "a", "batch"});
}

std::optional<double> amount_before(const std::vector<std::string>& words, std::size_t first, std::size_t unit) {
  const double least = unit_named(words[unit]) == Unit::epochs ? 0 : least_count;
  for (std::size_t at = first; at < unit; ++at) {
    const auto number = is_batch(words, at) ? std::nullopt : number_at(words, at, unit);
    if (number && *number > 0 && *number >= least) return number;
  }
  return std::nullopt;
}

std::vector<std::string> phases_in(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    constexpr std::string_view then = " then ";
    const std::size_t end = std::min(text.find(then, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + then.size();
  }
  return parts;
}

std::optional<std::int64_t> count_of_phase(std::string_view text) {
  constexpr double binary_thousand = 1024;
  const bool is_scaled = text.ends_with('K');
  const auto number = parse_number(is_scaled ? text.substr(0, text.size() - 1) : text);
  if (!number || *number < 1 || *number != std::floor(*number)) return std::nullopt;
  return static_cast<std::int64_t>(*number * (is_scaled ? binary_thousand : 1));
}

/// The row with the phase's part of every cell that names several; nothing where one has no such part.
std::optional<MeasuredRow> row_of_phase(const MeasuredRow& row, std::size_t phase) {
  constexpr std::pair<const char*, std::optional<std::int64_t> MeasuredRow::*> columns[] = {
      {"seq_len", &MeasuredRow::seq_len},
      {"global_batch", &MeasuredRow::global_batch},
      {"micro_batch", &MeasuredRow::micro_batch}};
  MeasuredRow one = row;
  for (const auto& [column, member] : columns) {
    const std::vector<std::string> parts = phases_in(row.words(column));
    if (parts.size() < 2) continue;
    if (phase >= parts.size()) return std::nullopt;
    one.*member = count_of_phase(parts[phase]);
    if (!(one.*member)) return std::nullopt;
    std::erase_if(one.in_words, [name = column](const auto& cell) { return cell.first == name; });
  }
  return one;
}

}  // namespace

std::vector<TrainingAmount> training_amounts(std::string_view notes) {
  const std::vector<std::string> words = words_of(without_thousands_separators(notes));
  std::vector<TrainingAmount> amounts;
  std::size_t from = 0;  // behind the last amount
  for (std::size_t index = 0; index < words.size(); ++index) {
    const auto unit = unit_named(words[index]);
    if (!unit) continue;
    const std::size_t first = std::max(from, index - std::min(index, most_words_between));
    const auto count = is_rate(words, index) ? std::nullopt : amount_before(words, first, index);
    if (count) amounts.push_back({*unit, *count});
    from = index + 1;
  }
  return amounts;
}

std::vector<TrainingPhase> training_phases(const MeasuredRow& row) {
  const std::vector<TrainingAmount> amounts = training_amounts(row.notes);
  if (amounts.empty()) throw RowSkipped("missing: samples of the whole training, in the notes");
  std::size_t count = 1;
  for (const auto& [column, text] : row.in_words) count = std::max(count, phases_in(text).size());
  if (count > amounts.size()) {
    throw RowSkipped(fmt::format("missing: samples of each of {} phases, in the notes", count));
  }
  std::vector<TrainingPhase> phases;
  for (std::size_t phase = 0; phase < count; ++phase) {
    const auto one = row_of_phase(row, phase);
    if (!one) throw RowSkipped("cells that name phases do not agree how many there are");
    phases.push_back({*one, amounts[phase]});
  }
  return phases;
}

std::optional<double> samples_of_epoch(const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.model + " " + row.notes);
  constexpr std::pair<const char*, double> sets[] = {
      {"imagenet", imagenet_images}, {"cifar*", cifar_images}, {"movielens 1m", movielens_pairs}};
  for (const auto& [name, samples] : sets) {
    if (has_words(words, name)) return samples;
  }
  return std::nullopt;
}

}  // namespace orrery
