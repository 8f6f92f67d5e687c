#include "scenarios/reading.hpp"

#include <filesystem>

#include "models/networks/layer_patterns.hpp"

namespace orrery {

void refuse(TomlTable& table, std::string_view key, ValueType type, const std::string& owner, const std::string& why) {
  if (!table.has(key)) return;
  table.problem(key, "belongs to " + owner, why, "remove it");
  // Read and dropped: the key is known, only not here.
  switch (type) {
    case ValueType::text:
      table.text(key);
      break;
    case ValueType::number:
      table.number(key);
      break;
    case ValueType::boolean:
      table.boolean(key, false);
      break;
    case ValueType::table:
      table.table(key);
      break;
    case ValueType::texts:
      table.texts(key);
      break;
    case ValueType::numbers:
      table.numbers(key);
      break;
  }
}

bool check_name(TomlTable& table, std::string_view key, const std::string& name) {
  bool has_control = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const auto next = static_cast<unsigned char>(i + 1 < name.size() ? name[i + 1] : '\0');
    // In UTF-8, U+0080 to U+009F, too: some terminals take U+009B for an escape.
    const bool is_late_control = byte == 0xc2 && next >= 0x80 && next <= 0x9f;
    has_control = has_control || byte < 0x20 || byte == 0x7f || is_late_control;
  }
  if (has_control) {
    table.problem(key, "has control characters", "it stands in tables and files", "use one line of printable text");
    return false;
  }
  if (!trim(name).empty()) return true;
  table.problem(key, "is empty", "it stands in tables and files", "give it a name of printable text");
  return false;
}

bool has_file(TomlTable& table, std::string_view key, const std::string& path) {
  if (std::filesystem::is_regular_file(path)) return true;
  table.problem(key, "there is no file \"" + path + "\"");
  return false;
}

std::string path_in(const Reading& reading, const TomlTable& table, std::string_view key, const std::string& path) {
  const std::filesystem::path given(path);
  const bool from_command_line = table.has(key) && table.where(key).line == 0;
  if (given.is_absolute() || from_command_line) return path;
  return (std::filesystem::path(reading.folder) / given).lexically_normal().string();
}

std::string input_in(const Reading& reading, const TomlTable& table, std::string_view key, const std::string& path) {
  reading.inputs.push_back(path_in(reading, table, key, path));
  return reading.inputs.back();
}

std::string origin_in(std::string_view owner, std::string_view key) {
  return owner.empty() ? std::string(default_origin) : fmt::format("{}.{}", owner, key);
}

std::string origin_in_system(const std::string& system) {
  return system.empty() ? std::string(default_origin) : "system " + system;
}

const Names<Precision>& precision_names() {
  static const Names<Precision> names = [] {
    Names<Precision> made;
    for (const Precision precision : {Precision::fp64, Precision::fp32, Precision::tf32, Precision::fp16,
                                      Precision::bf16, Precision::fp8, Precision::int8}) {
      made.push_back({std::string(name_of(precision)), precision});
    }
    return made;
  }();
  return names;
}

bool names_layers(TomlTable& table, const LayerGraph& network, std::string_view key, const std::string& pattern) {
  if (!layers_matching(network, pattern).empty()) return true;
  std::vector<std::string> names;
  for (const Layer& layer : network.layers) names.push_back(layer.name);
  table.problem(key, fmt::format("no layer of {} is called \"{}\"", network.name, pattern), {},
                did_you_mean(pattern, names));
  return false;
}

}  // namespace orrery
