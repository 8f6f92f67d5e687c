// What the algorithms' server steps share, and their makers. Internal to this folder.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/training/federated/algorithm.hpp"

namespace orrery {

/// weights += rate x step.
void add_step(std::span<float> weights, std::span<const double> step, double rate);

/// n_k / n of each update.
std::vector<double> sample_shares(std::span<const ClientUpdate> updates);

/// Running statistics (the numbers behind the parameters) move by the mean delta, whatever the algorithm does with the
/// parameters.
void average_statistics(std::span<float> weights, std::span<const ClientUpdate> updates, std::size_t parameters);

using AlgorithmMaker = std::unique_ptr<FederatedAlgorithm>(const AlgorithmSetup& setup);
AlgorithmMaker make_fedsgd, make_fedavg, make_fedprox, make_fedavgm, make_adaptive, make_scaffold, make_fednova,
    make_qfedavg, make_fedasync, make_fedbuff, make_async_sgd;

}  // namespace orrery
