// Typed reading of TOML with a position for every value. A reader never throws on bad content: it records a Problem and
// returns a default, so that all errors of a file appear at once; the caller ends with Problems::throw_if_any().
// Every value read, given or defaulted, is recorded as a ResolvedValue: resolved.toml and `explain` are made from
// these.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {

struct ResolvedValue {
  std::string path;    // dotted, with [i] for elements of arrays of tables: strategy[0].kind
  std::string value;   // as TOML text
  std::string origin;  // "file.toml:12", "--set", "default", or whose value the default is: "workload.precision"
};
inline constexpr std::string_view default_origin = "default";

struct Range {
  double low = -std::numeric_limits<double>::infinity();  // inclusive unless low_open
  double high = std::numeric_limits<double>::infinity();  // inclusive
  enum class Low { closed, open } low_end = Low::closed;
};
inline constexpr Range any_number{};
inline constexpr Range positive{0.0, std::numeric_limits<double>::infinity(), Range::Low::open};
inline constexpr Range non_negative{0.0};
inline constexpr Range at_least_one{1.0};
inline constexpr Range fraction{0.0, 1.0};

class TomlTable;

/// One parsed file (with everything it `extends`, merged under it) and the overrides of the command line.
class TomlDocument {
 public:
  /// Reads `path`. `extends = "other.toml"` (relative to the file) merges that file below this one: tables key by key,
  /// arrays and values replaced. `overrides` are `dotted.key=value` texts, applied last; a value that is not valid TOML
  /// is taken as a string. Elements of arrays of tables are addressed as `strategy.0.devices=4`, as messages and
  /// resolved values show them (`strategy[0].devices=4`), or by their name: `strategy.ring.devices=4`. Problems
  /// (unreadable file, syntax, duplicate key, circular extends, bad override) are recorded.
  static TomlDocument read(const std::string& path, const std::vector<std::string>& overrides, Problems& problems);
  /// Same from a text; `name` stands for the file in messages.
  static TomlDocument parse(std::string_view text, const std::string& name, Problems& problems);

  TomlDocument(TomlDocument&&) noexcept;
  TomlDocument& operator=(TomlDocument&&) noexcept;
  TomlDocument(const TomlDocument&) = delete;
  TomlDocument& operator=(const TomlDocument&) = delete;
  ~TomlDocument();

  /// The top-level table. Readers hold references into this document and into `problems`: keep both alive.
  [[nodiscard]] TomlTable root();
  /// Every value read so far, once, in reading order.
  [[nodiscard]] const std::vector<ResolvedValue>& resolved() const;
  /// The file and those that it extends, as far as they could be read.
  [[nodiscard]] std::vector<std::string> files() const;

  struct Impl;

 private:
  explicit TomlDocument(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A table being read. Ask for keys; then call finish(), which reports every key nobody asked for (with did-you-mean).
class TomlTable {
 public:
  [[nodiscard]] bool has(std::string_view key) const;
  /// Position of a key's value (or of the table itself when the key is absent).
  [[nodiscard]] Position where(std::string_view key) const;
  [[nodiscard]] const std::string& path() const;

  // `origin`: where a fallback comes from that is not the reader's own.
  std::string text(std::string_view key, std::string_view fallback, std::string_view origin = default_origin);
  std::optional<std::string> text(std::string_view key);
  std::string required_text(std::string_view key);
  /// One of `names`; unknown names are reported with did-you-mean.
  std::string choice(std::string_view key, const std::vector<std::string>& names, std::string_view fallback,
                     std::string_view origin = default_origin);
  std::string required_choice(std::string_view key, const std::vector<std::string>& names);

  double number(std::string_view key, double fallback, Range range = any_number,
                std::string_view origin = default_origin);  // integers are accepted
  std::optional<double> number(std::string_view key, Range range = any_number);
  double required_number(std::string_view key, Range range = any_number);
  std::int64_t integer(std::string_view key, std::int64_t fallback, Range range = any_number,
                       std::string_view origin = default_origin);
  std::optional<std::int64_t> integer(std::string_view key, Range range = any_number);
  std::int64_t required_integer(std::string_view key, Range range = any_number);
  bool boolean(std::string_view key, bool fallback);
  std::vector<std::string> texts(std::string_view key);  // array of strings; empty when absent
  std::vector<std::int64_t> integers(std::string_view key, Range range = any_number);
  std::vector<double> numbers(std::string_view key, Range range = any_number);

  /// Sub-table; nothing when absent.
  std::optional<TomlTable> table(std::string_view key);
  /// Sub-table; when absent one without any key, so that every default in it is read and recorded all the same.
  TomlTable table_or_defaults(std::string_view key);
  /// Array of tables; empty when absent.
  std::vector<TomlTable> tables(std::string_view key);

  /// Records a problem at a key of this table (cross-field conflicts, unknown catalogue names). When a file could not
  /// be read or parsed, problems at absent keys are passed over, as missing keys are: the keys may stand in that file.
  void problem(std::string_view key, std::string what, std::string why = {}, std::string suggestion = {});

  /// Reports every key of this table that was never asked for. Call last; a second call reports nothing new.
  void finish();

  struct Node;
  explicit TomlTable(std::shared_ptr<Node> node);

 private:
  std::shared_ptr<Node> node_;
};

}  // namespace orrery
