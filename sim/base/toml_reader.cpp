#include "sim/base/toml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/text.hpp"
#include "sim/base/toml_document.hpp"
#include "sim/base/toml_values.hpp"

namespace orrery {
namespace {

using Node = TomlTable::Node;

std::string path_of(const Node& node, std::string_view key) {
  return node.path.empty() ? std::string(key) : node.path + "." + std::string(key);
}

void missing(const Node& node, std::string_view key, std::string suggestion = {}) {
  if (node.document->incomplete) return;
  node.document->add({node.at, path_of(node, key), "is missing", "required", std::move(suggestion), {}});
}

const toml::node* ask(Node& node, std::string_view key) {
  node.asked.emplace(key);
  return node.table == nullptr ? nullptr : node.table->get(key);
}

void resolve(const Node& node, const std::string& path, std::string value, std::string origin) {
  const bool first_time = node.document->resolved_paths.insert(path).second;
  if (first_time) node.document->resolved.push_back({path, std::move(value), std::move(origin)});
}

std::string origin_text(const Position& at) {
  return at.line > 0 ? at.file + ":" + std::to_string(at.line) : at.file;
}

/// The value of a key as a T; nothing when it is absent or wrong (recorded).
template <class T>
std::optional<T> given(Node& node, std::string_view key, const Range& range = any_number) {
  const toml::node* const found = ask(node, key);
  if (found == nullptr) return std::nullopt;
  const WantedValue wanted{*node.document, path_of(node, key), range};
  std::optional<T> value;
  convert(*found, wanted, value);
  if (value) resolve(node, wanted.path, toml_text(*value), origin_text(position_of(found->source())));
  return value;
}

template <class T>
T given_or(Node& node, std::string_view key, T fallback, const Range& range, std::string_view origin) {
  if (auto value = given<T>(node, key, range)) return *std::move(value);
  resolve(node, path_of(node, key), toml_text(fallback), std::string(origin));
  return fallback;
}

template <class T>
T required(Node& node, std::string_view key, const Range& range = any_number) {
  if (ask(node, key) == nullptr) {
    missing(node, key);
    return {};
  }
  return given<T>(node, key, range).value_or(T{});
}

std::shared_ptr<Node> shared_node(const Node& parent, const toml::table* table, const std::string& path) {
  auto& shared = parent.document->nodes[path];
  if (!shared) {
    const Position at = table == nullptr ? parent.at : position_of(table->source());
    shared = std::make_shared<Node>(Node{parent.document, table, path, at, {}});
  }
  return shared;
}

}  // namespace

TomlDocument::TomlDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TomlDocument::TomlDocument(TomlDocument&&) noexcept = default;
TomlDocument& TomlDocument::operator=(TomlDocument&&) noexcept = default;
TomlDocument::~TomlDocument() = default;

TomlDocument TomlDocument::read(const std::string& path, const std::vector<std::string>& overrides,
                                Problems& problems) {
  auto impl = std::make_unique<Impl>(path, problems);
  const auto text = read_input(path, problems);
  impl->incomplete = !text.has_value();
  if (text) impl->root = load_toml(*impl, *text, path);
  for (const std::string& assignment : overrides) apply_override(*impl, assignment);
  return TomlDocument(std::move(impl));
}

TomlDocument TomlDocument::parse(std::string_view text, const std::string& name, Problems& problems) {
  auto impl = std::make_unique<Impl>(name, problems);
  impl->root = load_toml(*impl, text, name);
  return TomlDocument(std::move(impl));
}

TomlTable TomlDocument::root() {
  auto& node = impl_->nodes[""];
  if (!node) node = std::make_shared<Node>(Node{impl_.get(), &impl_->root, "", {impl_->name, 0, 0}, {}});
  return TomlTable(node);
}

const std::vector<ResolvedValue>& TomlDocument::resolved() const {
  return impl_->resolved;
}

std::vector<std::string> TomlDocument::files() const {
  std::vector<std::string> names;
  for (const auto& [name, text] : impl_->lines) names.push_back(name);
  return names;
}

TomlTable::TomlTable(std::shared_ptr<Node> node) : node_(std::move(node)) {}

bool TomlTable::has(std::string_view key) const {
  return node_->table != nullptr && node_->table->contains(key);
}

Position TomlTable::where(std::string_view key) const {
  return has(key) ? position_of(node_->table->get(key)->source()) : node_->at;
}

const std::string& TomlTable::path() const {
  return node_->path;
}

std::string TomlTable::text(std::string_view key, std::string_view fallback, std::string_view origin) {
  return given_or(*node_, key, std::string(fallback), any_number, origin);
}
std::optional<std::string> TomlTable::text(std::string_view key) {
  return given<std::string>(*node_, key);
}
std::string TomlTable::required_text(std::string_view key) {
  auto value = required<std::string>(*node_, key);
  const bool is_empty = value.empty() && has(key) && node_->table->get(key)->is_string();
  if (is_empty) problem(key, "is empty", "required");
  return value;
}

std::string TomlTable::choice(std::string_view key, const std::vector<std::string>& names, std::string_view fallback,
                              std::string_view origin) {
  std::string chosen = text(key, fallback, origin);
  // A default is the caller's own, whether it is one of the names or a word for none of them.
  if (chosen == fallback || std::find(names.begin(), names.end(), chosen) != names.end()) return chosen;
  problem(key, "unknown name \"" + chosen + "\"", {}, did_you_mean(chosen, names));
  return std::string(fallback);
}
std::string TomlTable::required_choice(std::string_view key, const std::vector<std::string>& names) {
  ORRERY_EXPECT(!names.empty());
  if (has(key)) return choice(key, names, names.front());
  node_->asked.emplace(key);
  missing(*node_, key, "one of: " + join(names, ", "));
  return names.front();
}

double TomlTable::number(std::string_view key, double fallback, Range range, std::string_view origin) {
  return given_or(*node_, key, fallback, range, origin);
}
std::optional<double> TomlTable::number(std::string_view key, Range range) {
  return given<double>(*node_, key, range);
}
double TomlTable::required_number(std::string_view key, Range range) {
  return required<double>(*node_, key, range);
}
std::int64_t TomlTable::integer(std::string_view key, std::int64_t fallback, Range range, std::string_view origin) {
  return given_or(*node_, key, fallback, range, origin);
}
std::optional<std::int64_t> TomlTable::integer(std::string_view key, Range range) {
  return given<std::int64_t>(*node_, key, range);
}
std::int64_t TomlTable::required_integer(std::string_view key, Range range) {
  return required<std::int64_t>(*node_, key, range);
}
bool TomlTable::boolean(std::string_view key, bool fallback) {
  return given_or(*node_, key, fallback, any_number, default_origin);
}
std::vector<std::string> TomlTable::texts(std::string_view key) {
  return given<std::vector<std::string>>(*node_, key).value_or(std::vector<std::string>{});
}
std::vector<std::int64_t> TomlTable::integers(std::string_view key, Range range) {
  return given<std::vector<std::int64_t>>(*node_, key, range).value_or(std::vector<std::int64_t>{});
}
std::vector<double> TomlTable::numbers(std::string_view key, Range range) {
  return given<std::vector<double>>(*node_, key, range).value_or(std::vector<double>{});
}

namespace {

/// A table of its own, but inside an element of an array, which no header can name, as a value of the key.
std::string how_to_write(const std::string& path, std::string_view key, std::string_view open, std::string_view value) {
  if (path.find('[') != std::string::npos) return fmt::format("write {} = {}", key, value);
  return fmt::format("write {}{}{}", open, path, std::string(open.size(), ']'));
}

}  // namespace

std::optional<TomlTable> TomlTable::table(std::string_view key) {
  const toml::node* const found = ask(*node_, key);
  if (found == nullptr) return std::nullopt;
  const std::string path = path_of(*node_, key);
  if (const toml::table* const table = found->as_table()) return TomlTable(shared_node(*node_, table, path));
  wrong_type(*found, {*node_->document, path}, "a table", how_to_write(path, key, "[", "{ ... }"));
  return std::nullopt;
}

TomlTable TomlTable::table_or_defaults(std::string_view key) {
  if (auto found = table(key)) return *found;
  return TomlTable(shared_node(*node_, nullptr, path_of(*node_, key)));
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
  std::vector<TomlTable> tables;
  const toml::node* const found = ask(*node_, key);
  if (found == nullptr) return tables;
  const std::string path = path_of(*node_, key);
  const toml::array* const array = found->as_array();
  if (array == nullptr) {
    wrong_type(*found, {*node_->document, path}, "an array of tables", how_to_write(path, key, "[[", "[{ ... }]"));
    return tables;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const std::string element_path = path + "[" + std::to_string(i) + "]";
    if (const toml::table* const table = (*array)[i].as_table()) {
      tables.emplace_back(shared_node(*node_, table, element_path));
    } else {
      wrong_type((*array)[i], {*node_->document, element_path}, "a table", how_to_write(path, key, "[[", "[{ ... }]"));
    }
  }
  return tables;
}

void TomlTable::problem(std::string_view key, std::string what, std::string why, std::string suggestion) {
  if (node_->document->incomplete && !has(key)) return;
  node_->document->add({where(key), path_of(*node_, key), std::move(what), std::move(why), std::move(suggestion), {}});
}

void TomlTable::finish() {
  if (node_->table == nullptr) return;
  const std::vector<std::string> known(node_->asked.begin(), node_->asked.end());
  for (const auto& [key, value] : *node_->table) {
    if (node_->asked.contains(key.str())) continue;
    const Position at = key.source().path == nullptr ? position_of(value.source()) : position_of(key.source());
    const std::string name(key.str());
    node_->document->add({at, node_->path, "unknown key \"" + name + "\"", {}, did_you_mean(name, known), {}});
    node_->asked.emplace(name);
  }
}

}  // namespace orrery
