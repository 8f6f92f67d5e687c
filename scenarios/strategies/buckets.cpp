#include "scenarios/strategies/buckets.hpp"

namespace orrery {

std::vector<Bucket> gradient_buckets(const LayerGraph& graph, Bytes capacity, Bytes per_parameter) {
  std::vector<Bucket> buckets;
  Bucket open{{graph.layers.size(), graph.layers.size()}, {}};
  const auto close = [&] {
    buckets.push_back(open);
    open = {{open.layers.first, open.layers.first}, {}};
  };
  // Layers below the first one that trains have no gradients to wait for: they follow the last bucket.
  std::size_t lowest = 0;
  while (lowest < graph.layers.size() && trainable_parameters(graph.layers[lowest]) == 0) ++lowest;
  for (std::size_t i = graph.layers.size(); i-- > 0;) {
    open.layers.first = i;
    open.bytes += per_parameter * static_cast<double>(trainable_parameters(graph.layers[i]));
    if (open.bytes.value() > 0 && (open.bytes >= capacity || i == lowest)) close();
  }
  if (open.layers.size() > 0) close();
  return buckets;
}

}  // namespace orrery
