#include "models/networks/graph_writer.hpp"

#include <fmt/format.h>

#include <utility>

#include "models/networks/layer_shapes.hpp"
#include "models/networks/size_limits.hpp"

namespace orrery {

namespace {

[[noreturn]] void refuse(const Layer& layer, const std::string& what) {
  throw Infeasible(fmt::format("layer \"{}\" ({}) does not fit: {}", layer.name, name_of(layer.kind), what));
}

}  // namespace

GraphWriter::GraphWriter(LayerGraph& graph) : graph_(graph) {
  if (!is_too_large(graph.input)) return;
  throw Infeasible(fmt::format("{} is larger than any sample: {}", to_text(graph.input), most_numbers_text()));
}

const Shape& GraphWriter::out(LayerId layer) const {
  return layer.valid() ? graph_.layers[layer.index()].out : graph_.input;
}

LayerId GraphWriter::add(Layer layer, std::int64_t units) {
  layer.id = LayerId(graph_.layers.size());
  if (!layer.input.valid()) layer.input = last();
  layer.in = out(layer.input);
  if (const auto misfit = set_output_shape(layer, units)) refuse(layer, misfit->what);
  if (layer.skip.valid()) {
    if (const auto misfit = join_second_operand(layer, graph_.layers[layer.skip.index()])) refuse(layer, misfit->what);
  }
  if (const auto misfit = check_size(layer, parameters_)) refuse(layer, misfit->what);
  if (const auto misfit = check_classes(layer, graph_.classes)) refuse(layer, misfit->what);
  if (!names_.insert(layer.name).second) refuse(layer, "two layers have this name");
  parameters_ += parameters(layer);
  graph_.layers.push_back(std::move(layer));
  return graph_.layers.back().id;
}

LayerId GraphWriter::add(const std::string& name, LayerKind kind, std::int64_t units) {
  Layer layer;
  layer.name = name;
  layer.kind = kind;
  return add(std::move(layer), units);
}

LayerId GraphWriter::join(const std::string& name, LayerKind kind, LayerId input, LayerId skip) {
  Layer layer;
  layer.name = name;
  layer.kind = kind;
  layer.input = input;
  layer.skip = skip;
  return add(std::move(layer));
}

}  // namespace orrery
