#include "models/networks/onnx_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

namespace orrery {

namespace {

std::int64_t product(const std::vector<std::int64_t>& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

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
      return {1, 1, product({dims.begin() + 1, dims.end()})};
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
  layer.out = shape_of(node.outputs.front());
  values_[node.outputs.front()] = {layer.id, layer.out};
  graph_.layers.push_back(std::move(layer));
  return graph_.layers.back();
}

void OnnxLayers::add_node(std::size_t index) {
  const OnnxNode& node = model_.nodes[index];
  if (node.outputs.empty() || constants_.contains(node.outputs.front())) return;
  if (patterns_.absorbed.contains(index)) return;
  if (const auto gelu = patterns_.gelu.find(index); gelu != patterns_.gelu.end()) {
    if (values_.contains(gelu->second)) append(node, LayerKind::gelu, gelu->second);
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
    if (!is_absorbed) refuse(node, fmt::format("reads \"{}\", which nothing before it gives", input));
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
  } else {
    add_elementwise(node);
  }
}

/// Layers with weights of two or more dimensions; false when the operator is none of them.
bool OnnxLayers::add_weighted(const OnnxNode& node) {
  const bool has_weights = node.inputs.size() > 1 && constants_.contains(node.inputs[1]);
  if (node.op == "Conv" || node.op == "ConvTranspose") {
    add_convolution(node, node.op == "Conv" ? LayerKind::convolution : LayerKind::transposed_convolution);
  } else if ((node.op == "Gemm" || node.op == "MatMul") && has_weights && knows(node.inputs[1])) {
    const std::vector<std::int64_t> dims = dims_of(node.inputs[1]);
    if (dims.size() != 2) {
      refuse(node, fmt::format("{} multiplies with a tensor of {} dimensions", node.op, dims.size()));
      return true;
    }
    const bool turned = node.integer("transB", 0) != 0;
    add_dense(node, dims[turned ? 1 : 0], dims[turned ? 0 : 1], node.op == "Gemm" && node.inputs.size() > 2);
  } else if (node.op == "Gather" && constants_.contains(node.inputs.front())) {
    add_table(node);
  } else if (node.op == "GroupNormalization" || node.op == "InstanceNormalization") {
    const std::int64_t groups = node.integer("num_groups", 1);
    if (!counts(node, "num_groups", {groups})) return true;
    Layer& layer = append(node, LayerKind::group_norm, operands(node).front());
    layer.groups = node.op[0] == 'G' ? groups : layer.in.channels;
  } else {
    const bool holds = std::any_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& input) {
      const auto constant = model_.constants.find(input);
      return constant != model_.constants.end() && is_floating(constant->second.type) &&
             constant->second.dims.size() > 1;
    });
    if (!holds || node.op == "Add" || node.op == "Mul" || node.op == "Concat" || is_onnx_view(node)) return false;
    refuse(node, fmt::format("{} has weights, but is no operator that is known", node.op));
  }
  return true;
}

bool OnnxLayers::counts(const OnnxNode& node, std::string_view attribute, const std::vector<std::int64_t>& numbers) {
  const auto wrong = std::find_if(numbers.begin(), numbers.end(), [](std::int64_t number) { return number < 1; });
  if (wrong != numbers.end()) refuse(node, fmt::format("{} is {}, and must be at least 1", attribute, *wrong));
  return wrong == numbers.end();
}

