#include <algorithm>
#include <memory>

#include "models/training/federated/federated_training.hpp"
#include "models/training/federated/sent_numbers.hpp"

namespace orrery {
namespace {

std::unique_ptr<Compressor> compressor_of(const LayerGraph& graph, const FederatedTrainingOptions& options,
                                          const SentNumbers& numbers) {
  if (options.compression.kind == CompressionKind::none) return nullptr;
  return make_compressor(options.compression, graph, numbers.parameters);
}

}  // namespace

std::size_t sharing_clients(const FederatedTrainingOptions& options) {
  return std::max(options.asked_clients, options.expected_clients);
}

UpdateBytes update_bytes(const LayerGraph& graph, const FederatedTrainingOptions& options) {
  require_compatible(graph, options);
  const SentNumbers numbers = sent_numbers(graph, options.personal_layers);
  const std::size_t parameters = count_of(numbers.parameters);
  const double width = options.local.storage == Storage::bf16 ? 2.0 : 4.0;
  UpdateBytes bytes;
  bytes.numbers = parameters + count_of(numbers.statistics);
  bytes.model_numbers = bytes.numbers + count_of(numbers.frozen);
  bytes.down = Bytes(width * static_cast<double>(bytes.model_numbers));
  bytes.up = Bytes(width * static_cast<double>(bytes.numbers));
  if (const auto compressor = compressor_of(graph, options, numbers)) bytes.up = compressor->bytes();
  const Bytes extra(4.0 * static_cast<double>(parameters) * entry_of(options.algorithm.kind).extra_models);
  bytes.down += extra;
  bytes.up += extra;
  if (options.secure) {
    const SecureAggregationCost cost =
        secure_aggregation_cost(*options.secure, sharing_clients(options), 0, bytes.numbers);
    bytes.down += cost.down;
    bytes.up = cost.up;
  }
  return bytes;
}

UpdateFlops update_flops(const LayerGraph& graph, const FederatedTrainingOptions& options) {
  const SentNumbers numbers = sent_numbers(graph, options.personal_layers);
  UpdateFlops flops;
  if (const auto compressor = compressor_of(graph, options, numbers)) {
    flops.client = compressor->client_flops();
    flops.server = compressor->server_flops();
  }
  if (options.algorithm.kind == AlgorithmKind::qfedavg) flops.forward_epochs = 1;
  return flops;
}

}  // namespace orrery
