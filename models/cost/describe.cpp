#include "models/cost/describe.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/cost/layer_cost.hpp"

namespace orrery {

std::string describe(const LayerGraph& graph) {
  std::size_t name_width = 5;  // "layer"
  for (const Layer& layer : graph.layers) name_width = std::max(name_width, layer.name.size());
  const std::int64_t untrained = parameters(graph) - trainable_parameters(graph);
  const std::string frozen = untrained > 0 ? fmt::format(" ({} of them frozen)", untrained) : "";
  std::string text = fmt::format(
      "{}: {}\nsource: {}\none sample: {} {}, {} classes\nparameters {}{}, training {:.4g} GFLOP per sample (forward "
      "and backward)\n\n",
      graph.name, graph.title, graph.source, graph.sample, to_text(graph.input), graph.classes, parameters(graph),
      frozen, training_flops(graph).value() / giga);
  if (!graph.notes.empty()) text += fmt::format("assumed:\n  {}\n\n", fmt::join(graph.notes, "\n  "));
  text += fmt::format("{:<{}}  {:<22}  {:>12}    {:<12}  {:>11}  {:>14}  {:>12}\n", "layer", name_width, "kind", "in",
                      "out", "parameters", "forward MFLOP", "stored k");
  for (const Layer& layer : graph.layers) {
    const LayerCost cost = layer_cost(layer);
    text += fmt::format("{:<{}}  {:<22}  {:>12} -> {:<12}  {:>11}  {:>14.3f}  {:>12.1f}\n", layer.name, name_width,
                        name_of(layer.kind), to_text(layer.in), to_text(layer.out), parameters(layer),
                        cost.forward.value() / mega, cost.stored_numbers / kilo);
  }
  return text;
}

}  // namespace orrery
