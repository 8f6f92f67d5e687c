// Real learning of the centralised ways. How a synchronous step is split over devices changes its time, not its
// mathematics: one run serves them all.
#pragma once

#include "models/kernels/bfloat16.hpp"
#include "models/training/training.hpp"
#include "scenarios/way.hpp"

namespace orrery {

/// Trains once per seed with the workload's batch and optimizer, if the scenario learns and a synchronous way is ok
/// (once in fp32 and once in bf16 if there are ways of both), and puts the curve on each such way's own clock: time =
/// data transfer + step x step time, bytes likewise. Ways of local SGD train by themselves. Ways that train to a target
/// get their number of steps from it. A run that diverges makes those ways failed.
void learn_centrally(const Scenario& scenario, std::vector<Way>& ways, const Progress& progress);

/// One way of local SGD: its devices hold equal parts of the data, IID; every step of the result is an outer one, of H
/// local steps and an average. The workload's schedule of steps is followed from average to average. Writes
/// strategy.save_weights. Throws as training does.
std::vector<CentralPoint> learn_local_sgd(const Scenario& scenario, const StrategySpec& strategy, std::uint64_t seed,
                                          const Progress& progress);

/// How a precision that can be learned in (fp32, bf16) keeps weights and activations.
Storage storage_of(Precision precision);

/// Weights and running statistics that learning starts from: drawn from the seed, or from the workload's weights file.
/// Throws InvalidInput.
std::vector<float> first_weights(const WorkloadSpec& workload, std::uint64_t seed);

/// Bytes that all ranks send in one step (federated: in the whole run).
Bytes bytes_sent(const Records& records);

}  // namespace orrery
