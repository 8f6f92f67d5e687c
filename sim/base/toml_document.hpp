// Inside of the TOML reader: what toml_document.cpp loads and toml_reader.cpp reads. Nobody else includes this.
#pragma once

#include <toml++/toml.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/toml_reader.hpp"

namespace orrery {

/// File name of the position of a value that came from the command line.
inline constexpr std::string_view override_origin = "--set";

/// A table that is being read, and which of its keys were asked for.
struct TomlTable::Node {
  TomlDocument::Impl* document = nullptr;
  const toml::table* table = nullptr;  // nothing: an absent table of which the defaults are read
  std::string path;                    // dotted; empty for the top level
  Position at;
  std::set<std::string, std::less<>> asked;
};

struct TomlDocument::Impl {
  Impl(std::string file, Problems& collected) : problems(&collected), name(std::move(file)) {}

  Problems* problems;
  bool incomplete = false;  // a file could not be read: what seems to be absent may stand in it
  std::string name;         // of the file that was asked for
  toml::table root;
  std::map<std::string, std::vector<std::string>> lines;  // of every file, for the carets
  std::vector<ResolvedValue> resolved;
  std::set<std::string, std::less<>> resolved_paths;
  // By path: however often a table is asked for, its readers share one record of the keys that were asked.
  std::map<std::string, std::shared_ptr<TomlTable::Node>> nodes;

  void add(Problem problem);  // with the source line of its position
};

/// Where a value or key stands. What toml++ has no source for was made by an override.
Position position_of(const toml::source_region& source);

/// Parses `text` and merges what it extends under it. Problems are recorded; what could be read is returned.
toml::table load_toml(TomlDocument::Impl& document, std::string_view text, const std::string& name);

/// Applies one `dotted.key=value` of the command line.
void apply_override(TomlDocument::Impl& document, const std::string& text);

}  // namespace orrery
