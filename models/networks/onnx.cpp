#include "models/networks/onnx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

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

/// Control flow has no shapes of its own; dimensions must be fixed.
void check_model(const OnnxModel& model, const std::string& file, Problems& problems) {
  for (const OnnxNode& node : model.nodes) {
    if (!node.has_graph) continue;
    problems.add({{file, 0, 0},
                  node.name,
                  fmt::format("{} is control flow", node.op),
                  "what is computed would depend on the data",
                  "export the model without it",
                  {}});
  }
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
