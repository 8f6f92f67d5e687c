#include "models/layouts/selective_layers.hpp"

#include "models/cost/attention_operators.hpp"
#include "models/networks/segments.hpp"

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

/// Of each dense layer the shares of its output that products of their own make; none of other layers.
std::vector<std::vector<double>> products_of(const LayerGraph& graph) {
  std::vector<std::vector<double>> products(graph.layers.size());
  for (const Layer& layer : graph.layers) {
    if (layer.kind == LayerKind::dense) products[layer.id.index()] = {1.0};
    if (layer.kind == LayerKind::cross_attention && !products[layer.skip.index()].empty()) {
      products[layer.skip.index()] = {0.5, 0.5};  // keys and values
    }
    if (!layer.input.valid() || products[layer.input.index()].empty()) continue;
    std::vector<double>& before = products[layer.input.index()];
    const auto all = static_cast<double>(layer.in.channels);
    if (layer.kind == LayerKind::swiglu || layer.kind == LayerKind::geglu) before = {0.5, 0.5};
    if (layer.kind == LayerKind::attention) {
      const double queries = static_cast<double>(layer.heads * head_size(layer)) / all;
      const double values = static_cast<double>(layer.kv_heads * value_size(layer)) / all;
      before = {queries, 1.0 - queries - values, values};
    }
  }
  return products;
}

}  // namespace

bool is_latent(const Layer& layer) {
  return layer.kind == LayerKind::attention && layer.shared_size > 0;
}

std::vector<bool> selective_layers(const LayerGraph& graph, const FrameworkProfile& framework) {
  std::vector<bool> marked(graph.layers.size(), false);
  for (const Layer& layer : graph.layers) {
    if (attends(layer.kind) && !is_fused(layer, framework)) marked[layer.id.index()] = true;
    if (is_latent(layer)) mark_raised(graph, layer.input, marked);
  }
  return marked;
}

std::vector<double> saved_operators(const LayerGraph& graph, const FrameworkProfile& framework) {
  std::vector<double> saved(graph.layers.size(), 0.0);
  const std::vector<std::vector<double>> products = products_of(graph);
  const std::vector<NetworkCut> cuts = device_cuts(graph);
  std::size_t next = 0;
  bool is_turn = true;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    if (next < cuts.size() && cuts[next].first == i) ++next, is_turn = true;
    if (is_fused(graph.layers[i], framework)) saved[i] = 1;
    for (const double share : products[i]) {
      if (is_turn) saved[i] += share;
      is_turn = !is_turn;
    }
  }
  return saved;
}

LayerMarks marks_of(const LayerGraph& graph, const FrameworkProfile& framework) {
  return {needs_gradient(graph), selective_layers(graph, framework), saved_operators(graph, framework)};
}

}  // namespace orrery
