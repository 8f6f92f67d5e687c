// Published measurements, one metric per row, as read from a file of measured.csv's columns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {

/// Nothing where the row does not say. Texts are as the source writes them.
struct MeasuredRow {
  std::string id, set;  // set: the first two parts of the id, GROUP-SET
  std::string source, table, model, precision, recompute, device, intra_link, inter_link, zero_stage, seq_parallel;
  std::string source_checked, notes;
  std::optional<double> year, params_b;
  std::optional<std::int64_t> layers, hidden, heads, kv_heads, ffn_hidden, vocab, seq_len;
  std::optional<std::int64_t> global_batch, micro_batch;
  std::optional<std::int64_t> devices, devices_per_node, tp, pp, dp, cp, ep, interleave;
  /// Cells of the counts above that hold words ("64K then 32K"): column and text.
  std::vector<std::pair<std::string, std::string>> in_words;
  std::string metric, unit;
  double value = 0;

  /// Text of a count that is no number; empty when it is one, or when there is none.
  [[nodiscard]] std::string_view words(std::string_view column) const;
};

/// The columns of measured.csv: id, metric, value and unit are needed, the others may be left out. Problems: an unknown
/// or missing column, no rows, a missing cell of those four, a value, year or size that is no number, a size that is
/// not above 0, a count below one or with a fraction, an id twice.
std::vector<MeasuredRow> read_measured_rows(const std::string& file, Problems& problems);
/// Same from a text; `name` stands for the file in messages.
std::vector<MeasuredRow> parse_measured_rows(std::string_view text, const std::string& name, Problems& problems);

/// "A-KORT" of "A-KORT-001".
std::string set_of(std::string_view id);

/// The file that ships with Orrery.
std::string shipped_measured_rows();

}  // namespace orrery