void OnnxLayers::add_convolution(const OnnxNode& node, LayerKind kind) {
  const std::vector<std::int64_t> dims = node.inputs.size() > 1 ? dims_of(node.inputs[1]) : std::vector<std::int64_t>();
  if (dims.size() != 4) {
    refuse(node,
           fmt::format("{} of images alone is known, with a kernel of 4 dimensions, not {}", node.op, dims.size()));
    return;
  }
  const std::vector<std::int64_t> strides = node.integers("strides"), pads = node.integers("pads");
  const std::int64_t groups = node.integer("group", 1);
  if (!counts(node, "kernel", dims) || !counts(node, "strides", strides) || !counts(node, "group", {groups})) return;
  Layer& layer = append(node, kind, operands(node).front());
  layer.kernel = dims[2];
  if (dims[3] != dims[2]) layer.kernel_width = dims[3];
  layer.stride = strides.empty() ? 1 : strides.front();
  layer.padding = pads.empty() ? 0 : pads.front();
  if (pads.size() > 1 && layer.kernel_width > 0) layer.padding_width = pads[1];
  layer.groups = groups;
  layer.bias = node.inputs.size() > 2 && !node.inputs[2].empty();
}

void OnnxLayers::add_dense(const OnnxNode& node, std::int64_t in, std::int64_t units, bool bias) {
  Layer& layer = append(node, LayerKind::dense, operands(node).front());
  if (layer.in.channels != in) {
    refuse(node, fmt::format("multiplies {} with a matrix of {} rows", to_text(layer.in), in));
    return;
  }
  layer.out = {layer.in.height, layer.in.width, units};
  values_[node.outputs.front()].shape = layer.out;
  layer.bias = bias;
}

void OnnxLayers::add_table(const OnnxNode& node) {
  const std::vector<std::int64_t> dims = dims_of(node.inputs.front());
  const std::string from = operands(node).front();
  if (dims.size() != 2) {
    add_elementwise(node);
    return;
  }
  Layer& layer = append(node, LayerKind::embedding, from);
  layer.vocabulary = dims[0];
  layer.out = {layer.in.height, 1, dims[1]};
  values_[node.outputs.front()].shape = layer.out;
}

void OnnxLayers::add_pool(const OnnxNode& node, LayerKind kind) {
  const std::vector<std::int64_t> kernel = node.integers("kernel_shape"), strides = node.integers("strides");
  const std::vector<std::int64_t> pads = node.integers("pads");
  if (!counts(node, "kernel_shape", kernel) || !counts(node, "strides", strides)) return;
  Layer& layer = append(node, kind, operands(node).front());
  layer.kernel = kernel.empty() ? 1 : kernel.front();
  layer.stride = strides.empty() ? 1 : strides.front();
  layer.padding = pads.empty() ? 0 : pads.front();
}

void OnnxLayers::add_sum_or_product(const OnnxNode& node) {
  const std::vector<std::string> both = operands(node);
  if (both.size() == 1) {
    add_constant(node, node.inputs[0] == both.front() ? node.inputs[1] : node.inputs[0]);
    return;
  }
  const Value first = values_.at(both[0]), second = values_.at(both[1]);
  if (first.shape != second.shape || !second.layer.valid()) {
    add_elementwise(node);
    return;
  }
  const LayerKind kind = node.op == "Add" ? LayerKind::residual_add : LayerKind::multiply;
  append(node, kind, both[0]).skip = second.layer;
}

/// A sum with a constant: the bias of the product before it, a table of positions, or elementwise.
void OnnxLayers::add_constant(const OnnxNode& node, const std::string& constant) {
  const std::string from = operands(node).front();
  const std::int64_t numbers = product(dims_of(constant));
  const Value value = values_.at(from);
  const bool is_sum = node.op == "Add" && model_.constants.contains(constant);
  Layer* before = value.layer.valid() ? &graph_.layers[value.layer.index()] : nullptr;
  if (is_sum && before != nullptr && before->kind == LayerKind::dense && !before->bias &&
      numbers == before->out.channels && readers_[from] == 1) {
    before->bias = true;
    values_[node.outputs.front()] = value;
  } else if (is_sum && value.shape.width == 1 && value.shape.height > 1 && numbers == value.shape.count()) {
    append(node, LayerKind::position_embedding, from);
  } else {
    add_elementwise(node);
  }
}

