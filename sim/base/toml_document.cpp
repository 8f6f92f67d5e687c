#include "sim/base/toml_document.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

namespace fs = std::filesystem;
using Impl = TomlDocument::Impl;

/// The files that extend one another, from the one asked for to the one being read.
using Chain = std::vector<std::string>;

// toml++ says "Error while parsing boolean: expected 'true', saw 'tru\n'": the problem, and the part in which it is.
Problem syntax_problem(const toml::parse_error& error) {
  std::string what(error.description());
  for (std::size_t at = what.find('\n'); at != std::string::npos; at = what.find('\n')) what.replace(at, 1, "\\n");
  std::string why;
  constexpr std::string_view opening = "Error while parsing ";
  const std::size_t colon = what.find(": ");
  if (what.starts_with(opening) && colon != std::string::npos) {
    why = "while reading a " + what.substr(opening.size(), colon - opening.size());
    what.erase(0, colon + 2);
  }
  return {position_of(error.source()), {}, std::move(what), std::move(why), {}, {}};
}

void merge_under(toml::table& top, toml::table&& below) {
  for (auto&& [key, node] : below) {
    toml::node* const existing = top.get(key.str());
    if (existing == nullptr) {
      top.insert(key, std::move(node));
    } else if (existing->is_table() && node.is_table()) {
      merge_under(*existing->as_table(), std::move(*node.as_table()));
    }
  }
}

toml::table load(Impl& document, std::string_view text, const std::string& name, Chain chain);

/// The table of the file that `extending` names, itself with what it extends.
toml::table load_extended(Impl& document, const toml::node& extending, const std::string& name, Chain chain) {
  const Position at = position_of(extending.source());
  const auto other = extending.value<std::string>();
  if (!other) {
    document.add({at, "extends", "is not a string", "the name of another file is wanted", {}, {}});
    return {};
  }
  const std::string path = (fs::path(name).parent_path() / *other).lexically_normal().string();
  if (std::find(chain.begin(), chain.end(), path) != chain.end()) {
    chain.push_back(path);
    document.add({at, "extends", "goes round in a circle", join(chain, " -> "), "remove one of them", {}});
    return {};
  }
  try {
    chain.push_back(path);
    return load(document, read_file(path), path, chain);
  } catch (const std::system_error& error) {
    document.incomplete = true;
    document.add({at, "extends", "\"" + path + "\" cannot be read", error.code().message(), {}, {}});
    return {};
  }
}

toml::table load(Impl& document, std::string_view text, const std::string& name, Chain chain) {
  document.lines[name] = split(text, '\n');
  toml::table table;
  try {
    table = toml::parse(text, std::string_view(name));
  } catch (const toml::parse_error& error) {
    document.incomplete = true;
    document.add(syntax_problem(error));
    return {};
  }
  if (const toml::node* const extending = table.get("extends")) {
    toml::table below = load_extended(document, *extending, name, std::move(chain));
    table.erase("extends");
    merge_under(table, std::move(below));
  }
  return table;
}

/// The value of an override: TOML where it is valid TOML, else the text itself.
toml::table override_value(const std::string& text) {
  try {
    toml::table parsed = toml::parse("value = " + text, override_origin);
    if (parsed.size() == 1) return parsed;
  } catch (const toml::parse_error&) {
    // A bare word: --set cluster.system=dgx-a100
  }
  return toml::table{{"value", text}};
}

void override_problem(Impl& document, const std::string& key, std::string what, std::string why,
                      std::string suggestion) {
  document.add({{std::string(override_origin), 0, 0}, key, std::move(what), std::move(why), std::move(suggestion), {}});
}

/// The element of an array of tables at an index, or the one whose `name` is `which`; nothing when there is none.
toml::table* element(toml::array& array, const std::string& which) {
  const auto index = parse_number(which);
  for (std::size_t i = 0; i < array.size(); ++i) {
    toml::table* const table = array[i].as_table();
    if (table == nullptr) continue;
    if ((index && *index == static_cast<double>(i)) || (*table)["name"].value<std::string>() == which) return table;
  }
  return nullptr;
}

std::vector<std::string> element_names(const toml::array& array) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const toml::table* const table = array[i].as_table();
    const auto name = table == nullptr ? std::nullopt : (*table)["name"].value<std::string>();
    names.push_back(name.value_or(std::to_string(i)));
  }
  return names;
}

/// The element of the array at keys[i] that keys[i + 1] names; nothing after a problem.
toml::table* element_for(Impl& document, toml::array& array, const std::vector<std::string>& keys, std::size_t i,
                         const std::string& path) {
  const std::vector<std::string> names = element_names(array);
  const std::string& which = keys[i + 1];
  if (i + 2 >= keys.size()) {
    override_problem(document, path, "\"" + keys[i] + "\" is an array of tables", "which of them is meant?",
                     "write " + keys[i] + "." + names.front() + "." + which);
    return nullptr;
  }
  toml::table* const found = element(array, which);
  if (found == nullptr) {
    override_problem(document, path, "there is no \"" + which + "\"", {}, did_you_mean(which, names));
  }
  return found;
}

/// The table in which the last of `keys` is to be set, made on the way where it is missing; nothing after a problem.
toml::table* table_for(Impl& document, const std::vector<std::string>& keys, const std::string& path) {
  toml::table* table = &document.root;
  for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
    toml::node* node = table->get(keys[i]);
    if (node == nullptr) node = &table->insert(keys[i], toml::table{}).first->second;
    table = node->as_table();
    if (toml::array* const array = node->as_array(); array != nullptr && array->is_array_of_tables()) {
      table = element_for(document, *array, keys, i, path);
      if (table == nullptr) return nullptr;
      ++i;
    }
    if (table == nullptr) {
      override_problem(document, path, "\"" + keys[i] + "\" is not a table", "it can hold no key", "");
      return nullptr;
    }
  }
  return table;
}

}  // namespace

void Impl::add(Problem problem) {
  const auto file = lines.find(problem.at.file);
  const auto line = static_cast<std::size_t>(problem.at.line);
  if (file != lines.end() && line > 0 && line <= file->second.size()) {
    problem.source_line = file->second[line - 1];
    if (problem.source_line.ends_with('\r')) problem.source_line.pop_back();
  }
  problems->add(std::move(problem));
}

Position position_of(const toml::source_region& source) {
  if (source.path == nullptr || *source.path == override_origin) return {std::string(override_origin), 0, 0};
  return {*source.path, static_cast<int>(source.begin.line), static_cast<int>(source.begin.column)};
}

toml::table load_toml(Impl& document, std::string_view text, const std::string& name) {
  return load(document, text, name, {fs::path(name).lexically_normal().string()});
}

void apply_override(Impl& document, const std::string& text) {
  const std::size_t equals = text.find('=');
  std::string path(trim(std::string_view(text).substr(0, equals)));
  if (equals == std::string::npos) {
    return override_problem(document, path, "has no value", "", "write --set " + path + "=VALUE");
  }
  std::string dotted = path;
  std::erase(dotted, ']');
  std::replace(dotted.begin(), dotted.end(), '[', '.');
  const std::vector<std::string> keys = split(dotted, '.');
  if (std::any_of(keys.begin(), keys.end(), [](const std::string& key) { return key.empty(); })) {
    return override_problem(document, path, "is not a key", "a part of it is empty", "write --set table.key=VALUE");
  }
  toml::table value = override_value(std::string(trim(std::string_view(text).substr(equals + 1))));
  if (toml::table* const table = table_for(document, keys, path)) {
    table->insert_or_assign(keys.back(), std::move(*value.get("value")));
  }
}

}  // namespace orrery
