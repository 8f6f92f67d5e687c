// What kinds of layers an operator of PyTorch can belong to.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/networks/layer_graph.hpp"

namespace orrery {

struct OpRole {
  enum class Weight : std::uint8_t {
    strong,     // is a layer's own: where it fits no layer, the trace is of another network
    weak,       // may be a layer's own, or one of many small operators between layers
    glue,       // between layers: counts to the one that follows
    follows_up  // counts to the layer that came before
  } weight = Weight::glue;
  std::vector<LayerKind> kinds{};  // none for glue and follows_up
  [[nodiscard]] bool can_be(LayerKind kind) const;
};

/// Of an outermost operator of the forward pass: "aten::conv2d".
OpRole forward_role(std::string_view op);
/// Of a node of the backward pass: "autograd::engine::evaluate_function: ConvolutionBackward0".
OpRole backward_role(std::string_view op);

/// Kinds that PyTorch may write as many operators: what follows counts to them until a layer further on is recognised.
bool is_composite(LayerKind kind);
/// Layers that a trace may show nothing of: views, the choice of the last token, and dropout (its mask alone).
bool may_be_silent(LayerKind kind);

}  // namespace orrery
