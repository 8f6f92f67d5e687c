#include "models/networks/onnx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "models/networks/onnx_layers.hpp"
#include "models/networks/onnx_patterns.hpp"
#include "sim/base/files.hpp"

namespace orrery {

namespace {

const std::string how_to_infer =
    "run shape inference: onnx.shape_inference.infer_shapes_path(\"model.onnx\", \"shaped.onnx\"); if they stay open, "
    "export without dynamic axes";

/// Sizes that no tensor has: a damaged file, or one made to do harm.
void check_sizes(const std::map<std::string, OnnxTensor>& tensors, const std::string& file, Problems& problems) {
  constexpr double most = 1e14;  // numbers; the largest networks hold 1e12
  for (const auto& [name, tensor] : tensors) {
    double numbers = 1.0;
    for (const std::int64_t size : tensor.dims) numbers *= std::max(1.0, std::abs(static_cast<double>(size)));
    if (numbers > most) problems.add({{file, 0, 0}, name, "is larger than any tensor", "the file is damaged", {}, {}});
  }
}

/// How many values an operator takes at least (ONNX operator specification, least over its versions); 0: not known.
std::size_t least_inputs(std::string_view op) {
  using Names = std::vector<std::string_view>;
  static const std::map<std::size_t, Names> operators = {
      {1, {"AveragePool", "Cast",     "Clip",      "Concat",    "Dropout",   "Erf",        "Flatten",
           "Gelu",        "Identity", "LeakyRelu", "MaxPool",   "Pad",       "Reciprocal", "ReduceMean",
           "Relu",        "Reshape",  "Resize",    "Sigmoid",   "Slice",     "Softmax",    "Split",
           "Sqrt",        "Squeeze",  "Tanh",      "Transpose", "Unsqueeze", "Upsample",   "GlobalAveragePool"}},
      {2,
       {"Add", "Conv", "ConvTranspose", "Div", "Expand", "Gather", "Gemm", "LayerNormalization", "MatMul", "Mul", "Pow",
        "RMSNormalization", "Sub"}},
      {3, {"GroupNormalization", "InstanceNormalization", "Where"}},
      {5, {"BatchNormalization"}}};
  const auto found = std::find_if(operators.begin(), operators.end(), [&](const auto& group) {
    return std::find(group.second.begin(), group.second.end(), op) != group.second.end();
  });
  return found == operators.end() ? 0 : found->first;
}

/// An operator by itself: enough operands, a result, no control flow, which has no shapes of its own.
void check_node(const OnnxNode& node, const std::string& file, Problems& problems) {
  const auto tell = [&](const std::string& what, const std::string& why, const std::string& suggestion) {
    problems.add({{file, 0, 0}, node.name, what, why, suggestion, {}});
  };
  if (node.has_graph) {
    tell(fmt::format("{} is control flow", node.op), "what is computed would depend on the data",
         "export the model without it");
  }
  const std::size_t least = least_inputs(node.op);
  const auto end = node.inputs.begin() + static_cast<std::ptrdiff_t>(std::min(least, node.inputs.size()));
  const auto there = static_cast<std::size_t>(
      std::count_if(node.inputs.begin(), end, [](const std::string& input) { return !input.empty(); }));
  if (there < least) {
    tell(fmt::format("{} takes at least {} value{}, but has {}", node.op, least, least == 1 ? "" : "s", there),
         "the file is damaged", "export it again");
  }
  if (node.outputs.empty()) tell(fmt::format("{} gives no value", node.op), "the file is damaged", "export it again");
}

/// Nodes stand in the order in which they are computed, and a value is given once (ONNX IR specification, Graphs): no
/// value depends on itself.
void check_order(const OnnxModel& model, const std::string& file, Problems& problems) {
  std::set<std::string> given(model.inputs.begin(), model.inputs.end());
  for (const auto& [name, tensor] : model.constants) given.insert(name);
  for (const OnnxNode& node : model.nodes) {
    for (const std::string& input : node.inputs) {
      if (input.empty() || given.contains(input)) continue;
      problems.add(
          {{file, 0, 0}, node.name, fmt::format("reads \"{}\", which nothing before it gives", input), {}, {}, {}});
    }
    for (const std::string& output : node.outputs) {
      if (output.empty() || given.insert(output).second) continue;
      problems.add(
          {{file, 0, 0}, node.name, fmt::format("gives \"{}\", which is given before it", output), {}, {}, {}});
    }
  }
}

/// Dimensions must be fixed.
void check_model(const OnnxModel& model, const std::string& file, Problems& problems) {
  for (const OnnxNode& node : model.nodes) check_node(node, file, problems);
  check_order(model, file, problems);
  for (const std::string& input : model.inputs) {
    const auto shape = model.shapes.find(input);
    if (shape == model.shapes.end()) continue;
    for (std::size_t i = 1; i < shape->second.dims.size(); ++i) {  // dimension 0 is the batch
      if (shape->second.dims[i] > 0) continue;
      const std::string name = shape->second.names[i].empty() ? "" : fmt::format(" (\"{}\")", shape->second.names[i]);
      problems.add({{file, 0, 0},
                    input,
                    fmt::format("dimension {}{} is not fixed", i, name),
                    {},
                    "export with fixed sizes; only the batch, dimension 0, may be open",
                    {}});
    }
  }
  check_sizes(model.constants, file, problems);
  check_sizes(model.shapes, file, problems);
  if (model.inputs.empty()) problems.add({{file, 0, 0}, {}, "has no input", {}, {}, {}});
  if (model.outputs.empty()) problems.add({{file, 0, 0}, {}, "has no output", {}, {}, {}});
}

void tell_missing_shapes(const std::vector<std::string>& missing, const std::string& file, Problems& problems) {
  if (missing.empty()) return;
  problems.add(
      {{file, 0, 0},
       {},
       fmt::format("{} of its values have no fixed shape, the first is \"{}\"", missing.size(), missing.front()),
       "costs follow from shapes",
       how_to_infer,
       {}});
}

/// Floating-point numbers of the initializers against those of the layers.
void note_difference(const OnnxModel& model, LayerGraph& graph) {
  std::int64_t held = 0;
  for (const auto& [name, tensor] : model.constants) {
    if (!is_floating(tensor.type)) continue;
    held += numbers_of(tensor.dims);
  }
  std::int64_t running = 0;  // means and variances of batch normalisations are no parameters
  for (const Layer& layer : graph.layers) {
    if (layer.kind == LayerKind::batch_norm) running += 2 * layer.out.channels;
  }
  const std::int64_t layers = parameters(graph);
  if (held - running == layers) return;
  graph.notes.push_back(fmt::format("initializers hold {} numbers beside {} running means and variances, layers {}",
                                    held - running, running, layers));
}

}  // namespace

LayerGraph parse_onnx(std::string_view bytes, const std::string& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  const OnnxModel model = parse_onnx_model(bytes, file, problems);
  if (problems.all().size() != before) return {};
  check_model(model, file, problems);
  if (problems.all().size() != before) return {};
  OnnxLayers layers(model);
  LayerGraph graph = layers.make();
  tell_missing_shapes(layers.without_shape(), file, problems);
  if (problems.all().size() != before) return {};  // what else does not fit may follow from that
  for (const OnnxRefusal& refused : layers.refused()) {
    problems.add({{file, 0, 0}, refused.node, refused.what, {}, refused.suggestion, {}});
  }
  if (problems.all().size() != before) return {};
  graph.name = std::filesystem::path(file).stem().string();
  graph.title = fmt::format("{} (ONNX, {} nodes)", model.name.empty() ? graph.name : model.name, model.nodes.size());
  graph.source = file;
  note_difference(model, graph);
  return graph;
}

LayerGraph read_onnx(const std::filesystem::path& file, Problems& problems) {
  const std::optional<std::string> bytes = read_input(file.string(), problems);
  return bytes ? parse_onnx(*bytes, file.string(), problems) : LayerGraph();
}

}  // namespace orrery
