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

UpdateBytes update_bytes(const LayerGraph& graph, const FederatedTrainingOptions& options) {
  require_compatible(graph, options);
  const SentNumbers numbers = sent_numbers(graph, options.personal_layers);
  const std::size_t parameters = count_of(numbers.parameters);
  const double width = options.local.storage == Storage::bf16 ? 2.0 : 4.0;
  UpdateBytes bytes;
  bytes.numbers = parameters + count_of(numbers.statistics);
  bytes.down = bytes.up = Bytes(width * static_cast<double>(bytes.numbers));
  if (const auto compressor = compressor_of(graph, options, numbers)) bytes.up = compressor->bytes();
  const Bytes extra(width * static_cast<double>(parameters) * entry_of(options.algorithm.kind).extra_models);
  bytes.down += extra;
  bytes.up += extra;
  if (options.secure) {
    const SecureAggregationCost cost =
        secure_aggregation_cost(*options.secure, options.expected_clients, 0, bytes.numbers);
    bytes.down += cost.down;
    bytes.up = cost.up;
  }
  return bytes;
}

UpdateFlops update_flops(const LayerGraph& graph, const FederatedTrainingOptions& options) {
  const SentNumbers numbers = sent_numbers(graph, options.personal_layers);
  const auto compressor = compressor_of(graph, options, numbers);
  return compressor ? UpdateFlops{compressor->client_flops(), compressor->server_flops()} : UpdateFlops{};
}

}  // namespace orrery
