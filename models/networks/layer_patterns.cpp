#include "models/networks/layer_patterns.hpp"

namespace orrery {

bool matches(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (name.substr(0, star) != pattern.substr(0, star)) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= name.size(); ++at) {
    if (matches(rest, name.substr(at))) return true;
  }
  return false;
}

std::vector<std::size_t> layers_matching(const LayerGraph& graph, std::string_view pattern) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    if (matches(pattern, graph.layers[i].name)) found.push_back(i);
  }
  return found;
}

std::size_t freeze(LayerGraph& graph, std::string_view pattern) {
  std::size_t found = 0;
  for (const std::size_t i : layers_matching(graph, pattern)) {
    if (graph.layers[i].tied || parameters(graph.layers[i]) == 0) continue;
    graph.layers[i].frozen = true;
    ++found;
  }
  const Layer* embedding = nullptr;
  for (Layer& layer : graph.layers) {
    if (layer.kind == LayerKind::embedding) embedding = &layer;
    if (layer.tied && embedding != nullptr) layer.frozen = embedding->frozen;
  }
  return found;
}

}  // namespace orrery
