// Layer graphs made by programs instead of files: layers put one after the other, shapes and names checked.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Appends layers to a graph whose `input` is set. A layer reads the one before it unless it names another.
class GraphWriter {
 public:
  /// Throws Infeasible when the input is larger than any sample.
  explicit GraphWriter(LayerGraph& graph);

  /// Sets id, input (the last layer when invalid), in and out of `layer` and appends it. `units` as in
  /// set_output_shape(). A tied layer uses the weights of the embedding. Throws Infeasible naming the layer and what
  /// does not fit or is above size_limits, and on a name given twice.
  LayerId add(Layer layer, std::int64_t units = 0);
  LayerId add(const std::string& name, LayerKind kind, std::int64_t units = 0);
  /// A layer that joins `input` with `skip`.
  LayerId join(const std::string& name, LayerKind kind, LayerId input, LayerId skip);

  /// Invalid: the network's input.
  [[nodiscard]] LayerId last() const { return graph_.layers.empty() ? LayerId() : graph_.layers.back().id; }
  /// Shape that a layer gives; of an invalid one the network's input.
  [[nodiscard]] const Shape& out(LayerId layer) const;

 private:
  LayerGraph& graph_;
  std::set<std::string> names_;
  std::int64_t parameters_ = 0;  // of the layers so far
};

}  // namespace orrery
