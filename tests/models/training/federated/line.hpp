// The smallest problem with two parameters: a straight line y = w x + b through points, by mean squared error. Its
// gradient on one point (x, y) is 2 e (x, 1) with e = w x + b - y: worked out by hand in the tests.
#pragma once

#include <memory>
#include <vector>

#include "models/training/federated/federated_training.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {

inline LayerGraph line() {
  return chain_network({1, 1, 1}, {{LayerKind::dense, {.channels = 1}}, {LayerKind::mean_squared_error, {}}});
}

struct Point {
  float x = 0, y = 0;
};

inline Samples points(const std::vector<Point>& all) {
  Samples samples;
  for (const Point& point : all) {
    samples.inputs.push_back(point.x);
    samples.targets.push_back(point.y);
    samples.labels.push_back(0);
  }
  return samples;
}

inline Weights shared(std::vector<float> weights) {
  return std::make_shared<const std::vector<float>>(std::move(weights));
}

/// Jobs of these clients in this round.
inline std::vector<LocalJob> jobs(const std::vector<std::size_t>& clients, std::int64_t round, const Weights& received,
                                  int epochs = 1) {
  std::vector<LocalJob> all;
  for (const std::size_t client : clients) {
    all.push_back({.client = client, .round = round, .received = received, .epochs = epochs});
  }
  return all;
}

}  // namespace orrery
