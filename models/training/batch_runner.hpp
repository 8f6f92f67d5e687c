// Whole batches: shards on threads, waiting for each other where a layer needs the whole batch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/training/shard_runner.hpp"

namespace orrery {

struct PassOptions {
  double divisor = 1;                 // gradients are those of the sum of the losses, divided by this
  std::uint64_t seed = 0;             // of this step, for dropout
  Update update = Update::overwrite;  // add: onto the gradients of the passes before (accumulation)
  Storage storage = Storage::fp32;    // see ShardRunner::set_storage()
};

/// The gradients of a run of layers are complete, on every shard: [first, end). Called by one thread, last layers
/// first.
using GradientsReady = std::function<void(std::size_t first, std::size_t end)>;

/// Training passes over batches. The batch is cut in plan.shards(batch) shards that differ by at most one sample;
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
  /// The same with the gradients added to the weights (plain SGD: divisor = -batch / learning rate): each layer's as
  /// soon as it is known when there is one shard, else when all shards have used the weights.
  BatchResult run_in_place(std::span<float> weights, const Batch& batch, const PassOptions& options);

  /// The gradient of parameters [first, first + count): the shards' gradients added in order, into the first one's
  /// memory; ask once per run for each number.
  std::span<float> gradient(std::size_t first, std::size_t count);

  /// After a run: the name of the first layer whose output holds an infinity or no number; the loss if all are finite.
  [[nodiscard]] std::string first_not_finite();

  /// From the next run on, `ready` is called as the backward pass completes the layers from each of `cuts` on (layer
  /// indices; the shards then wait for each other there). Empty: never.
  void set_gradients_ready(std::vector<std::size_t> cuts, GradientsReady ready);
  /// Called from every worker at once.
  void set_timer(WorkerTimer timer);

 private:
  struct Shard {
    ShardRunner runner;
    AlignedVector gradients;
    BatchSums sums;
    BatchResult result;
    Update update = Update::overwrite;
  };
  struct Run {  // what all phases of a run share
    std::span<float> weights;
    std::span<float> in_place;  // the only shard's gradients go here; empty: into each shard's own
    std::span<float> blocks;    // where the gradients that are computed in blocks go
    Update block_update = Update::overwrite;
    PassOptions options;
  };
  /// Where the shards wait for each other on the way back: until all have made their sums for a layer, or have done it.
  struct Stop {
    std::size_t layer = 0;
    enum Wait : std::uint8_t { for_sums, when_done } wait = when_done;
    [[nodiscard]] std::size_t first() const { return wait == for_sums ? layer + 1 : layer; }  // lowest layer done
  };
  void reserve(std::size_t shards);
  BatchResult run_phases(const Run& run, const Batch& batch);
  void forward_phase(const Run& run, const Batch& batch, std::size_t phase);
  void backward_phases(const Run& run);
  void prepare_gradients(Shard& shard, const Run& run) const;
  void backward(Shard& shard, const Run& run, std::size_t end, const Stop& stop);
  void run_blocks(const Run& run, std::size_t first, std::size_t end);
  void add_gradients_to(std::span<float> weights);
  void add_shards(const NumberRange& range);
  [[nodiscard]] Blocks blocks() const;
  void add_sums(std::size_t layer, Pass pass);
  [[nodiscard]] std::vector<Stop> backward_stops() const;
  template <class Work>
  void on_each_shard(Work work);

  std::shared_ptr<const ExecutionPlan> plan_;
  std::size_t workers_;
  std::vector<Shard> shards_;
  std::size_t used_ = 0;    // shards of this batch
  std::size_t summed_ = 0;  // shards that hold a part of the gradient; more than used_ after a smaller batch was added
  BatchSums totals_;
  std::vector<NumberRange> summed_ranges_;
  std::vector<std::size_t> ready_cuts_;
  std::vector<Stop> stops_;  // last layers first
  GradientsReady ready_;
  WorkerTimer timer_;
};

}  // namespace orrery
