// Keys of a table that may be merged over those of another: a strategy's cluster over [cluster].
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sim/base/toml_reader.hpp"

namespace orrery {

/// What `over` says stands above what `base` says.
template <class T>
void overlay(std::optional<T>& base, const std::optional<T>& over) {
  if (over) base = over;
}

/// Records a problem at a key that the table has itself: those of keys merged from another table were recorded there.
inline void complain(TomlTable& table, std::string_view key, std::string what, std::string why,
                     std::string suggestion = {}) {
  if (table.has(key)) table.problem(key, std::move(what), std::move(why), std::move(suggestion));
}

}  // namespace orrery
