// FLOPs, numbers moved, parameters and activations of a layer, from its shapes. Per sample unless said otherwise; 1
// multiply-add = 2 FLOPs.
#pragma once

#include <string_view>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "sim/base/units.hpp"

namespace orrery {

enum class Pass : std::uint8_t { forward, backward, optimizer };
std::string_view name_of(Pass pass);

/// FLOPs count matrix products only (dense, convolutions, attention, the gates of recurrent layers), as the published
/// figures and the MFU convention do: everything else is paid for by the numbers it moves. Causal attention is counted
/// in full, not halved. Backward is twice forward, the textbook rule: one product for the gradient of the input and one
/// for that of the weights; a frozen layer has the first alone. It is kept for a network's first layer too, although
/// the gradient of the network's input is not needed; replay has the measured time instead. What lies below the lowest
/// layer that trains has no backward pass at all: needs_gradient() says which layers do, these are costs of those that
/// have one.
struct LayerCost {
  Flops forward, backward;    // per sample
  double parameters = 0;      // numbers held, trained or frozen
  double weights = 0;         // numbers read whole in every pass, whoever owns them (an embedding reads rows: 0)
  double input_numbers = 0;   // numbers read per sample (activations in; both operands where there are two)
  double output_numbers = 0;  // numbers written per sample (activations out)
  double stored_numbers = 0;  // activations that backward needs from forward, per sample, of this layer seen alone;
                              // without masks
  double inner_forward = 0;   // further numbers moved per sample by layers of several kernels
  double inner_backward = 0;  // see layer_cost.cpp, with the reason per kind
};
LayerCost layer_cost(const Layer& layer);

/// Which tensors a layer's backward pass needs from its forward pass. What only the gradient of the weights needs is
/// not kept by a frozen layer.
struct KeptForBackward {
  bool input = false, output = false;
  double own = 0;       // numbers per sample that only this layer knows (attention scores, gates, class probabilities)
  double masks = 0;     // of these one byte each in every precision: which numbers a dropout let pass
  bool second = false;  // the second operand
  double operands = 0;  // of `own`, what products read as they compute the gradients of their weights
};
KeptForBackward kept_for_backward(const Layer& layer);

/// Sum over the layers of forward + backward (where there is a backward pass), per sample: the model FLOPs that MFU
/// counts.
Flops training_flops(const LayerGraph& graph);

}  // namespace orrery
