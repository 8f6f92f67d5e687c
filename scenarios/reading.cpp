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
