// The outputs of the layers on one device of a tensor-parallel group and their gradients: gathered where a reader needs
// them whole, added up where several devices made parts of a sum. Exchanges and the computing between them are
// recorded.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "models/training/shard_runner.hpp"
#include "scenarios/measure/group_exchange.hpp"
#include "scenarios/measure/real_step.hpp"
#include "scenarios/measure/tensor_part.hpp"
#include "scenarios/measure/tensor_values.hpp"

namespace orrery {

/// Where a reader's gradient of its operand goes; empty: nobody needs it.
struct GradientPlace {
  std::span<float> numbers;
  Update update = Update::overwrite;
};

class TensorActivations {
 public:
  /// parts: by device, by layer. All three must outlive it.
  TensorActivations(const RealJob& job, const std::vector<std::vector<LayerPart>>& parts, GroupExchange& exchange);

  /// A micro-step begins, and with it a stretch of computing.
  void start(const Batch& batch, int microbatch);
  /// A stretch of computing ends and the next one begins.
  void computed(Phase phase);

  /// A layer's forward pass begins: nobody has read its output yet.
  void restart(std::size_t layer) { values_[layer].restart(); }
  /// As this device computes it.
  std::span<float> output(std::size_t layer) { return own(values_[layer].own, layer); }
  /// Every device has a part of each sum.
  void add_up_output(std::size_t layer);
  /// An operand as a layer reads it. Gathers what it must have whole.
  std::span<const float> operand(const LayerPart& reader, LayerId producer);

  GradientPlace gradient_place(const LayerPart& reader, LayerId producer);
  /// Adds up what the readers of a layer's output left behind: then gradient() is complete.
  void complete_gradient(std::size_t layer);
  std::span<float> gradient(std::size_t layer) { return own(values_[layer].gradient.numbers, layer); }

 private:
  [[nodiscard]] const LayerPart& part(std::size_t layer) const;
  [[nodiscard]] std::optional<std::size_t> source(LayerId layer) const;
  [[nodiscard]] std::span<float> own(AlignedVector& all, std::size_t layer) const;
  [[nodiscard]] std::span<float> whole(AlignedVector& all, std::size_t layer) const;
  void reserve();
  void begin_exchange(Phase phase, LayerId layer);
  void end_exchange() { mark_ = job_.recorder.now(); }

  const RealJob& job_;
  const LayerGraph& graph_;
  const std::vector<std::vector<LayerPart>>& parts_;
  GroupExchange& exchange_;
  std::vector<TensorValues> values_;                 // by layer
  std::vector<std::optional<SplitLayout>> layouts_;  // of the split outputs
  std::size_t reserved_ = 0;
  Batch batch_;
  int microbatch_ = 0;
  Seconds mark_;
};

}  // namespace orrery
