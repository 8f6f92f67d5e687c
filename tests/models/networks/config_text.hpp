// Networks from the text of a config.json, and what is wrong with one.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/networks/hf_config.hpp"

namespace orrery {

using Texts = std::vector<std::string>;

inline LayerGraph graph_of(const std::string& text, std::int64_t tokens = 128, Texts* assumed = nullptr) {
  Problems problems;
  Texts notes;
  LayerGraph graph = parse_hf_config(text, "config.json", tokens, problems, notes);
  problems.throw_if_any();
  if (assumed != nullptr) *assumed = notes;
  return graph;
}

inline std::string problems_in(const std::string& text, std::int64_t tokens = 128) {
  try {
    (void)graph_of(text, tokens);
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return {};
}

inline const Layer& layer_named(const LayerGraph& graph, const std::string& name) {
  for (const Layer& layer : graph.layers) {
    if (layer.name == name) return layer;
  }
  throw std::runtime_error("no layer " + name);
}

}  // namespace orrery
