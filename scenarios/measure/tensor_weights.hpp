// The weights of one device of a tensor-parallel group: what of the whole it has, its gradients, and their update.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/training/optimizer.hpp"
#include "scenarios/measure/group_exchange.hpp"
#include "scenarios/measure/real_step.hpp"
#include "scenarios/measure/tensor_part.hpp"

namespace orrery {

class TensorWeights {
 public:
  /// Takes its part of the job's first weights. parts: by device, by layer. Both must outlive it.
  TensorWeights(const RealJob& job, const std::vector<std::vector<LayerPart>>& parts);

  /// Of this device's part of a layer.
  [[nodiscard]] std::span<const float> parameters(std::size_t layer) const {
    return parameters_[layer].of(std::span<const float>(weights_));
  }
  [[nodiscard]] std::span<float> gradient(std::size_t layer) {
    return parameters_[layer].of(std::span<float>(gradients_));
  }
  [[nodiscard]] std::span<float> state(std::size_t layer) { return state_[layer].of(std::span<float>(weights_)); }
  /// This device's rows of the embedding's table that a tied layer shares, without the row of zeros.
  [[nodiscard]] std::span<const float> tied_table(std::size_t tied) const {
    return table(tied).of(std::span<const float>(weights_));
  }
  [[nodiscard]] std::span<float> tied_gradient(std::size_t tied) {
    return table(tied).of(std::span<float>(gradients_));
  }

  void clear_gradients();
  /// A vocabulary's row for the tokens of other devices learns nothing.
  void clear_row_of_zeros(std::size_t layer);

  /// A step of the optimizer, recorded. LAMB's norms of whole layers are added up over the group: one exchange of two
  /// numbers per layer, which the simulation does not plan.
  void update(GroupExchange& exchange);

  /// The whole network's weights on rank 0, nothing elsewhere. Every rank must call it.
  [[nodiscard]] std::vector<float> collect() const;

 private:
  [[nodiscard]] const std::vector<LayerPart>& own_parts() const;
  [[nodiscard]] std::vector<std::size_t> places_of(std::size_t device) const;
  [[nodiscard]] NumberRange table(std::size_t tied) const;
  [[nodiscard]] bool trains(std::size_t layer) const;
  std::vector<SquaredNorms> norms_of_parts();
  void add_up(std::vector<SquaredNorms>& norms, GroupExchange& exchange) const;

  const RealJob& job_;
  const std::vector<std::vector<LayerPart>>& parts_;
  std::vector<NumberRange> parameters_, state_;  // by layer, in weights_
  Optimizer optimizer_;
  AlignedVector weights_, gradients_;
};

}  // namespace orrery
