// What a client does to its update before it is sent, and what the server decodes. Internal to this folder.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/training/federated/federated_training.hpp"
#include "models/training/federated/sent_numbers.hpp"

namespace orrery {

/// What central privacy clips an update to, so that rounding leaves it no longer than privacy.clip = C: with d
/// parameters of an update (C - d^(1/2) step / 2) / (1 + 2^-8), where step is the ring's (0 without a secure sum), each
/// number moving by half of it at most, and 2^-8 the largest relative error of bf16 (0 where nothing is rounded to it).
/// Not positive: the ring is too coarse for this clip.
double clip_before_rounding(const LayerGraph& graph, const FederatedTrainingOptions& options);

/// In this order, on the parameters that are sent:
///   local privacy: clipping, noise;
///   compression: what it left out of the client's last accepted update is added (error feedback), then compressed;
///   central privacy: clipping (by the server where the update was compressed: decoding may have made it longer), to
///   clip_before_rounding();
///   bf16 where that is how numbers are stored and nothing compresses them; the ring of secure aggregation.
/// Running statistics are only rounded. Immutable: serves all threads.
class Upload {
 public:
  Upload(const LayerGraph& graph, const SentNumbers& numbers, const FederatedTrainingOptions& options);

  struct Draws {
    Random noise, compression;
  };
  /// `residual`: of the client; empty: nothing yet. Changes update.delta and update.kept.residual.
  void send(ClientUpdate& update, std::span<const float> residual, Draws draws) const;

 private:
  void protect(std::span<float> sent, Random& noise) const;
  void compress(std::vector<float>& sent, std::span<const float> residual, ClientUpdate& update, Random& random) const;
  void round(std::span<float> sent) const;

  const SentNumbers& numbers_;
  const FederatedTrainingOptions& options_;
  std::unique_ptr<Compressor> compressor_;  // none: nothing compresses
  double clip_ = 0;                         // central privacy: clip_before_rounding()
};

}  // namespace orrery
