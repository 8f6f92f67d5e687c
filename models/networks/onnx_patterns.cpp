#include "models/networks/onnx_patterns.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace orrery {

void OnnxPatterns::add(OnnxGroup group, std::size_t last, const std::set<std::size_t>& nodes) {
  absorbed.insert(nodes.begin(), nodes.end());
  absorbed.erase(last);
  groups[last] = std::move(group);
}

bool is_onnx_view(const OnnxNode& node) {
  constexpr std::array<std::string_view, 14> views = {"Reshape", "Transpose", "Flatten",      "Squeeze", "Unsqueeze",
                                                      "Split",   "Slice",     "Identity",     "Cast",    "Dropout",
                                                      "Expand",  "Pad",       "SpaceToDepth", "Gather"};
  return std::find(views.begin(), views.end(), node.op) != views.end();
}

std::set<std::string> constant_values(const OnnxModel& model) {
  std::set<std::string> constants;
  for (const auto& [name, tensor] : model.constants) constants.insert(name);
  for (std::size_t i = 1; i < model.inputs.size(); ++i) constants.insert(model.inputs[i]);
  for (const OnnxNode& node : model.nodes) {
    const bool follows = std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& input) {
      return input.empty() || constants.contains(input);
    });
    const bool is_shape = node.op == "Shape" || node.op == "Size" || node.op == "ConstantOfShape";
    if (follows || is_shape) constants.insert(node.outputs.begin(), node.outputs.end());
  }
  return constants;
}

OnnxPatterns find_onnx_patterns(const OnnxModel& model, const std::set<std::string>& constants) {
  const OnnxLinks links(model, constants);
  OnnxPatterns patterns;
  for (std::size_t i = 0; i < links.nodes(); ++i) {
    const std::string& op = links.node(i).op;
    if (links.node(i).inputs.empty() || links.node(i).outputs.empty()) continue;
    if (op == "Softmax") find_onnx_attention(links, i, patterns);
    if (op == "Erf" || op == "Tanh") find_onnx_gelu(links, i, patterns);
    if (op == "ReduceMean") find_onnx_norm(links, i, patterns);
  }
  return patterns;
}

}  // namespace orrery
