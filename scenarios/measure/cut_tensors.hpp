// What crosses the cut between two stages, as real numbers of a shard: the same tensors that the plan counts.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "models/training/shard_runner.hpp"

namespace orrery {

/// The outputs of layers before the cut that `cut` or a later layer reads; backward, the gradients of those that
/// training needs. Both in the order of the layers, one after the other in one message.
class CutTensors {
 public:
  CutTensors(const ExecutionPlan& plan, std::size_t cut);

  /// Numbers of a message about `samples` samples.
  [[nodiscard]] std::size_t forward_numbers(std::size_t samples) const;
  [[nodiscard]] std::size_t backward_numbers(std::size_t samples) const;

  void pack_outputs(ShardRunner& runner, std::span<float> message) const;
  void unpack_outputs(std::span<const float> message, ShardRunner& runner) const;
  void pack_gradients(ShardRunner& runner, std::span<float> message) const;
  void unpack_gradients(std::span<const float> message, ShardRunner& runner) const;

 private:
  struct Tensor {
    std::size_t layer = 0, numbers = 0;  // per sample
  };
  std::vector<Tensor> outputs_, gradients_;
};

}  // namespace orrery
