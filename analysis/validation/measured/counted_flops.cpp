#include "analysis/validation/measured/counted_flops.hpp"

#include "analysis/validation/measured/words.hpp"

namespace orrery {
namespace {

constexpr double passes = 3;  // forward, gradients of inputs, gradients of weights

bool multiplies(const Layer& layer) {
  return layer.kind == LayerKind::dense || layer.kind == LayerKind::convolution ||
         layer.kind == LayerKind::transposed_convolution;
}

double product_flops(const Layer& layer) {
  const Shape& places = layer.kind == LayerKind::transposed_convolution ? layer.in : layer.out;
  return 2.0 * static_cast<double>(weights(layer)) * static_cast<double>(places.height * places.width);
}

double attention_flops(const Layer& layer) {
  const auto tokens = static_cast<double>(layer.out.height), heads = static_cast<double>(layer.heads);
  const auto each = static_cast<double>(layer.out.channels) / heads;
  const double key = layer.head_size > 0 ? static_cast<double>(layer.head_size) : each;
  const double keys = layer.distance_size > 0 ? 2 : 1;  // of tokens, and of distances
  return 2.0 * tokens * static_cast<double>(seen_tokens(layer)) * heads * (keys * key + each);
}

/// Of the experts that each token visits, and the shared ones; the router is next to nothing.
double expert_flops(const Layer& layer) {
  const auto visits = static_cast<double>(layer.experts_per_token + layer.shared_experts);
  const double products = layer.gated ? 3 : 2;
  return 2.0 * products * visits * static_cast<double>(layer.in.height * layer.in.channels * layer.expert_units);
}

CountedFlops as_counted(CountedFlops flops, FlopConvention convention) {
  if (convention == FlopConvention::causal) flops.attention /= 2;
  if (convention == FlopConvention::leading_term) flops.attention = flops.head = 0;
  return flops;
}

}  // namespace

CountedFlops counted_flops(const LayerGraph& graph) {
  CountedFlops flops;
  double last = 0;
  for (const Layer& layer : graph.layers) {
    if (layer.kind == LayerKind::attention) flops.attention += attention_flops(layer);
    if (layer.kind == LayerKind::mixture_of_experts) flops.body += expert_flops(layer);
    if (!multiplies(layer)) continue;
    flops.body += last;
    last = product_flops(layer);
  }
  flops.head = last;
  return flops;
}

FlopConvention convention_of(const MeasuredRow& row) {
  const std::vector<std::string> words = words_of(row.notes);
  if (has_words(words, "causal attention")) return FlopConvention::causal;
  if (has_words(words, "96bslh*")) return FlopConvention::leading_term;
  return FlopConvention::full;
}

double model_flops(const CountedFlops& flops, FlopConvention convention, double samples) {
  const CountedFlops counted = as_counted(flops, convention);
  return passes * samples * (counted.body + counted.head + counted.attention);
}

double hardware_flops(const CountedFlops& flops, FlopConvention convention, Recompute recompute, double samples) {
  const CountedFlops counted = as_counted(flops, convention);
  double again = share_of_blocks(recompute) * (counted.body + counted.attention);
  if (recompute == Recompute::selective) again = counted.attention;
  if (recompute == Recompute::operators) again = counted.body / 2;
  return model_flops(flops, convention, samples) + samples * again;
}

}  // namespace orrery
