// The order of the nodes, their values and shapes, and those without weights.
#include "models/networks/onnx_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace orrery {

namespace {

/// Operators that are a layer without keys of its own.
const std::map<std::string, LayerKind, std::less<>>& plain_kinds() {
  static const std::map<std::string, LayerKind, std::less<>> kinds = {
      {"Relu", LayerKind::relu},
      {"LeakyRelu", LayerKind::relu},
      {"Clip", LayerKind::relu},
      {"Tanh", LayerKind::tanh},
      {"Sigmoid", LayerKind::sigmoid},
      {"HardSigmoid", LayerKind::sigmoid},
      {"Gelu", LayerKind::gelu},
      {"HardSwish", LayerKind::silu},
      {"Mish", LayerKind::silu},
      {"Swish", LayerKind::silu},
      {"BatchNormalization", LayerKind::batch_norm},
      {"LayerNormalization", LayerKind::layer_norm},
      {"SimplifiedLayerNormalization", LayerKind::rms_norm},
      {"RMSNormalization", LayerKind::rms_norm},
      {"GlobalAveragePool", LayerKind::global_average_pool}};
  return kinds;
}

/// Operators whose work is products of values, which their bytes say nothing of.
bool multiplies_values(const OnnxNode& node) {
  constexpr std::array<std::string_view, 6> products = {
      "MatMul", "Gemm", "Einsum", "Attention", "MultiHeadAttention", "GroupQueryAttention"};
  return std::find(products.begin(), products.end(), node.op) != products.end();
}

}  // namespace

OnnxLayers::OnnxLayers(const OnnxModel& model)
    : model_(model), constants_(constant_values(model)), patterns_(find_onnx_patterns(model, constants_)) {
  for (const OnnxNode& node : model.nodes) {
    for (const std::string& input : node.inputs) ++readers_[input];
  }
}

LayerGraph OnnxLayers::make() {
  const std::string& input = model_.inputs.front();
  graph_.input = shape_of(input);
  values_[input] = {LayerId(), graph_.input};
  graph_.sample = graph_.input.width > 1 ? "image" : graph_.input.height > 1 ? "sequence" : "vector";
  for (std::size_t i = 1; i < model_.inputs.size(); ++i) {
    graph_.notes.push_back(fmt::format("input \"{}\" is taken for a constant", model_.inputs[i]));
  }
  for (std::size_t i = 0; i < model_.nodes.size(); ++i) add_node(i);
  for (const auto& [op, count] : elementwise_) {
    graph_.notes.push_back(fmt::format("{} x {} priced as an elementwise operator", count, op));
  }
  if (refused_.empty() && without_shape_.empty()) add_loss();
  return std::move(graph_);
}

std::vector<std::string> OnnxLayers::operands(const OnnxNode& node) const {
  std::vector<std::string> found;
  for (const std::string& input : node.inputs) {
    if (!input.empty() && !constants_.contains(input)) found.push_back(input);
  }
  return found;
}

std::vector<std::int64_t> OnnxLayers::dims_of(const std::string& value) const {
  if (const auto constant = model_.constants.find(value); constant != model_.constants.end()) {
    return constant->second.dims;
  }
  const auto shape = model_.shapes.find(value);
  return shape == model_.shapes.end() ? std::vector<std::int64_t>() : shape->second.dims;
}

bool OnnxLayers::knows(const std::string& value) {
  const std::vector<std::int64_t> dims = dims_of(value);
  if (!dims.empty() && std::all_of(dims.begin() + 1, dims.end(), [](std::int64_t size) { return size > 0; }))
    return true;
  if (std::find(without_shape_.begin(), without_shape_.end(), value) == without_shape_.end()) {
    without_shape_.push_back(value);
  }
  return false;
}

Shape OnnxLayers::shape_of(const std::string& value) {
  if (!knows(value)) return {};
  const std::vector<std::int64_t> dims = dims_of(value);
  const auto type = model_.shapes.find(value);
  const bool is_whole = type != model_.shapes.end() && (type->second.type == 6 || type->second.type == 7);
  switch (dims.size()) {
    case 1:
      return {};
    case 2:
      return is_whole ? Shape{dims[1], 1, 1} : Shape{1, 1, dims[1]};
    case 3:
      return {dims[1], 1, dims[2]};
    case 4:
      return {dims[2], dims[3], dims[1]};
    default:
      return {1, 1, numbers_of({dims.begin() + 1, dims.end()})};
  }
}

Shape OnnxLayers::given(LayerId layer) const {
  return layer.valid() ? graph_.layers[layer.index()].out : graph_.input;
}

std::string OnnxLayers::unique(const std::string& name) {
  std::string free = name;
  for (int i = 2; !names_.insert(free).second; ++i) free = fmt::format("{}.{}", name, i);
  return free;
}

Layer& OnnxLayers::append(const OnnxNode& node, LayerKind kind, const std::string& from) {
  const Value& input = values_.at(from);
  Layer layer;
  layer.id = LayerId(graph_.layers.size());
  layer.name = unique(node.name);
  layer.kind = kind;
  layer.input = input.layer;
  layer.in = input.shape;
  const std::vector<std::int64_t> dims = dims_of(node.outputs.front());
  const bool is_same = knows(node.outputs.front()) && dims == dims_of(from);
  layer.out = is_same ? input.shape : shape_of(node.outputs.front());
  values_[node.outputs.front()] = {layer.id, layer.out};
  graph_.layers.push_back(std::move(layer));
  return graph_.layers.back();
}

void OnnxLayers::refuse(const OnnxNode& node, const std::string& what, const std::string& suggestion) {
  refused_.push_back({node.name, what, suggestion});
  lost_.insert(node.outputs.begin(), node.outputs.end());
}