LayerId OnnxLayers::join(const std::string& name, LayerId first, LayerId second) {
  Layer layer;
  layer.id = LayerId(graph_.layers.size());
  layer.name = unique(name);
  layer.kind = LayerKind::concatenate;
  layer.input = first;
  layer.skip = second;
  layer.in = layer.out = given(first);
  layer.out.channels += given(second).channels;
  graph_.layers.push_back(layer);
  return layer.id;
}

/// Of channels: two at a time. A trained token before the others is a class token; other directions are elementwise.
void OnnxLayers::add_concatenation(const OnnxNode& node) {
  const std::vector<std::string> parts = operands(node);
  const Shape whole = shape_of(node.outputs.front()), first = values_.at(parts.front()).shape;
  std::int64_t channels = 0;
  bool fits = true;
  for (const std::string& part : parts) {
    const Value& value = values_.at(part);
    channels += value.shape.channels;
    fits = fits && value.layer.valid() && value.shape.height == whole.height && value.shape.width == whole.width;
  }
  if (parts.size() == 1 && whole.channels == first.channels && whole.height == first.height + 1 && whole.width == 1) {
    append(node, LayerKind::class_token, parts.front());
  } else if (parts.size() > 1 && fits && channels == whole.channels) {
    LayerId joined = values_.at(parts[0]).layer;
    for (std::size_t i = 1; i < parts.size(); ++i) joined = join(node.name, joined, values_.at(parts[i]).layer);
    values_[node.outputs.front()] = {joined, whole};
  } else {
    add_elementwise(node);
  }
}

void OnnxLayers::add_attention(const OnnxNode& node, const OnnxAttention& attention) {
  const std::vector<std::int64_t> scores = dims_of(attention.scores);
  if (scores.size() != 4) {
    refuse(node, "is attention whose heads are not a dimension of their own: its scores need four");
    return;
  }
  for (const std::string& from : {attention.query, attention.key, attention.value}) {
    if (values_.contains(from) && values_.at(from).layer.valid()) continue;
    refuse(node, fmt::format("attends to \"{}\", which no layer gives", from));
    return;
  }
  const LayerId query = values_.at(attention.query).layer, key = values_.at(attention.key).layer;
  const LayerId value = values_.at(attention.value).layer;
  const bool is_across = scores[2] != scores[3] || (key == value && key != query);
  LayerId from = query, memory = key;
  if (is_across && key != value) memory = join(node.name + ".keys_values", key, value);
  if (!is_across && key != query) from = join(node.name + ".qkv", join(node.name + ".query_key", query, key), value);
  values_[node.name + ".operands"] = {from, given(from)};
  Layer& layer = append(node, is_across ? LayerKind::cross_attention : LayerKind::attention, node.name + ".operands");
  const std::vector<std::int64_t> out = dims_of(node.outputs.front());
  layer.heads = scores[1];
  layer.value_size = out.size() == 4 ? out[3] : 0;
  layer.head_size = layer.value_size;
  layer.out = {scores[2], 1, layer.heads * layer.value_size};
  if (is_across) {
    layer.kv_heads = given(memory).channels / std::max<std::int64_t>(2 * layer.value_size, 1);
    layer.skip = memory;
    layer.key_tokens = scores[3];
  } else {
    layer.kv_heads = (layer.in.channels / std::max<std::int64_t>(layer.value_size, 1) - layer.heads) / 2;
  }
  values_[node.outputs.front()] = {layer.id, layer.out};
  if (layer.value_size == 0) without_shape_.push_back(node.outputs.front());
}

void OnnxLayers::add_view(const OnnxNode& node) {
  const Value from = values_.at(operands(node).front());
  for (const std::string& output : node.outputs) {
    if (output.empty()) continue;
    const bool is_mask = node.op == "Dropout" && output != node.outputs.front();
    if (is_mask) continue;
    const Shape shape = shape_of(output);
    if (shape == from.shape) {
      values_[output] = from;
      continue;
    }
    OnnxNode part = node;
    part.outputs = {output};
    append(part, LayerKind::flatten, operands(node).front());
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
    refused_.emplace_back(model_.outputs.front(), "is an output that no layer gives");
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
