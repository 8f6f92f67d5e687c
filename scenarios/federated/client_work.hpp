// What training, averaging and their company cost clients and server in time on their devices, before any network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "scenarios/federated/fleet.hpp"
#include "scenarios/federated/job.hpp"

namespace orrery {

/// Batches of one local training: the last one of an epoch may be smaller.
struct LocalBatches {
  double batch = 0, rest = 0;    // samples of a whole batch, of the last of an epoch (0: none)
  double wholes = 0, rests = 0;  // how many of each
  [[nodiscard]] double steps() const { return wholes + rests; }
  [[nodiscard]] double samples() const { return batch * wholes + rest * rests; }
};
/// `epochs` passes over `samples` samples in batches of `batch` (0: all at once), or `steps` > 0 of these batches.
LocalBatches local_batches(std::int64_t samples, std::int64_t batch, int epochs, std::int64_t steps);

struct LocalTimes {
  Seconds forward, recompute, backward, optimizer;  // of the whole local training
  Flops flops;
  [[nodiscard]] Seconds total() const { return forward + recompute + backward + optimizer; }
};
/// On `device` as its catalogue row has it.
LocalTimes local_times(const Scenario& scenario, const StrategySpec& strategy, const CostModel& cost,
                       const LocalBatches& batches, const Device& device);

/// Weighted average of `models` models of so many numbers on a server: reads every model and writes one, at the
/// server's memory bandwidth. Throws Infeasible where that is unknown.
Seconds aggregation_time(std::int64_t numbers, const CostModel& cost, std::size_t models, const Device& server);

/// A model as it is: neither compressed nor masked.
Bytes model_bytes(const UpdateBytes& bytes, const FederatedTrainingOptions& options);

/// What trips and server steps of a job take. A figure of clients of one group with equally many samples is computed
/// once: a hundred thousand clients cost as much as their kinds.
class ClientWork {
 public:
  explicit ClientWork(const FederatedJob& job);

  /// Local training: the cost model's time x slowdown, or the samples trained on x per_sample where the client has a
  /// measured figure; what qfedavg's loss of the received weights takes (a forward pass over the local set); and the
  /// group's overhead of every local step.
  [[nodiscard]] Seconds training(std::size_t client, int epochs);
  /// The group's, where its clients do not differ, else the client's own: to the last bit.
  [[nodiscard]] double slowdown(std::size_t client) const;
  /// Of training on one sample, forward and backward through the whole network, slowdown included: what sample_ms or
  /// the capacity trace says; nothing: the cost model prices it.
  [[nodiscard]] std::optional<Seconds> measured_per_sample(std::size_t client) const;
  [[nodiscard]] LocalBatches batches_of(std::size_t client, int epochs) const;
  /// Samples that it trains on, each as often as it does.
  [[nodiscard]] double samples_trained(std::size_t client, int epochs) const;
  /// What comes after training: compressing one update and masking it. Compression is a kernel over the update:
  /// max(its operations / fp32 peak, update read and written / memory bandwidth), the second where the bandwidth is
  /// known; secure aggregation takes the seconds of its reference core. Both x slowdown.
  [[nodiscard]] Seconds packing(std::size_t client) const;

  /// A client's trip with a model down and an update up, in a round whose slowest client answers a message after
  /// `round_trip`: download, training and packing, the message rounds of secure aggregation, upload.
  [[nodiscard]] Itinerary trip(std::size_t client, int epochs, Seconds round_trip);
  [[nodiscard]] const UpdateBytes& bytes() const { return bytes_; }
  [[nodiscard]] Bytes model_bytes() const;

  /// The server's step: the average of the model and `reports` updates, what the algorithm keeps on the server and
  /// sends beside updates, decoding and unmasking. `dropped`: clients that were to take part and did not.
  [[nodiscard]] Seconds aggregation(std::size_t reports, std::size_t dropped, const Device& server) const;
  /// Forward pass of `samples` samples.
  [[nodiscard]] Seconds evaluation(std::int64_t samples, const Device& server) const;

  /// Of the first group's training of a mean client: how its time is spent.
  [[nodiscard]] const LocalTimes& typical() const { return typical_; }
  [[nodiscard]] Flops flops_per_sample() const { return flops_per_sample_; }

 private:
  [[nodiscard]] LocalBatches batches(std::int64_t samples, int epochs) const;
  /// Operations of a sample's forward pass / of training on it.
  [[nodiscard]] double forward_share() const;
  [[nodiscard]] Seconds over_updates(Flops flops, double updates, const Device& device) const;
  void describe_typical();

  const FederatedJob& job_;
  std::int64_t parameters_;
  UpdateBytes bytes_;
  UpdateFlops flops_;                                                         // of compression
  SecureAggregationCost secure_;                                              // of a round without drop-outs
  std::map<std::tuple<std::uint32_t, std::int64_t, int>, Seconds> training_;  // by group, samples, epochs; slowdown 1
  LocalTimes typical_;
  Flops flops_per_sample_;
};

}  // namespace orrery
