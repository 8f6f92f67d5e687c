// A layer that really computes. One sample is one column: its numbers lie together (images: channels last; sequences:
// token after token), sample after sample.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "models/kernels/gemm.hpp"
#include "models/networks/layer_graph.hpp"
#include "sim/base/random.hpp"

namespace orrery {

enum class Mode : std::uint8_t { training, evaluation };

/// Where a shard of samples stands in its batch: what makes the draws of a layer (dropout) depend on the step and the
/// sample alone, and what lets a layer speak of the whole batch (batch normalisation).
struct BatchContext {
  Mode mode = Mode::training;
  std::uint64_t seed = 0;                // of this step
  std::int64_t first_sample = 0;         // place of the shard's first sample in the batch
  std::int64_t batch_samples = 0;        // of the whole batch
  std::span<const double> batch_sums{};  // the layer's batch_sum_count() sums, added up over the whole batch
};

struct ForwardData {
  std::int64_t samples = 0;
  std::span<const float> parameters{};  // weights, then biases
  std::span<const float>
      tied_table{};                 // a tied layer: hidden x vocabulary of its embedding (it has only biases itself)
  std::span<const float> input{};   // samples x in.count()
  std::span<float> output{};        // samples x out.count(); overwritten
  std::span<const float> second{};  // of kinds that have one: the second operand, samples x its count
  std::span<float> kept{};          // samples x kept_count(): stays until the backward pass
  std::span<float> scratch{};       // at least scratch_count(samples): anybody's between two calls
  std::span<const float> state{};   // state_count(): running statistics
  BatchContext context{};
};

struct BackwardData {
  std::int64_t samples = 0;
  std::span<const float> parameters{}, tied_table{}, input{}, output{};  // as in the forward pass just made
  std::span<const float> second{};
  std::span<const float> kept{};
  std::span<float> scratch{};
  std::span<const float> output_gradient{};
  /// Sum over the samples; overwritten or added to, as parameter_update says. Empty when nobody needs it (frozen).
  std::span<float> parameter_gradient{};
  std::span<float> tied_gradient{};  // of tied_table; always added to; empty when frozen
  /// Overwritten or added to, as input_update says; empty when nobody needs it.
  std::span<float> input_gradient{};
  std::span<float> second_gradient{};  // likewise, of the second operand
  Update parameter_update = Update::overwrite, input_update = Update::overwrite, second_update = Update::overwrite;
  BatchContext context{};
};

/// Trainable numbers of a layer, and how many inputs reach one output (for the spread of the first weights).
struct ParameterCount {
  std::int64_t weights = 0, biases = 0, fan_in = 1;
};

enum class OutputStorage : std::uint8_t {
  own,           // forward() writes it
  same_as_input  // the same numbers under another shape: neither pass is called
};

/// Whether the output may take the place of the (first) input, and the input's gradient that of the output's: the
/// passes are then called with the same memory for both, and backward() does not read `input`.
enum class InPlace : std::uint8_t { never, possible };

/// Immutable: one object serves all threads. What a pass must remember goes into `kept`, what it needs for a moment
/// into `scratch`; no pass allocates memory.
class LayerKernel {
 public:
  virtual ~LayerKernel() = default;
  [[nodiscard]] virtual ParameterCount parameter_count() const { return {}; }
  /// First values of weights and biases. Default: He et al. 2015, weights normal with variance 2 / fan-in, biases 0.
  virtual void initialise(std::span<float> parameters, Random& random) const;
  [[nodiscard]] virtual OutputStorage output_storage() const { return OutputStorage::own; }
  [[nodiscard]] virtual InPlace in_place() const { return InPlace::never; }
  /// Whether backward() reads `output` (then the next layer must not overwrite it).
  [[nodiscard]] virtual bool backward_reads_output() const { return false; }
  [[nodiscard]] virtual std::int64_t kept_count() const { return 0; }  // numbers per sample
  [[nodiscard]] virtual std::int64_t scratch_count(std::int64_t /*samples*/) const { return 0; }

  virtual void forward(const ForwardData& data) const = 0;
  /// Follows a forward() on the same data. When the parameters are updated in place (parameter_gradient is the memory
  /// of parameters, parameter_update is add), they change only after their last use: every layer computes the gradient
  /// of its input first.
  virtual void backward(const BackwardData& data) const = 0;

  /// The gradient of block `block` of parameter_blocks() (shards.hpp) of the parameters alone, from one shard; biases
  /// belong to block 0. Only for layers that have such blocks.
  virtual void backward_block(const BackwardData& /*data*/, std::int64_t /*block*/) const {}

  /// Sums that this layer needs over the whole batch before either pass; 0: none. The shards of a batch wait for each
  /// other there.
  [[nodiscard]] virtual std::int64_t batch_sum_count() const { return 0; }
  /// This shard's part, overwritten. `output` and context.batch_sums are not there yet. Not called on evaluation.
  virtual void forward_sums(const ForwardData& /*data*/, std::span<double> /*sums*/) const {}
  /// This shard's part, overwritten. context.batch_sums are those of the forward pass; nothing is written to gradients.
  virtual void backward_sums(const BackwardData& /*data*/, std::span<double> /*sums*/) const {}
  /// Numbers that training changes but the optimizer does not (running statistics), and how a step changes them.
  /// For backward(), context.batch_sums holds the forward sums followed by the backward sums.
  [[nodiscard]] virtual std::int64_t state_count() const { return 0; }
  virtual void initialise_state(std::span<float> /*state*/) const {}
  virtual void update_state(const BatchContext& /*context*/, std::span<float> /*state*/) const {}
};

/// Why a layer cannot be executed, in words; empty when it can. Kinds that are only priced have no kernel; attention
/// has one without dropped scores, relative positions and keys that heads share in part, embedding tables have one up
/// to 2^24 rows.
std::string why_not_executed(const Layer& layer);

/// The implementation of a layer that can be executed. The losses are not LayerKernels: see loss.hpp.
std::unique_ptr<LayerKernel> make_layer_kernel(const Layer& layer);

}  // namespace orrery
