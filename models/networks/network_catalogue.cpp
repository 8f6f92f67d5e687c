#include <algorithm>
#include <filesystem>

#include "models/networks/hf_config.hpp"
#include "models/networks/layer_graph.hpp"
#include "models/networks/network_file.hpp"
#include "models/networks/onnx.hpp"
#include "models/networks/transformer_table.hpp"
#include "sim/base/files.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {

namespace {

std::filesystem::path networks_directory() {
  return data_directory() / "models" / "networks";
}

/// The network of a name: a row of the table of transformers, or a file.
LayerGraph shipped_network(const std::string& name, Problems& problems) {
  for (const TransformerRow& row : read_transformers(problems)) {
    if (row.shape.name == name) return graph_of(row);
  }
  return read_network(networks_directory() / (name + ".toml"), problems);
}

LayerGraph build_when_sound(TomlDocument& document, const Problems& problems) {
  const std::size_t before = problems.all().size();
  NetworkFile file = read_network_keys(document, problems);
  return problems.all().size() == before ? build_network(file) : file.head;
}

}  // namespace

LayerGraph read_network(const std::filesystem::path& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  TomlDocument document = TomlDocument::read(file.string(), {}, problems);
  if (problems.all().size() != before) return {};  // not TOML: its tables say nothing
  return build_when_sound(document, problems);
}

LayerGraph parse_network(std::string_view text, const std::string& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  TomlDocument document = TomlDocument::parse(text, file, problems);
  if (problems.all().size() != before) return {};
  return build_when_sound(document, problems);
}

std::vector<std::string> network_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(networks_directory())) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  Problems problems;
  for (const TransformerRow& row : read_transformers(problems)) names.push_back(row.shape.name);
  problems.throw_if_any();
  std::sort(names.begin(), names.end());
  return names;
}

bool is_network_path(std::string_view name) {
  return name.ends_with(".toml") || name.ends_with(".json") || name.ends_with(".onnx");
}

LayerGraph load_network(const std::string& name, std::int64_t tokens) {
  Problems problems;
  LayerGraph graph;
  if (name.ends_with(".json")) {
    std::vector<std::string> assumed;
    graph = read_hf_config(name, tokens, problems, assumed);
    graph.notes = std::move(assumed);
  } else if (name.ends_with(".onnx")) {
    graph = read_onnx(name, problems);
  } else if (name.ends_with(".toml")) {
    graph = read_network(name, problems);
  } else {
    const std::vector<std::string> known = network_names();
    if (std::binary_search(known.begin(), known.end(), name)) {
      graph = shipped_network(name, problems);
    } else {
      Problem problem;
      problem.key = "network";
      problem.what = "unknown network \"" + name + "\"";
      problem.suggestion = did_you_mean(name, known);
      problems.add(problem);
    }
  }
  problems.throw_if_any();
  return graph;
}

}  // namespace orrery
