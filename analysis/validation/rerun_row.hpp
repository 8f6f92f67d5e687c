// One published cell of federated averaging, learned anew.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/validation/published_rows.hpp"
#include "models/training/dataset.hpp"

namespace orrery {

struct RoundAccuracy {
  double round = 0, accuracy = 0;
};
/// Where the curve, made monotone (the best accuracy so far), crosses the target, between two evaluations by a straight
/// line: how the paper counts. Nothing when it does not.
std::optional<double> rounds_to_target(const std::vector<RoundAccuracy>& curve, double target);

struct RerunRow {
  std::string name;
  std::uint64_t seed = 1;
  std::optional<double> rounds;  // of the best learning rate; nothing: no rate reaches the target within the band
  double learning_rate = 0;      // the best; of none reached the target: the one that came nearest
  double accuracy = 0;           // highest at that rate
};

/// share of the row done; rate and round that is run.
using RerunProgress = std::function<void(double share, const std::string& detail)>;

/// Every learning rate of the row, each up to the upper end of the band or the rounds of the best rate so far. Test
/// accuracy is looked at every 1/100 of the published rounds, at least every round.
RerunRow rerun_row(const PublishedRow& row, const DataSet& data, std::uint64_t seed, const RerunProgress& progress);

}  // namespace orrery
