// Keys of a Hugging Face config.json, read with the default of the model's family; every default used is noted.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {

class HfKeys {
 public:
  /// `prefix`: "text_config." when the keys stand there; `config` is that object of `text`.
  HfKeys(nlohmann::json config, std::string prefix, std::string_view text, std::string file, Problems& problems,
         std::vector<std::string>& assumed);

  [[nodiscard]] bool has(const std::string& key) const;  // and is not null
  [[nodiscard]] bool is_null(const std::string& key) const;
  /// Whether a whole number was asked for under this name, there or not.
  [[nodiscard]] bool was_read(const std::string& key) const { return read_.contains(key); }
  /// Whether there is a problem of this key.
  [[nodiscard]] bool is_wrong(const std::string& key) const { return wrong_.contains(prefix_ + key); }
  /// Records every key of the file that stands twice in its object.
  void check_repeats();
  /// Members of an object; 0 when there is none.
  [[nodiscard]] std::int64_t members(const std::string& key) const;
  /// A whole number of at least `low` and at most largest_size; null counts as absent, as in the family's own code.
  std::int64_t integer(const std::string& key, std::int64_t fallback, std::int64_t low = 1);
  /// The first of two names that is there (bloom: n_embed, hidden_size); the second is the one that is noted.
  std::int64_t integer(const std::string& alias, const std::string& key, std::int64_t fallback);
  /// A whole number of at least 1; absent or null: what follows from other keys, noted with `why` it does.
  std::int64_t derived(const std::string& key, std::int64_t otherwise, const std::string& why);
  /// Absent or null: nothing, which is not noted: for keys without which the family's code is what it always is.
  std::optional<std::int64_t> optional_integer(const std::string& key, std::int64_t low = 1);
  double rate(const std::string& key, double fallback);  // at least 0 and below 1
  bool boolean(const std::string& key, bool fallback);
  std::string text(const std::string& key, const std::string& fallback);

  /// A list of texts, or of whole numbers of at least `low`; absent or null: nothing, which is not noted.
  std::optional<std::vector<std::string>> texts(const std::string& key);
  std::optional<std::vector<std::int64_t>> integers(const std::string& key, std::int64_t low);

  void problem(const std::string& key, const std::string& what, const std::string& why = {},
               const std::string& suggestion = {});
  /// Notes what is taken for a key that is not there, and why, or as the family's default.
  void taken(const std::string& key, const std::string& value, const std::string& why);
  void defaulted(const std::string& key, const std::string& fallback);
  void note(const std::string& text) { assumed_.push_back(text); }
  void family(std::string name) { family_ = std::move(name); }
  [[nodiscard]] const std::string& family() const { return family_; }

 private:
  [[nodiscard]] const nlohmann::json* value(const std::string& key) const;
  [[nodiscard]] const nlohmann::json* list(const std::string& key);
  void wrong_type(const std::string& key, const nlohmann::json& found, std::string_view wanted);
  std::int64_t checked(const std::string& key, const nlohmann::json& found, std::int64_t low, std::int64_t fallback);

  nlohmann::json config_;
  std::string prefix_, text_, file_, family_;
  std::map<std::string, std::size_t> offsets_;
  std::set<std::string> read_, wrong_;  // wrong: with the prefix
  Problems& problems_;
  std::vector<std::string>& assumed_;
};

}  // namespace orrery
