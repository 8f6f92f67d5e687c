// Whole batches: shards on threads, waiting for each other where a layer needs the whole batch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/training/shard_runner.hpp"

namespace orrery {

struct PassOptions {
  double divisor = 1;                 // gradients are those of the sum of the losses, divided by this
  std::uint64_t seed = 0;             // of this step, for dropout
  Update update = Update::overwrite;  // add: onto the gradients of the passes before (accumulation)
};

/// The gradients of a run of layers are complete, on every shard: [first, end). Called by one thread, last layers
/// first.
using GradientsReady = std::function<void(std::size_t first, std::size_t end)>;

/// Training passes over batches. The batch is cut in plan.shards(batch) shards of equal size (the last may be smaller);
/// `workers` threads compute them, each shard with its own activations and gradients; sums over shards are made in
/// shard order. So results depend on the batch alone. Nothing is allocated once the largest batch was seen.
class BatchRunner {
 public:
  BatchRunner(std::shared_ptr<const ExecutionPlan> plan, std::size_t workers);

  [[nodiscard]] const ExecutionPlan& plan() const { return *plan_; }
  [[nodiscard]] std::size_t workers() const { return workers_; }

  /// Forward and backward. weights: plan.weight_count() numbers; their state (running statistics) is brought up to
  /// date. The gradients stay in shards: see gradient().
  BatchResult run(std::span<float> weights, const Batch& batch, const PassOptions& options);
  /// The same for a batch of one shard, with each layer's gradient added to its weights at once (plain SGD: divisor =
  /// -batch / learning rate). Contract: plan().shards(batch.samples) == 1.
  BatchResult run_in_place(std::span<float> weights, const Batch& batch, const PassOptions& options);

  /// The gradient of parameters [first, first + count): the shards' gradients added in order, into the first one's
  /// memory; ask once per run for each number.
  std::span<float> gradient(std::size_t first, std::size_t count);

  /// From the next run on, `ready` is called as the backward pass completes the layers from each of `cuts` on (layer
  /// indices; the shards then wait for each other there). Empty: never.
  void set_gradients_ready(std::vector<std::size_t> cuts, GradientsReady ready);
  /// Called from any worker: (layer, pass, seconds, worker).
  void set_timer(WorkerTimer timer);

 private:
  struct Shard {
    ShardRunner runner;
    AlignedVector gradients;
    BatchSums sums;
    BatchResult result;
  };
  struct Run {  // what all phases of a run share
    std::span<float> weights, in_place;
    PassOptions options;
  };
  void start(std::span<float> weights, const Batch& batch, const PassOptions& options, std::size_t shards);
  BatchResult run_phases(const Run& run);
  void forward_phase(const Run& run, std::size_t phase);
  void backward_phases(const Run& run);
  void add_sums(std::size_t layer, Pass pass);
  void backward(Shard& shard, const Run& run, std::size_t first, std::size_t end);
  void on_each_shard(const std::function<void(Shard&)>& work);
  void update_state(std::span<float> weights);

  std::shared_ptr<const ExecutionPlan> plan_;
  std::size_t workers_;
  std::vector<Shard> shards_;
  std::size_t used_ = 0;  // shards of this batch
  std::size_t batch_samples_ = 0;
  BatchSums totals_;
  std::vector<std::size_t> cuts_;
  GradientsReady ready_;
  WorkerTimer timer_;
};

}  // namespace orrery
