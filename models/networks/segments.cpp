#include "models/networks/segments.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace orrery {
namespace {

/// The layer whose numbers an output really is: views looked through. Invalid: the network's input.
LayerId source_of(const LayerGraph& graph, LayerId id) {
  while (id.valid() && is_view(graph.layers[id.index()].kind)) id = graph.layers[id.index()].input;
  return id;
}

std::string block_of(const Layer& layer) {
  const std::size_t dot = layer.name.rfind('.');
  return dot == std::string::npos ? std::string() : layer.name.substr(0, dot);
}

/// Layers before which exactly one earlier output, views looked through, is still to be read: an output crosses every
/// cut behind it up to the last layer that reads it.
std::vector<std::size_t> narrow_cuts(const LayerGraph& graph) {
  const std::size_t count = graph.layers.size();
  std::vector<std::size_t> last_reader(count, 0);
  for (std::size_t layer = 0; layer < count; ++layer) {
    for (const LayerId read : {graph.layers[layer].input, graph.layers[layer].skip}) {
      const LayerId source = source_of(graph, read);
      if (source.valid()) last_reader[source.index()] = layer;
    }
  }
  std::vector<int> change(count + 1, 0);  // of how many outputs cross, from one cut to the next
  for (std::size_t source = 0; source < count; ++source) {
    if (last_reader[source] <= source) continue;
    ++change[source + 1];
    --change[last_reader[source] + 1];
  }
  std::vector<std::size_t> cuts;
  int crossing = 0;
  for (std::size_t layer = 1; layer < count; ++layer) {
    crossing += change[layer];
    if (crossing == 1) cuts.push_back(layer);
  }
  return cuts;
}

/// About sqrt(n) runs that begin with a layer with weights and hold about equally many outputs.
std::vector<std::size_t> cut_evenly(const LayerGraph& graph, const std::vector<std::size_t>& cuts) {
  const auto numbers = [](std::int64_t sum, const Layer& layer) { return sum + layer.out.count(); };
  const auto sum_of = [&](std::size_t first, std::size_t end) {
    const auto begin = graph.layers.begin();
    return static_cast<double>(std::accumulate(begin + static_cast<std::ptrdiff_t>(first),
                                               begin + static_cast<std::ptrdiff_t>(end), std::int64_t{0}, numbers));
  };
  const auto weighty =
      std::count_if(graph.layers.begin(), graph.layers.end(), [](const Layer& layer) { return weights(layer) > 0; });
  const double each = sum_of(0, graph.layers.size()) / std::max(1.0, std::sqrt(static_cast<double>(weighty)));
  std::vector<std::size_t> starts = {0};
  for (const std::size_t cut : cuts) {
    if (weights(graph.layers[cut]) > 0 && sum_of(starts.back(), cut) >= each) starts.push_back(cut);
  }
  return starts;
}

}  // namespace

std::string_view name_of(Recompute recompute) {
  switch (recompute) {
    case Recompute::none:
      return "none";
    case Recompute::selective:
      return "selective";
    case Recompute::alternate:
      return "alternate";
    case Recompute::operators:
      return "operators";
    case Recompute::full:
      return "full";
  }
  return "";
}

double share_of_blocks(Recompute recompute) {
  if (recompute == Recompute::alternate) return 0.5;
  return recompute == Recompute::full ? 1.0 : 0.0;
}

std::vector<std::size_t> recompute_segments(const LayerGraph& graph) {
  const std::vector<std::size_t> cuts = narrow_cuts(graph);
  std::vector<std::size_t> starts = {0};
  for (const std::size_t cut : cuts) {
    if (block_of(graph.layers[cut]) != block_of(graph.layers[cut - 1])) starts.push_back(cut);
  }
  return starts.size() > 1 ? starts : cut_evenly(graph, cuts);
}

std::vector<bool> in_segments_with_backward(const LayerGraph& graph) {
  const std::vector<bool> has_backward = needs_gradient(graph);
  std::vector<std::size_t> cuts = recompute_segments(graph);
  cuts.push_back(graph.layers.size());
  std::vector<bool> all(graph.layers.size());
  for (std::size_t i = 1; i < cuts.size(); ++i) {
    bool any = false;
    for (std::size_t layer = cuts[i - 1]; layer < cuts[i]; ++layer) any = any || has_backward[layer];
    for (std::size_t layer = cuts[i - 1]; layer < cuts[i]; ++layer) all[layer] = any;
  }
  return all;
}

}  // namespace orrery
