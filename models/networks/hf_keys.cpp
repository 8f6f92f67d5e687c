#include "models/networks/hf_keys.hpp"

#include <fmt/format.h>

#include <utility>

#include "models/networks/json_places.hpp"
#include "models/networks/size_limits.hpp"
#include "sim/base/text.hpp"

namespace orrery {

using Json = nlohmann::json;

namespace {

constexpr auto largest = static_cast<std::int64_t>(largest_size);  // Llama 4 Scout: 10,485,760 positions

}  // namespace

HfKeys::HfKeys(Json config, std::string prefix, std::string_view text, std::string file, Problems& problems,
               std::vector<std::string>& assumed)
    : config_(std::move(config)),
      prefix_(std::move(prefix)),
      text_(text),
      file_(std::move(file)),
      offsets_(json_offsets(text)),
      problems_(problems),
      assumed_(assumed) {}

const Json* HfKeys::value(const std::string& key) const {
  const auto found = config_.find(key);
  return found == config_.end() || found->is_null() ? nullptr : &*found;
}

bool HfKeys::has(const std::string& key) const {
  return value(key) != nullptr;
}

bool HfKeys::is_null(const std::string& key) const {
  const auto found = config_.find(key);
  return found != config_.end() && found->is_null();
}

std::int64_t HfKeys::members(const std::string& key) const {
  const Json* found = value(key);
  return found != nullptr && found->is_object() ? static_cast<std::int64_t>(found->size()) : 0;
}

void HfKeys::problem(const std::string& key, const std::string& what, const std::string& why,
                     const std::string& suggestion) {
  Problem problem{{file_, 0, 0}, prefix_ + key, what, why, suggestion, {}};
  wrong_.insert(problem.key);
  if (const auto offset = offsets_.find(prefix_ + key); offset != offsets_.end()) {
    JsonPlace place = place_in(text_, offset->second, file_);
    problem.at = place.at;
    problem.source_line = std::move(place.line);
  }
  problems_.add(std::move(problem));
}

void HfKeys::check_repeats() {
  for (const JsonRepeat& repeat : json_repeats(text_)) {
    const int first = place_in(text_, repeat.first, file_).at.line;
    JsonPlace place = place_in(text_, repeat.second, file_);
    wrong_.insert(repeat.path);
    problems_.add({place.at, repeat.path, "stands twice", fmt::format("first in line {}", first), "keep one of them",
                   std::move(place.line)});
  }
}

void HfKeys::wrong_type(const std::string& key, const Json& found, std::string_view wanted) {
  problem(key, fmt::format("{} is not {}", found.dump(-1, ' ', false, Json::error_handler_t::replace), wanted));
}

void HfKeys::taken(const std::string& key, const std::string& value, const std::string& why) {
  note(fmt::format("{}{} = {} ({})", prefix_, key, value, why));
}

void HfKeys::defaulted(const std::string& key, const std::string& fallback) {
  taken(key, fallback, "default of " + family_);
}

std::int64_t HfKeys::checked(const std::string& key, const Json& found, std::int64_t low, std::int64_t fallback) {
  if (!found.is_number_integer()) {
    wrong_type(key, found, "a whole number");
    return fallback;
  }
  const bool is_huge = found.is_number_unsigned() && found.get<std::uint64_t>() > static_cast<std::uint64_t>(largest);
  const std::int64_t number = is_huge ? largest + 1 : found.get<std::int64_t>();
  if (number >= low && number <= largest) return number;
  problem(key, fmt::format("{} is out of range", found.dump()),
          fmt::format("must be at least {} and at most {}", low, largest));
  return fallback;
}

std::int64_t HfKeys::integer(const std::string& key, std::int64_t fallback, std::int64_t low) {
  read_.insert(key);
  if (const Json* found = value(key)) return checked(key, *found, low, fallback);
  defaulted(key, std::to_string(fallback));
  return fallback;
}

std::int64_t HfKeys::integer(const std::string& alias, const std::string& key, std::int64_t fallback) {
  return integer(has(alias) ? alias : key, fallback);
}

std::optional<std::int64_t> HfKeys::optional_integer(const std::string& key, std::int64_t low) {
  read_.insert(key);
  const Json* found = value(key);
  if (found == nullptr) return std::nullopt;
  return checked(key, *found, low, low);
}

std::int64_t HfKeys::derived(const std::string& key, std::int64_t otherwise, const std::string& why) {
  read_.insert(key);
  if (const Json* found = value(key)) return checked(key, *found, 1, otherwise);
  taken(key, std::to_string(otherwise), why);
  return otherwise;
}

const Json* HfKeys::list(const std::string& key) {
  const Json* found = value(key);
  if (found == nullptr || found->is_array()) return found;
  wrong_type(key, *found, "a list");
  return nullptr;
}

std::optional<std::vector<std::string>> HfKeys::texts(const std::string& key) {
  const Json* found = list(key);
  if (found == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  for (const Json& element : *found) {
    if (!element.is_string()) {
      wrong_type(key, element, "a text");
      return std::nullopt;
    }
    texts.push_back(element.get<std::string>());
  }
  return texts;
}

std::optional<std::vector<std::int64_t>> HfKeys::integers(const std::string& key, std::int64_t low) {
  const Json* found = list(key);
  if (found == nullptr) return std::nullopt;
  std::vector<std::int64_t> numbers;
  for (const Json& element : *found) numbers.push_back(checked(key, element, low, low));
  return numbers;
}

double HfKeys::rate(const std::string& key, double fallback) {
  const Json* found = value(key);
  if (found == nullptr) {
    defaulted(key, number_text(fallback));
    return fallback;
  }
  if (!found->is_number()) {
    wrong_type(key, *found, "a number");
    return fallback;
  }
  const double number = found->get<double>();
  if (number >= 0.0 && number < 1.0) return number;
  problem(key, fmt::format("{} is out of range", found->dump()), "must be at least 0 and below 1");
  return fallback;
}

bool HfKeys::boolean(const std::string& key, bool fallback) {
  const Json* found = value(key);
  if (found == nullptr) {
    defaulted(key, fallback ? "true" : "false");
    return fallback;
  }
  if (found->is_boolean()) return found->get<bool>();
  wrong_type(key, *found, "true or false");
  return fallback;
}

std::string HfKeys::text(const std::string& key, const std::string& fallback) {
  const Json* found = value(key);
  if (found == nullptr) {
    defaulted(key, "\"" + fallback + "\"");
    return fallback;
  }
  if (found->is_string()) return found->get<std::string>();
  wrong_type(key, *found, "a text");
  return fallback;
}

}  // namespace orrery
