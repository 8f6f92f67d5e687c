#include "models/networks/json_places.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace orrery {

namespace {

/// Walks valid JSON and notes where the values of objects begin, and keys that are there already.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  void walk() {
    while (at_ < text_.size()) step();
  }
  std::map<std::string, std::size_t> offsets;
  std::vector<JsonRepeat> repeats;

 private:
  enum class Inside : std::uint8_t { object, array };

  void step() {
    const char sign = text_[at_];
    if (sign == '"') {
      const std::size_t begin = at_;
      const std::string word = string();
      if (expects_key()) {
        key_ = word;
        note_key(begin);
        find_value();
      }
      return;
    }
    if (sign == '{' || sign == '[') open(sign == '{' ? Inside::object : Inside::array);
    if ((sign == '}' || sign == ']') && !inside_.empty()) close();
    if (sign == ',') has_key_ = false;
    ++at_;
  }

  [[nodiscard]] bool expects_key() const { return !inside_.empty() && inside_.back() == Inside::object && !has_key_; }

  void note_key(std::size_t begin) {
    const auto [there, is_new] = keys_.back().emplace(key_, begin);
    if (!is_new) repeats.push_back({path() + key_, there->second, begin});
  }

  void find_value() {
    while (at_ < text_.size() &&
           (text_[at_] == ':' || text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
    has_key_ = true;
    if (std::find(inside_.begin(), inside_.end(), Inside::array) == inside_.end()) offsets[path() + key_] = at_;
  }

  void open(Inside what) {
    const bool is_in_array = !inside_.empty() && inside_.back() == Inside::array;
    names_.push_back(is_in_array ? names_.back() : inside_.empty() ? std::string() : key_);
    path_.push_back(names_.back().empty() || what == Inside::array ? std::string() : names_.back() + ".");
    inside_.push_back(what);
    keys_.emplace_back();
    has_key_ = false;
  }

  void close() {
    inside_.pop_back();
    path_.pop_back();
    names_.pop_back();
    keys_.pop_back();
    has_key_ = true;
  }

  [[nodiscard]] std::string path() const {
    std::string path;
    for (const std::string& part : path_) path += part;
    return path;
  }

  /// The letters between the quotation marks, escapes as they are.
  std::string string() {
    std::string word;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      word += text_[at_];
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) word += text_[++at_];
    }
    ++at_;
    return word;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Inside> inside_;
  std::vector<std::string> path_;
  std::vector<std::string> names_;  // of every open object and array; in an array the array's
  std::string key_;
  std::vector<std::map<std::string, std::size_t>> keys_;  // of every open object, with their places
  bool has_key_ = false;
};

}  // namespace

JsonPlace place_in(std::string_view text, std::size_t offset, const std::string& file) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const std::size_t end = std::min(text.find('\n', begin), text.size());
  const auto line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
  return {{file, line, static_cast<int>(offset - begin) + 1}, std::string(text.substr(begin, end - begin))};
}

std::map<std::string, std::size_t> json_offsets(std::string_view text) {
  Walker walker(text);
  walker.walk();
  return std::move(walker.offsets);
}

std::vector<JsonRepeat> json_repeats(std::string_view text) {
  Walker walker(text);
  walker.walk();
  return std::move(walker.repeats);
}

}  // namespace orrery
