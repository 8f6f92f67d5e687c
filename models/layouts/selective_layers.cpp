#include "models/layouts/selective_layers.hpp"

namespace orrery {
namespace {

void mark_raised(const LayerGraph& graph, LayerId from, std::vector<bool>& marked) {
  if (!from.valid()) return;
  const Layer& layer = graph.layers[from.index()];
  if (layer.kind != LayerKind::dense && layer.kind != LayerKind::concatenate) return;
  marked[from.index()] = true;
  if (layer.kind == LayerKind::dense) return;
  mark_raised(graph, layer.input, marked);
  mark_raised(graph, layer.skip, marked);
}

}  // namespace

bool is_latent(const Layer& layer) {
  return layer.kind == LayerKind::attention && layer.shared_size > 0;
}

std::vector<bool> selective_layers(const LayerGraph& graph, const FrameworkProfile& framework) {
  std::vector<bool> marked(graph.layers.size(), false);
  for (const Layer& layer : graph.layers) {
    const bool is_core = layer.kind == LayerKind::attention || layer.kind == LayerKind::cross_attention;
    if (is_core && framework.flash_attention.value <= 0.5) marked[layer.id.index()] = true;
    if (is_latent(layer)) mark_raised(graph, layer.input, marked);
  }
  return marked;
}

}  // namespace orrery
