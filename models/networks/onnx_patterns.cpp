#include "models/networks/onnx_patterns.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace orrery {

namespace {

constexpr std::size_t none = static_cast<std::size_t>(-1);

template <std::size_t count>
bool is_one_of(const std::array<std::string_view, count>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class PatternFinder {
 public:
  PatternFinder(const OnnxModel& model, const std::set<std::string>& constants) : model_(model), constants_(constants) {
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
      for (const std::string& name : model.nodes[i].outputs) producer_[name] = i;
      for (const std::string& name : model.nodes[i].inputs) readers_[name].push_back(i);
    }
  }

  OnnxPatterns find() {
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      if (model_.nodes[i].op == "Softmax") find_attention(i);
      if (model_.nodes[i].op == "Erf") find_gelu(i);
    }
    return std::move(patterns_);
  }

 private:
  [[nodiscard]] std::size_t producer(const std::string& value) const {
    const auto found = producer_.find(value);
    return found == producer_.end() ? none : found->second;
  }

  /// The operand of a node that is not constant, when there is just one.
  [[nodiscard]] std::optional<std::string> only_operand(const OnnxNode& node) const {
    std::optional<std::string> only;
    for (const std::string& input : node.inputs) {
      if (input.empty() || constants_.contains(input)) continue;
      if (only) return std::nullopt;
      only = input;
    }
    return only;
  }

  /// Whether a node changes neither which numbers there are nor, but for a factor, their size.
  [[nodiscard]] bool passes(const OnnxNode& node) const {
    constexpr std::array<std::string_view, 4> scaling = {"Mul", "Div", "Sqrt", "Where"};
    return is_onnx_view(node) || is_one_of(scaling, node.op) || (node.op == "Add" && only_operand(node).has_value());
  }

  /// What a value comes from; nodes passed are noted in `passed`.
  std::string source(std::string value, std::vector<std::size_t>& passed, const bool through_sums) const {
    for (std::size_t node = producer(value); node != none; node = producer(value)) {
      const OnnxNode& at = model_.nodes[node];
      const bool is_sum = at.op == "Add";
      const auto operand = only_operand(at);
      if (!passes(at) || (is_sum && !through_sums) || !operand) break;
      if (!is_onnx_view(at)) passed.push_back(node);
      value = *operand;
    }
    return value;
  }

  [[nodiscard]] std::size_t only_reader(const std::string& value) const {
    const auto found = readers_.find(value);
    return found == readers_.end() || found->second.size() != 1 ? none : found->second.front();
  }

  void find_attention(std::size_t softmax) {
    const OnnxNode& node = model_.nodes[softmax];
    std::vector<std::size_t> passed = {softmax};
    const std::size_t product = producer(source(node.inputs.front(), passed, true));
    std::size_t values = only_reader(node.outputs.front());
    while (values != none && (model_.nodes[values].op == "Dropout" || model_.nodes[values].op == "Cast")) {
      passed.push_back(values);
      values = only_reader(model_.nodes[values].outputs.front());
    }
    if (product == none || values == none || !multiplies(product) || !multiplies(values)) return;
    passed.push_back(product);
    const OnnxNode& scores = model_.nodes[product];
    OnnxAttention found;
    found.query = source(scores.inputs[0], passed, false);
    found.key = source(scores.inputs[1], passed, false);
    found.value = source(model_.nodes[values].inputs[1], passed, false);
    found.scores = node.outputs.front();
    patterns_.attention[values] = std::move(found);
    patterns_.absorbed.insert(passed.begin(), passed.end());
  }

  /// A product of two values that both depend on the input.
  [[nodiscard]] bool multiplies(std::size_t node) const {
    const OnnxNode& at = model_.nodes[node];
    return at.op == "MatMul" && at.inputs.size() == 2 && !constants_.contains(at.inputs[0]) &&
           !constants_.contains(at.inputs[1]);
  }

  void find_gelu(std::size_t erf) {
    const std::size_t scaled = producer(model_.nodes[erf].inputs.front());
    const std::size_t sum = only_reader(model_.nodes[erf].outputs.front());
    if (scaled == none || sum == none || model_.nodes[sum].op != "Add") return;
    const auto x = only_operand(model_.nodes[scaled]);
    const std::size_t product = only_reader(model_.nodes[sum].outputs.front());
    if (!x || product == none || model_.nodes[product].op != "Mul") return;
    std::set<std::size_t> group = {scaled, erf, sum, product};
    std::size_t last = product;
    const std::size_t half = only_reader(model_.nodes[product].outputs.front());
    const std::string other = model_.nodes[product].inputs[0] == model_.nodes[sum].outputs.front()
                                  ? model_.nodes[product].inputs[1]
                                  : model_.nodes[product].inputs[0];
    if (other == *x) {  // the half comes last
      if (half == none || model_.nodes[half].op != "Mul" || !only_operand(model_.nodes[half])) return;
      last = half;
    } else {  // the half stands before x
      const std::size_t halved = producer(other);
      if (halved == none || only_operand(model_.nodes[halved]) != x) return;
      group.insert(halved);
    }
    patterns_.gelu[last] = *x;
    patterns_.absorbed.insert(group.begin(), group.end());
    patterns_.absorbed.erase(last);
  }

  const OnnxModel& model_;
  const std::set<std::string>& constants_;
  std::map<std::string, std::size_t> producer_;
  std::map<std::string, std::vector<std::size_t>> readers_;
  OnnxPatterns patterns_;
};

}  // namespace

bool is_onnx_view(const OnnxNode& node) {
  constexpr std::array<std::string_view, 14> views = {"Reshape", "Transpose", "Flatten",      "Squeeze", "Unsqueeze",
                                                      "Split",   "Slice",     "Identity",     "Cast",    "Dropout",
                                                      "Expand",  "Pad",       "SpaceToDepth", "Gather"};
  return is_one_of(views, node.op);
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
  return PatternFinder(model, constants).find();
}

}  // namespace orrery
