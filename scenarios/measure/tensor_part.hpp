// What one device of a tensor-parallel group has of every layer: a smaller layer of the same kind, and where its
// numbers lie in the whole one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "models/layouts/tensor_split.hpp"
#include "models/training/execution_plan.hpp"

namespace orrery {

/// A number of a part that the whole does not have (see LayerPart).
inline constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

/// Numbers that every part adds to a sum once only (biases of row layers, position and segment tables of a split
/// vocabulary) belong to the first part. A split vocabulary has one row of zeros more, for the tokens of other devices.
struct LayerPart {
  Layer layer;  // with this device's shapes
  SplitMode mode = SplitMode::replicated;
  bool split_input = false;            // reads its own part of the input (row, channelwise); else the whole
  bool split_output = false;           // makes a part of the channels
  std::vector<std::int64_t> channels;  // of the output: the whole one's channels that this device makes, in its order
  std::vector<std::size_t> parameters, state;  // places in the whole network's weights
  std::int64_t first_token = 0;                // vocabulary: the first one of this device
};

/// One part per layer, the loss included. Throws Infeasible naming the layer when a part cannot be executed.
std::vector<LayerPart> parts_of(const ExecutionPlan& plan, const TensorSplit& split, int devices, int device);

}  // namespace orrery
