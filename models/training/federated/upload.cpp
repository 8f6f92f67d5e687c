#include "models/training/federated/upload.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/kernels/bfloat16.hpp"
#include "models/training/gradient_sum.hpp"

namespace orrery {
namespace {

bool leaves_a_residual(const CompressionOptions& options) {
  using enum CompressionKind;
  const bool biased = options.kind == top_k || options.kind == sign || options.kind == low_rank;
  return biased && options.error_feedback == ErrorFeedback::on;
}

}  // namespace

double clip_before_rounding(const LayerGraph& graph, const FederatedTrainingOptions& options) {
  double clip = options.privacy.clip;
  if (options.secure) {
    const double step = options.secure->range / ring_intervals(*options.secure, options.expected_clients);
    const auto numbers = static_cast<double>(count_of(sent_numbers(graph, options.personal_layers).parameters));
    clip -= step * std::sqrt(numbers) / 2;
  }
  const bool rounded = options.local.storage == Storage::bf16 && options.compression.kind == CompressionKind::none;
  constexpr double bf16_error = 1.0 / 256;
  return rounded ? clip / (1 + bf16_error) : clip;
}

Upload::Upload(const LayerGraph& graph, const SentNumbers& numbers, const FederatedTrainingOptions& options)
    : numbers_(numbers), options_(options) {
  if (options.privacy.kind == PrivacyKind::central) clip_ = clip_before_rounding(graph, options);
  if (options.compression.kind != CompressionKind::none) {
    compressor_ = make_compressor(options.compression, graph, numbers.parameters);
  }
}

void Upload::send(ClientUpdate& update, std::span<const float> residual, Draws draws) const {
  const bool as_it_is = !compressor_ && options_.privacy.kind == PrivacyKind::none && !options_.secure &&
                        options_.local.storage == Storage::fp32;
  if (as_it_is) return;
  std::vector<float> sent = gathered(update.delta, numbers_.parameters);
  if (options_.privacy.kind == PrivacyKind::local) protect(sent, draws.noise);
  if (compressor_) compress(sent, residual, update, draws.compression);
  if (options_.privacy.kind == PrivacyKind::central) clip_update(sent, clip_);
  if (!compressor_) round(sent);
  if (options_.secure) round_to_ring(sent, *options_.secure, options_.expected_clients);
  scatter(sent, numbers_.parameters, update.delta);
  std::vector<float> statistics = gathered(update.delta, numbers_.statistics);
  round(statistics);
  if (options_.secure) round_to_ring(statistics, *options_.secure, options_.expected_clients);
  scatter(statistics, numbers_.statistics, update.delta);
}

void Upload::protect(std::span<float> sent, Random& noise) const {
  clip_update(sent, options_.privacy.clip);
  add_noise(sent, options_.privacy.noise_multiplier * options_.privacy.clip, noise);
}

void Upload::compress(std::vector<float>& sent, std::span<const float> residual, ClientUpdate& update,
                      Random& random) const {
  if (!leaves_a_residual(options_.compression)) {
    compressor_->compress(sent, random);
    return;
  }
  if (!residual.empty()) add(residual, sent);
  std::vector<float> left = sent;
  compressor_->compress(sent, random);
  for (std::size_t i = 0; i < left.size(); ++i) left[i] -= sent[i];
  update.kept.residual = std::move(left);
}

void Upload::round(std::span<float> sent) const {
  if (options_.local.storage == Storage::bf16) round_to_bf16(sent);
}

}  // namespace orrery
