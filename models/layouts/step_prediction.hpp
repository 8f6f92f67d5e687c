// One training step of a layout in closed form: where its time goes, what it needs, and how sure that is.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/cost/memory.hpp"
#include "models/layouts/block_price.hpp"
#include "models/layouts/layout.hpp"
#include "models/layouts/training_job.hpp"
#include "sim/base/ranged.hpp"

namespace orrery {

/// Parts that add up to the step (of the slowest device).
struct StepParts {
  Seconds compute, recompute, optimizer;
  Seconds exposed_dp, exposed_tp, exposed_pp, exposed_cp, exposed_ep;  // communication that computing does not hide
  Seconds bubble, straggler;
  [[nodiscard]] Seconds total() const;
};

/// Memory of the fullest device.
struct LayoutMemory {
  MemoryEstimate states;  // weights, gradients, optimizer, activations in flight
  Bytes working;          // of one layer being recomputed, gathered weights, logits
  Bytes reserve;          // the framework's own
  [[nodiscard]] Bytes peak() const { return states.peak() + working + reserve; }
};

struct StepPrediction {
  StepParts parts;
  LayoutMemory memory;
  Flops model_flops, hardware_flops;                    // of the step, all devices
  Seconds comm_dp, comm_tp, comm_pp, comm_cp, comm_ep;  // whole, hidden or not
  WireBytes exchanged_per_device;                       // mean over the devices, without messages between stages
  Bytes sent_per_device;                                // mean over the devices, with them
  int microbatches = 1;
  [[nodiscard]] Seconds time() const { return parts.total(); }
  [[nodiscard]] bool fits(const Device& device) const { return memory.peak() <= device.memory; }
};

/// An exchange that goes with every pass of one micro-batch.
struct PassExchange {
  Seconds exposed;
  WireBytes sent;  // by one rank, hidden or not
};

/// Times of one micro-batch on one chunk of layers of one stage, and what it sends: what the closed forms and the
/// program of the flow engine are both made of.
struct ChunkPrice {
  Seconds forward, backward_input, backward_weights, recompute;  // computing alone
  Seconds tensor_forward, tensor_backward, tensor_recompute;     // exposed tensor-parallel communication
  Seconds context_forward, context_backward;                     // exposed context-parallel communication
  Seconds expert_forward, expert_backward;                       // exposed all-to-all
  Bytes boundary;                                                // activations that leave it, per tensor-parallel rank
  double parameters = 0;                                         // held by one rank, experts left out
  double expert_parameters = 0;                                  // held by one rank
  PassBytes tensor_sent, context_sent, expert_sent;              // by one rank, hidden or not
};

struct StagePrice {
  std::vector<ChunkPrice> chunks;  // interleave of them
  LibraryCost gradient_exchange;   // ZeRO-3: of one block
  Seconds optimizer;
  std::string layers;  // "embedding, 12 x block"
};

struct LayoutPrices {
  std::vector<StagePrice> stages;
  Seconds transfer;               // of one micro-batch between neighbouring stages
  LibraryCost gradient_exchange;  // of the stage that takes longest; ZeRO-3: of one block
  Seconds gradient_exposed;  // of exchanging gradients and parameters (ZeRO 1 to 3), what is not hidden; of any stage
  Seconds tied_exchange;     // tied embedding, first and last stage
  /// ZeRO-3 without a pipeline: parameters gathered, gradients summed with each micro-batch, contained in
  /// gradient_exposed; else nothing.
  PassExchange states_forward, states_backward;
};

/// Judges layouts of one job. Prices of equal blocks are computed once and kept, so that a search over thousands of
/// layouts costs microseconds each. Not thread-safe: one per thread.
class LayoutJudge {
 public:
  explicit LayoutJudge(TrainingJob job);
  ~LayoutJudge();
  LayoutJudge(const LayoutJudge&) = delete;
  LayoutJudge& operator=(const LayoutJudge&) = delete;

  [[nodiscard]] const TrainingJob& job() const;
  /// Every constraint that the layout breaks but memory, each with the nearest feasible values; empty when it can run.
  [[nodiscard]] std::vector<std::string> obstacles(const Layout& layout) const;
  /// Contract: no obstacles. Memory is reported, not enforced.
  [[nodiscard]] StepPrediction predict(const Layout& layout);
  [[nodiscard]] LayoutMemory memory(const Layout& layout);
  [[nodiscard]] LayoutPrices prices(const Layout& layout);
  /// "does not fit: activations 61 of 40 GiB"; empty when it fits.
  [[nodiscard]] std::string memory_obstacle(const LayoutMemory& memory) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One figure of a prediction with the range that the ranges of all constants give it: each constant is moved to its
/// low and to its high end, the deviations of either sign are added in squares, and FrameworkProfile::model_error is
/// added in square too.
Ranged predicted_range(const TrainingJob& job, const Layout& layout,
                       const std::function<double(const StepPrediction&)>& figure);

}  // namespace orrery
