// Published cells of federated averaging, as data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/errors.hpp"

namespace orrery {

/// One cell of a table of McMahan et al. 2017.
struct PublishedRow {
  std::string name, network, partition;  // partition: a name of partitions()
  std::size_t clients_per_round = 1;     // of 100
  int local_epochs = 1;
  std::int64_t local_batch = 10;  // 0: the whole local set
  double target_accuracy = 0, published_rounds = 0;
  double band_low = 0, band_high = 0;  // ours / published
  std::vector<double> learning_rates;  // to try, the likeliest first
  bool fast = false;                   // of the subset that runs by default
  std::string certainty, source;
};

struct PublishedRatio {
  std::string name, above, below;  // rows
  double published = 0, low = 0, high = 0;
};

/// The files that ship with Orrery; throw InvalidInput naming every defect.
std::vector<PublishedRow> published_rows();
/// Every row they name is one of `rows`.
std::vector<PublishedRatio> published_ratios(const std::vector<PublishedRow>& rows);

}  // namespace orrery
