#include "models/cost/memory.hpp"

#include <algorithm>
#include <cstdint>

#include "sim/base/contract.hpp"

namespace orrery {

namespace {

constexpr double fp32_bytes = 4.0;

/// Parameters a device holds, and those of them that it trains, in numbers.
struct HeldParameters {
  double all = 0, trainable = 0;
};

HeldParameters held_parameters(const LayerGraph& graph, const std::vector<Share>& shares) {
  HeldParameters held;
  bool embedding_held = false;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    embedding_held = embedding_held || (layer.kind == LayerKind::embedding && shares[i].work > 0.0);
    const std::int64_t copied = layer.tied && !embedding_held ? weights(layer) : 0;
    const double numbers = static_cast<double>(parameters(layer) + copied) * shares[i].work;
    held.all += numbers;
    if (!layer.frozen) held.trainable += numbers;
  }
  return held;
}

/// For each layer the tensor it writes: its own index + 1, or its input's for a view. Tensor 0 is the network's input.
std::vector<std::size_t> tensors_written(const LayerGraph& graph) {
  std::vector<std::size_t> written;
  for (const Layer& layer : graph.layers) {
    const std::size_t read = layer.input.valid() ? written[layer.input.index()] : 0;
    written.push_back(is_view(layer.kind) ? read : layer.id.index() + 1);
  }
  return written;
}

double kept_bytes_per_sample(const LayerGraph& graph, const std::vector<Share>& shares, double bytes_per_number) {
  const std::vector<std::size_t> written = tensors_written(graph);
  const std::vector<bool> has_backward = needs_gradient(graph);
  std::vector<double> held(graph.layers.size() + 1, 0.0);  // numbers of each tensor that are counted already
  double bytes = 0.0;
  const auto keep = [&](std::size_t tensor, double numbers) {
    bytes += std::max(0.0, numbers - held[tensor]) * bytes_per_number;
    held[tensor] = std::max(held[tensor], numbers);
  };
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    const Share share = shares[i];
    if (share.work <= 0.0 || !has_backward[i]) continue;
    const KeptForBackward kept = kept_for_backward(layer);
    const std::size_t read = layer.input.valid() ? written[layer.input.index()] : 0;
    if (kept.input) keep(read, static_cast<double>(layer.in.count()) * share.input);
    if (kept.output) keep(written[i], static_cast<double>(layer.out.count()) * share.output);
    const double own_width = is_loss(layer.kind) ? std::max(fp32_bytes, bytes_per_number) : bytes_per_number;
    bytes += (kept.own * own_width + kept.masks) * share.work;
  }
  return bytes;
}

}  // namespace

BytesPerParameter bytes_per_parameter(Precision precision, OptimizerKind optimizer) {
  const double width = bytes_in_memory(precision).value();
  const double states = optimizer_states(optimizer);
  const double master_copy = width < fp32_bytes ? fp32_bytes : 0.0;
  return {width, width, master_copy + states * std::max(width, fp32_bytes)};
}

MemoryEstimate estimate_memory(const LayerGraph& graph, const std::vector<Share>& shares, double samples_in_flight,
                               Precision precision, OptimizerKind optimizer) {
  ORRERY_EXPECT(shares.size() == graph.layers.size());
  const BytesPerParameter each = bytes_per_parameter(precision, optimizer);
  const HeldParameters held = held_parameters(graph, shares);
  const double kept = kept_bytes_per_sample(graph, shares, bytes_in_memory(precision).value());
  return {Bytes(held.all * each.weights), Bytes(held.trainable * each.gradients),
          Bytes(held.trainable * each.optimizer), Bytes(kept * samples_in_flight)};
}

MemoryEstimate estimate_memory(const LayerGraph& graph, const std::vector<double>& shares, double samples_in_flight,
                               Precision precision, OptimizerKind optimizer) {
  std::vector<Share> all;
  all.reserve(shares.size());
  for (const double share : shares) all.push_back({share, share});
  return estimate_memory(graph, all, samples_in_flight, precision, optimizer);
}

}  // namespace orrery
