#include "models/networks/onnx_links.hpp"

namespace orrery {

OnnxLinks::OnnxLinks(const OnnxModel& model, const std::set<std::string>& constants)
    : model_(model), constants_(constants) {
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    for (const std::string& name : model.nodes[i].outputs) producer_[name] = i;
    for (const std::string& name : model.nodes[i].inputs) readers_[name].push_back(i);
  }
}

std::size_t OnnxLinks::producer(const std::string& value) const {
  const auto found = producer_.find(value);
  return found == producer_.end() ? none : found->second;
}

std::size_t OnnxLinks::only_reader(const std::string& value) const {
  const auto found = readers_.find(value);
  return found == readers_.end() || found->second.size() != 1 ? none : found->second.front();
}

std::size_t OnnxLinks::only_reader(std::size_t index, std::string_view op) const {
  if (index == none || node(index).outputs.empty()) return none;
  const std::size_t reader = only_reader(node(index).outputs.front());
  return reader != none && node(reader).op == op ? reader : none;
}

std::optional<std::string> OnnxLinks::only_operand(const OnnxNode& node) const {
  std::optional<std::string> only;
  for (const std::string& input : node.inputs) {
    if (input.empty() || constants_.contains(input)) continue;
    if (only) return std::nullopt;
    only = input;
  }
  return only;
}

std::vector<std::int64_t> OnnxLinks::dims(const std::string& value) const {
  if (const auto constant = model_.constants.find(value); constant != model_.constants.end()) {
    return constant->second.dims;
  }
  const auto shape = model_.shapes.find(value);
  return shape == model_.shapes.end() ? std::vector<std::int64_t>() : shape->second.dims;
}

}  // namespace orrery
