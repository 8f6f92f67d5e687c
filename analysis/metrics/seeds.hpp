// Mean and spread over repetitions with other seeds.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace orrery {

struct Spread {
  double mean = 0, sd = 0;  // sd: of a sample, n - 1
};

/// Nothing for fewer than two values, or when one is missing: a mean over those that reached a target alone would
/// flatter.
std::optional<Spread> spread(const std::vector<std::optional<double>>& values);

struct SeedFigures {
  std::size_t count = 1;
  std::optional<Spread> final_accuracy;
  std::optional<Spread> time_to_accuracy_s, rounds_to_accuracy, energy_to_accuracy_J;
  std::optional<Spread> time_to_train_s, energy_J;  // of the whole training
  std::optional<std::size_t> reached;               // seeds that reached the target; nothing: none is set or learned
};

}  // namespace orrery
