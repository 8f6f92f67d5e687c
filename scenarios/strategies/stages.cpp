#include "scenarios/strategies/stages.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/contract.hpp"

namespace orrery {

std::vector<Span> balance(std::span<const double> costs, std::size_t parts) {
  const std::size_t count = costs.size();
  ORRERY_EXPECT(parts >= 1 && parts <= count);
  std::vector<double> prefix(count + 1, 0.0);
  for (std::size_t i = 0; i < count; ++i) prefix[i + 1] = prefix[i] + costs[i];
  const double never = std::numeric_limits<double>::infinity();
  // largest[p][end]: smallest possible largest sum when the first `end` costs are cut into p runs; start[p][end]: where
  // the last of them begins.
  std::vector<std::vector<double>> largest(parts + 1, std::vector<double>(count + 1, never));
  std::vector<std::vector<std::size_t>> start(parts + 1, std::vector<std::size_t>(count + 1, 0));
  largest[0][0] = 0.0;
  for (std::size_t p = 1; p <= parts; ++p) {
    for (std::size_t end = p; end <= count; ++end) {
      for (std::size_t begin = p - 1; begin < end; ++begin) {
        const double value = std::max(largest[p - 1][begin], prefix[end] - prefix[begin]);
        if (value < largest[p][end]) {
          largest[p][end] = value;
          start[p][end] = begin;
        }
      }
    }
  }
  std::vector<Span> spans(parts);
  std::size_t end = count;
  for (std::size_t p = parts; p > 0; --p) {
    spans[p - 1] = {start[p][end], end};
    end = start[p][end];
  }
  return spans;
}

std::vector<bool> needs_gradient(const LayerGraph& graph) {
  std::vector<bool> needs(graph.layers.size(), false);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    const bool reads_one =
        (layer.input.valid() && needs[layer.input.index()]) || (layer.skip.valid() && needs[layer.skip.index()]);
    needs[i] = reads_one || layer.tied || parameters(layer) > 0;
  }
  return needs;
}

double numbers_across(const LayerGraph& graph, std::size_t cut, Pass pass) {
  const std::vector<bool> wanted =
      pass == Pass::backward ? needs_gradient(graph) : std::vector<bool>(graph.layers.size(), true);
  std::vector<bool> crosses(graph.layers.size(), false);
  double numbers = 0;
  const auto read = [&](LayerId producer) {
    if (!producer.valid() || producer.index() >= cut || crosses[producer.index()]) return;
    if (!wanted[producer.index()]) return;
    crosses[producer.index()] = true;
    numbers += static_cast<double>(graph.layers[producer.index()].out.count());
  };
  for (std::size_t i = cut; i < graph.layers.size(); ++i) {
    read(graph.layers[i].input);
    read(graph.layers[i].skip);
  }
  return numbers;
}

LayerId owner_of_tied_weights(const LayerGraph& graph, const Layer& layer) {
  if (!layer.tied) return {};
  for (std::size_t i = layer.id.index(); i-- > 0;) {
    if (graph.layers[i].kind == LayerKind::embedding) return LayerId(i);
  }
  return {};
}

}  // namespace orrery