bool OnnxLayers::is_lost(const OnnxNode& node) {
  const bool lost = std::any_of(node.inputs.begin(), node.inputs.end(),
                                [&](const std::string& input) { return lost_.contains(input); });
  if (lost) lost_.insert(node.outputs.begin(), node.outputs.end());
  return lost;
}

void OnnxLayers::add_node(std::size_t index) {
  const OnnxNode& node = model_.nodes[index];
  if (node.outputs.empty() || constants_.contains(node.outputs.front())) return;
  if (is_lost(node) || patterns_.absorbed.contains(index)) return;
  if (const auto group = patterns_.groups.find(index); group != patterns_.groups.end()) {
    if (values_.contains(group->second.from)) append(node, group->second.kind, group->second.from);
    return;
  }
  if (const auto attention = patterns_.attention.find(index); attention != patterns_.attention.end()) {
    add_attention(node, attention->second);
    return;
  }
  for (const std::string& input : operands(node)) {
    if (values_.contains(input)) continue;
    // Within a group of nodes that became a layer: views of what is not there any more.
    const bool is_absorbed = std::any_of(patterns_.absorbed.begin(), patterns_.absorbed.end(), [&](std::size_t at) {
      const auto& outputs = model_.nodes[at].outputs;
      return std::find(outputs.begin(), outputs.end(), input) != outputs.end();
    });
    if (!is_absorbed) refuse(node, fmt::format("reads \"{}\", which no layer gives", input));
    return;
  }
  add_layer_of(node);
}

void OnnxLayers::add_layer_of(const OnnxNode& node) {
  const std::string from = operands(node).front();
  if (const auto plain = plain_kinds().find(node.op); plain != plain_kinds().end()) {
    append(node, plain->second, from);
  } else if (add_weighted(node)) {
    return;
  } else if (node.op == "MaxPool") {
    add_pool(node, LayerKind::max_pool);
  } else if (node.op == "AveragePool") {
    add_pool(node, LayerKind::average_pool);
  } else if (node.op == "ReduceMean" && shape_of(node.outputs.front()).count() == values_.at(from).shape.channels) {
    append(node, LayerKind::global_average_pool, from).out = {1, 1, values_.at(from).shape.channels};
  } else if (node.op == "Resize" || node.op == "Upsample") {
    Layer& layer = append(node, LayerKind::upsample, from);
    layer.stride = std::max<std::int64_t>(layer.out.height / std::max<std::int64_t>(layer.in.height, 1), 1);
  } else if (node.op == "Add" || node.op == "Mul") {
    add_sum_or_product(node);
  } else if (node.op == "Concat") {
    add_concatenation(node);
  } else if (is_onnx_view(node)) {
    add_view(node);
  } else if (multiplies_values(node)) {
    refuse(node, fmt::format("{} of two values is no layer, but within attention (MatMul - Softmax - MatMul)", node.op),
           "export the scores of attention for no other reader, or leave the part out");
  } else {
    add_elementwise(node);
  }
}

/// All numbers are still there: where exporters fold the batch and the tokens into one dimension, or put the tokens
/// before the batch, the last dimension tells the channels.
Shape OnnxLayers::rearranged(const OnnxNode& node, const std::string& output, const Shape& from) {
  constexpr std::array<std::string_view, 8> whole = {"Reshape",   "Transpose", "Flatten", "Squeeze",
                                                     "Unsqueeze", "Identity",  "Cast",    "Dropout"};
  const Shape shape = shape_of(output);
  const bool keeps_all = std::find(whole.begin(), whole.end(), node.op) != whole.end();
  if (!keeps_all || !knows(output) || shape.count() == from.count()) return shape;
  const std::vector<std::int64_t> dims = dims_of(output);
  const bool is_folded = dims.size() <= 3 && dims.back() > 0 && from.count() % dims.back() == 0;
  return is_folded ? Shape{from.count() / dims.back(), 1, dims.back()} : from;
}

void OnnxLayers::add_view(const OnnxNode& node) {
  const Value from = values_.at(operands(node).front());
  for (const std::string& output : node.outputs) {
    if (output.empty()) continue;
    const bool is_mask = node.op == "Dropout" && output != node.outputs.front();
    if (is_mask) continue;
    const Shape shape = rearranged(node, output, from.shape);
    if (shape == from.shape) {
      values_[output] = from;
      continue;
    }
    OnnxNode part = node;
    part.outputs = {output};
    append(part, LayerKind::flatten, operands(node).front()).out = shape;
    values_[output].shape = shape;
  }
}

/// Priced by the numbers it reads and writes, as a sigmoid is.
void OnnxLayers::add_elementwise(const OnnxNode& node) {
  ++elementwise_[node.op];
  append(node, LayerKind::sigmoid, operands(node).front());
}

void OnnxLayers::add_loss() {
  const auto found = values_.find(model_.outputs.front());
  if (found == values_.end() || graph_.layers.empty()) {
    refused_.push_back({model_.outputs.front(), "is an output that no layer gives", {}});
    return;
  }
  Layer loss;
  loss.id = LayerId(graph_.layers.size());
  loss.name = unique("loss");
  loss.input = found->second.layer;
  loss.in = found->second.shape;
  loss.kind = loss.in.width == 1 ? LayerKind::softmax_cross_entropy : LayerKind::mean_squared_error;
  graph_.classes = loss.in.channels;
  graph_.layers.push_back(std::move(loss));
  graph_.notes.push_back(
      fmt::format("{} of output \"{}\" as loss", name_of(graph_.layers.back().kind), model_.outputs.front()));
}

}  // namespace orrery
