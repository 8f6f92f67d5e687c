// Groups of ONNX nodes that are one layer. A new group: its file, its finder declared here, a call in
// find_onnx_patterns().
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "models/networks/onnx_links.hpp"
#include "models/networks/onnx_model.hpp"

namespace orrery {

/// Whether a node only shows the same numbers in another shape or order.
bool is_onnx_view(const OnnxNode& node);

/// MatMul of queries and keys, Softmax, MatMul with the values.
struct OnnxAttention {
  std::string query, key, value;  // what they come from, looked through views and scaling
  std::string scores;             // the Softmax's output: [batch, heads, tokens, tokens of the keys]
  std::string queries;            // the scores' first operand: [batch, heads, tokens, numbers per head]
  std::size_t value_axis = 3;     // of the output, [batch, heads, ...]: where the numbers per head stand
};

/// Nodes that take one value and are one layer together.
struct OnnxGroup {
  LayerKind kind = LayerKind::gelu;
  std::string from;
};

struct OnnxPatterns {
  std::map<std::size_t, OnnxAttention> attention;  // by the node that multiplies with the values
  std::map<std::size_t, OnnxGroup> groups;         // by their last node
  std::set<std::size_t> absorbed;                  // nodes that are part of a group or of attention, but for these

  /// Notes a group of nodes, `last` among them.
  void add(OnnxGroup group, std::size_t last, const std::set<std::size_t>& nodes);
};

/// `constants`: names of values that do not depend on the network's input.
OnnxPatterns find_onnx_patterns(const OnnxModel& model, const std::set<std::string>& constants);

/// Around a Softmax: softmax(Q K^T) V, or V^T softmax(Q K^T)^T.
void find_onnx_attention(const OnnxLinks& links, std::size_t softmax, OnnxPatterns& patterns);
/// Around an Erf: x / 2 (1 + erf(x / sqrt 2)), the half before x or last; around a Tanh: the approximation
/// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel 2016).
void find_onnx_gelu(const OnnxLinks& links, std::size_t node, OnnxPatterns& patterns);
/// Around the ReduceMean of squares: v / sqrt(mean(v^2) + epsilon), scaled; v = x - mean(x), shifted afterwards, is a
/// layer normalisation, any other v a root-mean-square normalisation. Means are over the channels alone (the last of
/// two or three dimensions), scale and shift a number for each; what lacks them has no weights and stays elementwise.
void find_onnx_norm(const OnnxLinks& links, std::size_t mean, OnnxPatterns& patterns);

/// Names of values that follow from initializers and from shapes alone.
std::set<std::string> constant_values(const OnnxModel& model);

}  // namespace orrery
