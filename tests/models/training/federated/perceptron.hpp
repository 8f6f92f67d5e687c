// A small perceptron and images that it can learn.
#pragma once

#include "models/training/federated/federated_training.hpp"
#include "models/training/partition.hpp"
#include "models/training/synthetic.hpp"
#include "tests/models/kernels/small_layers.hpp"

namespace orrery {

inline const Samples& images() {
  static const Samples samples =
      synthetic_samples({.samples = 600, .shape = {8, 8, 1}, .spread = 0.2, .noise = 0.25}, 1, "train");
  return samples;
}

/// 64-24-10 in layers flatten1, dense2, relu3, dense4.
inline LayerGraph perceptron() {
  return chain_network({8, 8, 1}, {{LayerKind::flatten, {}},
                                   {LayerKind::dense, {.channels = 24}},
                                   {LayerKind::relu, {}},
                                   {LayerKind::dense, {.channels = 10}},
                                   {LayerKind::softmax_cross_entropy, {}}});
}

/// The images over so many clients of different sizes and label mixes.
inline FederatedTraining training_of(const LayerGraph& graph, const FederatedTrainingOptions& options, int clients) {
  Random random(3);
  return {graph, images(),
          partition(images(), clients, {.kind = PartitionKind::dirichlet_classes, .alpha = 1.0}, random), options};
}

}  // namespace orrery
