#include "models/networks/onnx_model.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "models/networks/protobuf_wire.hpp"

namespace orrery {

namespace {

// Numbers of fields: onnx.proto of ONNX 1.16 (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto,
// ValueInfoProto, TypeProto).

std::string text(const WireField& field) {
  return std::string(field.bytes);
}

OnnxTensor read_tensor(const WireField& message, std::string& name) {
  OnnxTensor tensor;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) append_integers(*field, tensor.dims);
    if (field->number == 2) tensor.type = static_cast<std::int64_t>(field->value);
    if (field->number == 8) name = text(*field);
  }
  return tensor;
}

void read_attribute(const WireField& message, OnnxNode& node) {
  std::string name;
  OnnxAttribute attribute;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) name = text(*field);
    if (field->number == 3) attribute.integer = static_cast<std::int64_t>(field->value);
    if (field->number == 8) append_integers(*field, attribute.integers);
    if (field->number == 5) {
      std::string ignored;
      node.tensor = read_tensor(*field, ignored).dims;
    }
    if (field->number == 6 || field->number == 11) node.has_graph = true;
  }
  node.attributes[name] = std::move(attribute);
}

OnnxNode read_node(const WireField& message) {
  OnnxNode node;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) node.inputs.push_back(text(*field));
    if (field->number == 2) node.outputs.push_back(text(*field));
    if (field->number == 3) node.name = text(*field);
    if (field->number == 4) node.op = text(*field);
    if (field->number == 5) read_attribute(*field, node);
  }
  if (node.name.empty() && !node.outputs.empty()) node.name = node.outputs.front();
  return node;
}

void read_dimension(const WireField& message, OnnxTensor& tensor) {
  std::int64_t size = -1;
  std::string name;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) size = static_cast<std::int64_t>(field->value);
    if (field->number == 2) name = text(*field);
  }
  tensor.dims.push_back(size > 0 ? size : -1);
  tensor.names.push_back(size > 0 ? std::string() : name);
}

void read_tensor_type(const WireField& message, OnnxTensor& tensor) {
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) tensor.type = static_cast<std::int64_t>(field->value);
    if (field->number != 2) continue;
    WireReader shape(*field);
    while (const auto dimension = shape.next()) {
      if (dimension->number == 1) read_dimension(*dimension, tensor);
    }
  }
}

/// The name of a value; its shape goes into `model` when the file gives one.
std::string read_value(const WireField& message, OnnxModel& model) {
  std::string name;
  OnnxTensor tensor;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) name = text(*field);
    if (field->number != 2) continue;
    WireReader type(*field);
    while (const auto kind = type.next()) {
      if (kind->number == 1) read_tensor_type(*kind, tensor);
    }
  }
  if (!tensor.dims.empty()) model.shapes[name] = std::move(tensor);
  return name;
}

void read_graph(const WireField& message, OnnxModel& model) {
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) model.nodes.push_back(read_node(*field));
    if (field->number == 2) model.name = text(*field);
    if (field->number == 5) {
      std::string name;
      OnnxTensor tensor = read_tensor(*field, name);
      model.constants[name] = std::move(tensor);
    }
    if (field->number == 11) model.inputs.push_back(read_value(*field, model));
    if (field->number == 12) model.outputs.push_back(read_value(*field, model));
    if (field->number == 13) read_value(*field, model);
  }
  std::erase_if(model.inputs, [&](const std::string& name) { return model.constants.contains(name); });
}

}  // namespace

std::int64_t OnnxNode::integer(std::string_view attribute, std::int64_t fallback) const {
  const auto found = attributes.find(attribute);
  return found == attributes.end() ? fallback : found->second.integer;
}

std::vector<std::int64_t> OnnxNode::integers(std::string_view attribute) const {
  const auto found = attributes.find(attribute);
  return found == attributes.end() ? std::vector<std::int64_t>() : found->second.integers;
}

std::int64_t numbers_of(const std::vector<std::int64_t>& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

bool is_floating(std::int64_t onnx_type) {
  return onnx_type == 1 || onnx_type == 10 || onnx_type == 11 || onnx_type == 16;
}

OnnxModel parse_onnx_model(std::string_view bytes, const std::string& file, Problems& problems) {
  OnnxModel model;
  bool has_graph = false;
  try {
    WireReader reader(bytes);
    while (const auto field = reader.next()) {
      if (field->number != 7 || field->type != WireField::Type::bytes) continue;
      has_graph = true;
      read_graph(*field, model);
    }
  } catch (const WireDamage& damage) {
    problems.add({{file, 0, 0}, {}, "is no whole ONNX model", damage.what(), "export or fetch it again", {}});
    return {};
  }
  if (!has_graph) problems.add({{file, 0, 0}, {}, "holds no graph", {}, "name a file made by an export to ONNX", {}});
  return model;
}

}  // namespace orrery
