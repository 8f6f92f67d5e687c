// The smallest whole catalogue: one source, one radio, three links, one device, one system, one grid. A test breaks one
// cell of it.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sim/base/errors.hpp"
#include "tests/sim/base/scratch_folder.hpp"
#include "topologies/catalogue.hpp"

namespace orrery::test {

/// The files of a catalogue in a folder of its own, removed at the end.
class SmallCatalogue {
 public:
  SmallCatalogue();

  /// Replaces the cell of `column` in line `line` (2 = first row) of `file`.
  SmallCatalogue& set(const std::string& file, int line, const std::string& column, const std::string& text);
  /// Adds a row equal to the last one.
  SmallCatalogue& repeat(const std::string& file);
  /// Renames a column in the header.
  SmallCatalogue& rename(const std::string& file, const std::string& column, const std::string& name);
  SmallCatalogue& write(const std::string& file, const std::string& content);
  SmallCatalogue& remove(const std::string& file);

  [[nodiscard]] Catalogue read(Problems& problems) const;
  /// Every problem of reading it, one per line, as `file:line:column: key: problem (why) - suggestion` without the
  /// folder and without the source line and its caret.
  [[nodiscard]] std::string errors() const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  using Table = std::vector<std::vector<std::string>>;
  void save(const std::string& file) const;
  ScratchFolder folder_;
  std::map<std::string, Table> tables_;
};

}  // namespace orrery::test
