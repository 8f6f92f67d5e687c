// FLOPs, bytes, parameters and activations of a layer, from its shapes. Per sample unless said otherwise; 1
// multiply-add = 2 FLOPs.
#pragma once

#include "models/networks/layer_graph.hpp"
#include "sim/base/units.hpp"

namespace orrery {

enum class Pass : std::uint8_t { forward, backward, optimizer };
std::string_view name_of(Pass pass);

struct LayerCost {
  Flops forward, backward;    // per sample
  double parameters = 0;      // trainable numbers
  double input_numbers = 0;   // numbers read per sample (activations in)
  double output_numbers = 0;  // numbers written per sample (activations out)
  double stored_numbers = 0;  // activations kept from forward for backward, per sample
};
LayerCost layer_cost(const Layer& layer);

/// Sum over the layers of forward + backward, per sample: the model FLOPs that MFU counts.
Flops training_flops(const LayerGraph& graph);

}  // namespace orrery
