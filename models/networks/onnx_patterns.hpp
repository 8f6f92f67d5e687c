// Groups of ONNX nodes that are one layer.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "models/networks/onnx_model.hpp"

namespace orrery {

/// Whether a node only shows the same numbers in another shape or order.
bool is_onnx_view(const OnnxNode& node);

/// MatMul of queries and keys, Softmax, MatMul with the values.
struct OnnxAttention {
  std::string query, key, value;  // what they come from, looked through views and scaling
  std::string scores;             // the Softmax's output: [batch, heads, tokens, tokens of the keys]
};

/// A value and what it becomes by a group of nodes.
struct OnnxPatterns {
  std::map<std::size_t, OnnxAttention> attention;  // by the node that multiplies with the values
  std::map<std::size_t, std::string> gelu;         // by the last node of x / 2 (1 + erf(x / sqrt 2)): x
  std::set<std::size_t> absorbed;                  // nodes that are part of a group
};

/// `constants`: names of values that do not depend on the network's input.
OnnxPatterns find_onnx_patterns(const OnnxModel& model, const std::set<std::string>& constants);

/// Names of values that follow from initializers and from shapes alone.
std::set<std::string> constant_values(const OnnxModel& model);

}  // namespace orrery
