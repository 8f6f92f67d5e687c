// ONNX nodes as layers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "models/networks/onnx_model.hpp"
#include "models/networks/onnx_patterns.hpp"

namespace orrery {

struct OnnxRefusal {
  std::string node, what, suggestion;
};

/// Makes the layers of a model whose input has fixed dimensions.
class OnnxLayers {
 public:
  explicit OnnxLayers(const OnnxModel& model);

  LayerGraph make();
  /// Nodes that cannot be layers, with the reason and what to do.
  [[nodiscard]] const std::vector<OnnxRefusal>& refused() const { return refused_; }
  /// Values that a layer needs the shape of, but whose shape the model does not say.
  [[nodiscard]] const std::vector<std::string>& without_shape() const { return without_shape_; }

 private:
  struct Value {
    LayerId layer;  // invalid: the network's input
    Shape shape;
  };

  // onnx_layers.cpp
  void add_node(std::size_t index);
  void add_layer_of(const OnnxNode& node);
  void add_view(const OnnxNode& node);
  /// Shape of an output of a node that only rearranges numbers of shape `from`, or takes some of them.
  Shape rearranged(const OnnxNode& node, const std::string& output, const Shape& from);
  void add_elementwise(const OnnxNode& node);
  void add_loss();

  // onnx_weighted.cpp
  bool add_weighted(const OnnxNode& node);
  /// Whether all numbers of an attribute are at least 1; refuses the node when one is not.
  bool counts(const OnnxNode& node, std::string_view attribute, const std::vector<std::int64_t>& numbers);
  void add_convolution(const OnnxNode& node, LayerKind kind);
  void add_dense(const OnnxNode& node, std::int64_t in, std::int64_t units, bool bias);
  void add_table(const OnnxNode& node);
  void add_pool(const OnnxNode& node, LayerKind kind);

  // onnx_joins.cpp
  void add_sum_or_product(const OnnxNode& node);
  void add_constant(const OnnxNode& node, const std::string& constant);
  void add_concatenation(const OnnxNode& node);
  LayerId join(const std::string& name, LayerId first, LayerId second);

  // onnx_heads.cpp
  struct Heads {
    std::int64_t heads = 0, queries = 0, keys = 0;  // tokens
    std::int64_t head_size = 0, value_size = 0;     // numbers of a query and a key, of a value
  };
  struct Attended {
    LayerId query, key, value;  // the same layer where one gives them side by side
  };
  void add_attention(const OnnxNode& node, const OnnxAttention& attention);
  /// Sizes by the dimensions of scores, queries and output; nothing, and the node refused, when they do not tell.
  std::optional<Heads> heads_of(const OnnxNode& node, const OnnxAttention& attention);
  /// Queries, keys and values as tokens x 1 x channels; nothing, and the node refused, when they are no such tokens.
  std::optional<Attended> attended(const OnnxNode& node, const OnnxAttention& attention, const Heads& sizes);
  /// A value as tokens x 1 x channels, by a view where it has another shape.
  LayerId as_tokens(const std::string& name, const Value& value, std::int64_t tokens);
  /// Heads of keys and values; nothing, and the node refused, when what is left of `channels` beside `queries` is none.
  std::optional<std::int64_t> key_heads(const OnnxNode& node, const Heads& sizes, std::int64_t channels,
                                        std::int64_t queries);

  /// Operands that are not constant, in order.
  [[nodiscard]] std::vector<std::string> operands(const OnnxNode& node) const;
  [[nodiscard]] std::vector<std::int64_t> dims_of(const std::string& value) const;
  bool knows(const std::string& value);
  /// Shape of a value: [N, C, H, W] is HxWxC, [N, T, C] is Tx1xC, [N, C] 1x1xC, [N, T] of whole numbers Tx1x1.
  Shape shape_of(const std::string& value);
  /// A layer of `node` that reads `from`, output as the model says; gives the node's (first) output.
  Layer& append(const OnnxNode& node, LayerKind kind, const std::string& from);
  void refuse(const OnnxNode& node, const std::string& what, const std::string& suggestion = {});
  /// Whether a node reads what a refused one should have given; what it gives is lost too.
  bool is_lost(const OnnxNode& node);
  [[nodiscard]] Shape given(LayerId layer) const;
  std::string unique(const std::string& name);

  const OnnxModel& model_;
  std::set<std::string> constants_;
  OnnxPatterns patterns_;
  LayerGraph graph_;
  std::map<std::string, Value> values_;
  std::map<std::string, int> readers_;
  std::set<std::string> names_;
  std::map<std::string, int> elementwise_;  // operators priced so, and how many
  std::vector<OnnxRefusal> refused_;
  std::set<std::string> lost_;  // values of refused nodes and of what follows from them
  std::vector<std::string> without_shape_;
};

}  // namespace orrery
