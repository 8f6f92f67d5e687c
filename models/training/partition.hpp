// How training samples are dealt to clients. One function per law, one line in the table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/training/dataset.hpp"

namespace orrery {

/// dirichlet_classes: per class, its samples are split over the clients by one draw (Li et al. 2022, NIID-Bench);
/// clients end up with unequal sizes. dirichlet_clients: per client, a mix of classes is drawn and an equal quota
/// filled from it (Hsu et al. 2019). The same alpha means different difficulty: two things with two names.
enum class PartitionKind : std::uint8_t { iid, shards, dirichlet_classes, dirichlet_clients, quantity, natural };

struct PartitionOptions {
  PartitionKind kind = PartitionKind::iid;
  double alpha = 0.5;         // dirichlet_*
  int shards_per_client = 2;  // shards: McMahan et al. 2017
  double sigma = 1.0;         // quantity: sizes are log-normal with this deviation of the logarithm, labels IID
};

struct PartitionEntry {
  PartitionKind kind;
  std::string name, summary, source;
  std::vector<std::string> options;
};
const std::vector<PartitionEntry>& partitions();

/// Indices of the training samples of each client; every sample belongs to at most one client, every client has at
/// least one (natural: groups of the data set, Samples::groups, are dealt whole). Throws InvalidInput when that cannot
/// be: more shards than samples, no groups in the data set, ...
std::vector<std::vector<std::size_t>> partition(const Samples& samples, int clients, const PartitionOptions& options,
                                                Random& random);

/// How many samples of each class every client holds: [client][class].
std::vector<std::vector<std::int32_t>> label_histograms(const Samples& samples,
                                                        const std::vector<std::vector<std::size_t>>& parts,
                                                        std::int64_t classes);

}  // namespace orrery
