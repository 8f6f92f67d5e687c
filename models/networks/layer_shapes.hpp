// Which shapes a layer takes, and which it gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Why a layer does not fit what comes before it, in words for the author of a network file.
struct Misfit {
  std::string key;   // the key of the layer's table that is wrong; empty: the layer as a whole
  std::string what;  // names both shapes
  std::string suggestion;
};

/// Output shape of `layer` (whose `in` and keys are set) into `layer.out`. `units` is what its units or filters key
/// says (0 for kinds without). Nothing is changed and a Misfit is returned when the input does not fit.
/// Windows (convolution, pooling): out = (in + 2 padding - kernel) / stride + 1, rounded down. Transposed convolution:
/// out = (in - 1) stride - 2 padding + kernel. What a second operand adds is join_second_operand()'s.
std::optional<Misfit> set_output_shape(Layer& layer, std::int64_t units);

/// Whether the second operand fits; the output of a concatenation and of a dot_interaction takes its shape from both.
std::optional<Misfit> join_second_operand(Layer& layer, const Layer& second);

/// Whether what a loss reads fits the number of classes: one vector of scores per prediction, or, for detection_loss, a
/// grid of boxes (objectness, x, y, width, height, then the classes). Nothing for layers that are no losses.
std::optional<Misfit> check_classes(const Layer& layer, std::int64_t classes);

}  // namespace orrery
