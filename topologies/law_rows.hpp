// What the laws of devices and of fabrics share: they are rows of a file of topologies/catalogue.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/constants_csv.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/errors.hpp"

namespace orrery {

/// A base of `Laws`, which says what it is the law of (`kind`, the first column), where its rows stand (`shipped`),
/// what they may name (`constants()`), and how they become the law of one owner.
template <class Laws>
class LawRows {
 public:
  /// From the catalogue's folder.
  static Laws read(const std::filesystem::path& folder, Problems& problems) {
    const std::string path = (folder / Laws::shipped).string();
    return from(CsvTable::read(path, constant_columns(Laws::kind), problems), problems);
  }
  static Laws parse(std::string_view text, const std::string& file, Problems& problems) {
    return from(CsvTable::parse(text, file, constant_columns(Laws::kind), problems), problems);
  }
  /// Rows that take the place of those of the same owner and constant (a file that `orrery fit` wrote).
  void overlay(std::vector<ConstantRow> rows) { overlay_constants(rows_, std::move(rows)); }

 protected:
  [[nodiscard]] const std::vector<ConstantRow>& rows() const { return rows_; }

 private:
  friend Laws;  // and no other class is made from this base
  LawRows() = default;

  static Laws from(CsvTable table, Problems& problems) {
    Laws laws;
    laws.rows_ = read_constants(std::move(table), {Laws::kind, Laws::constants(), {}}, problems);
    return laws;
  }

  std::vector<ConstantRow> rows_;
};

}  // namespace orrery
