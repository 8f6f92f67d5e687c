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
  explicit GraphWriter(LayerGraph& graph) : graph_(graph) {}

  /// Sets id, input (the last layer when invalid), in and out of `layer` and appends it. `units` as in
  /// set_output_shape(). A tied layer uses the weights of the embedding. Throws Infeasible naming the layer and what
  /// does not fit, and on a name given twice.
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
};

}  // namespace orrery
