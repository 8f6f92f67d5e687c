// The layers of a network, run forward and backward over one shard of a batch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/kernels/bfloat16.hpp"
#include "models/training/execution_plan.hpp"
#include "models/training/layer_timer.hpp"

namespace orrery {

/// Some samples, one after the other, and what the network should say of them.
struct Batch {
  std::size_t samples = 0;
  std::span<const float> inputs{};  // samples x input shape
  Targets targets{};

  /// `count` samples from the first-th on. per_sample: labels per sample.
  [[nodiscard]] Batch part(std::size_t first, std::size_t count) const;
};

/// The sums that batch-wide layers need, by layer: forward sums, then backward sums. Empty for all other layers.
using BatchSums = std::vector<std::vector<double>>;

/// What backward() does for the layers of plan.blocks().
enum class Blocks : std::uint8_t { at_once, put_off };

/// One object serves one thread at a time. Memory for activations grows to the largest shard seen and is then kept.
/// Passes run over layers [first, end), so that shards can wait for each other between two runs and a pipeline stage
/// can hold a part of the network.
class ShardRunner {
 public:
  explicit ShardRunner(std::shared_ptr<const ExecutionPlan> plan);

  /// Begins a shard. `weights` must stay until it is done.
  void start(std::span<const float> weights, const Batch& shard, const BatchContext& context);

  /// totals: sums over the whole batch of the batch-wide layers in the range (training mode only).
  void forward(std::size_t first, std::size_t end, const BatchSums& totals);
  void forward_sums(std::size_t layer, std::span<double> sums);
  BatchResult loss();
  /// Gradient of the loss's input, divided by `divisor`: what backward() starts from.
  void loss_gradient(double divisor);
  /// From layer end - 1 down to first; a segment that is no longer held is run forward once more, in the time of its
  /// last layer. gradients: parameter_count() numbers, `update`d.
  void backward(std::size_t first, std::size_t end, std::span<float> gradients, Update update, const BatchSums& totals,
                Blocks blocks = Blocks::at_once);
  /// The part of this shard in a block that backward() has put off. Threads may do different blocks at once; `worker`
  /// is the one that does this.
  void backward_block(const ParameterBlock& at, std::span<float> gradients, Update update, std::size_t worker);
  void backward_sums(std::size_t layer, std::span<double> sums, const BatchSums& totals);

  /// The output of a layer and its gradient, for pipeline stages: written by the neighbour, or sent to it.
  [[nodiscard]] std::span<float> output(std::size_t layer);
  [[nodiscard]] std::span<float> output_gradient(std::size_t layer);
  /// Neither infinities nor what is no number in what the forward pass has written last.
  [[nodiscard]] bool has_finite_output(std::size_t layer);

  /// Empty: none. `worker` is the thread that runs this shard now.
  void set_timer(WorkerTimer timer) { timer_ = std::move(timer); }
  void set_worker(std::size_t worker) { worker_ = worker; }
  /// bf16: outputs of layers and their gradients are rounded as they are written; the weights come rounded. The samples
  /// themselves, what a layer keeps for itself and the gradients of its parameters stay float32.
  void set_storage(Storage storage) { storage_ = storage; }

 private:
  [[nodiscard]] std::span<const float> operand(std::optional<std::size_t> index);
  [[nodiscard]] std::span<float> buffer(std::size_t index);
  [[nodiscard]] std::span<float> at(const MemoryPlace& place, AlignedVector& own);
  void recompute(std::size_t layer, const BatchSums& totals);
  [[nodiscard]] std::span<float> slot(std::optional<std::size_t> index, std::int64_t numbers);
  [[nodiscard]] ForwardData forward_data(std::size_t layer, const BatchSums& totals);
  [[nodiscard]] BackwardData backward_data(std::size_t layer, std::span<float> gradients, Update update,
                                           const BatchSums& totals);
  void reserve(std::size_t samples);
  void run_forward(std::size_t layer, const BatchSums& totals);
  template <class Work>
  void timed(std::size_t layer, Pass pass, Work work) const;
  template <class Work>
  void timed_by(std::size_t worker, std::size_t layer, Pass pass, Work work) const;

  std::shared_ptr<const ExecutionPlan> plan_;
  std::span<const float> weights_;
  Batch shard_;
  BatchContext context_;
  std::vector<AlignedVector> buffers_, slots_, kept_;
  AlignedVector shared_, scratch_;
  std::size_t segment_ = 0;  // whose numbers the shared memory holds
  std::size_t reserved_ = 0;
  WorkerTimer timer_;
  std::size_t worker_ = 0;
  Storage storage_ = Storage::fp32;
};

}  // namespace orrery
