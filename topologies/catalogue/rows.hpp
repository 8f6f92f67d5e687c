// What the rows of all catalogue files have in common: ids that occur once, numbers in their range, sources that exist.
// Every check records a problem with file, line and column and goes on.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/csv.hpp"
#include "topologies/catalogue.hpp"

namespace orrery {

/// The ids of one file, to refuse doubled ones.
class UniqueIds {
 public:
  /// The row's id; a missing or doubled one is a problem.
  std::string take(CsvRow& row);

 private:
  std::map<std::string, int, std::less<>> lines_;
};

/// Empty means 0; negative is a problem.
double number_or_zero(CsvRow& row, std::string_view column);
/// Must be given and above 0.
double number_above_zero(CsvRow& row, std::string_view column);
/// Must be given and in (0, 1].
double share(CsvRow& row, std::string_view column);
/// A whole number of at least `low`; empty means `fallback`.
int whole(CsvRow& row, std::string_view column, int low, int fallback);
/// Must be given and one of `names`.
std::string one_of(CsvRow& row, std::string_view column, const std::vector<std::string>& names);
/// Empty, or one of `ids` (`what` names the kind of thing in the message). Not resolved when there are no
/// ids at all: the file that should have given them has a problem of its own.
std::string reference(CsvRow& row, std::string_view column, const std::vector<std::string>& ids, std::string_view what);

/// Where a row's facts come from: the cells `source` and `assumed`. `source` is a list `id;id(remark)` of ids of
/// sources.csv (not resolved when `sources` is null); `assumed` lists columns of the same file, or says `all`.
struct Provenance {
  std::string source, assumed, notes;
};
Provenance read_provenance(CsvRow& row, const std::vector<Source>* sources, const std::vector<std::string>& columns);
/// Sets source, assumed and notes of an entry of the catalogue.
template <class Entry>
void read_provenance(CsvRow& row, const std::vector<Source>* sources, const std::vector<std::string>& columns,
                     Entry& entry) {
  Provenance provenance = read_provenance(row, sources, columns);
  entry.source = std::move(provenance.source);
  entry.assumed = std::move(provenance.assumed);
  entry.notes = std::move(provenance.notes);
}

}  // namespace orrery
