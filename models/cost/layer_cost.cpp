#include "models/cost/layer_cost.hpp"

#include <array>

namespace orrery {

namespace {

double number(std::int64_t count) {
  return static_cast<double>(count);
}

/// Scores of one sample: heads x tokens x tokens.
double attention_scores(const Layer& layer) {
  return number(layer.heads) * number(layer.in.height) * number(layer.in.height);
}

/// Matrix products of one forward pass, in FLOPs.
double product_flops(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::dense:  // at every position: 2 x in x out
      return 2.0 * number(layer.in.height) * number(layer.in.channels) * number(layer.out.channels);
    case LayerKind::convolution:  // at every output position: 2 x kernel^2 x in / groups x out
      return 2.0 * number(layer.out.height) * number(layer.out.width) * number(weights(layer));
    case LayerKind::attention:  // T tokens, width h: Q K^T and scores V, 2 T^2 h each (Korthikanti et al. 2022); in
                                // full, not halved for causality
      return 4.0 * number(layer.in.height) * number(layer.in.height) * number(layer.out.channels);
    default:
      return 0.0;
  }
}

/// Numbers moved beyond reading the input, writing the output and their gradients, because a layer is several kernels.
void set_inner_traffic(const Layer& layer, LayerCost& cost) {
  const double count = cost.output_numbers;
  switch (layer.kind) {
    case LayerKind::batch_norm:  // forward reads its input twice (statistics, then normalisation)
      cost.inner_forward = count;
      cost.inner_backward = 2.0 * count;  // sums over input and output gradient first, then the gradient itself
      break;
    case LayerKind::layer_norm:  // statistics of a token fit in registers; the gradient of scale and shift is a
      cost.inner_backward = 2.0 * count;  // kernel of its own that reads input and output gradient again
      break;
    case LayerKind::attention:  // without flash attention the scores go through memory: written by Q K^T, read and
      cost.inner_forward = 4.0 * attention_scores(layer);   // written by softmax, read by the product with V;
      cost.inner_backward = 6.0 * attention_scores(layer);  // backward: 5 reads and 2 writes, one read being `stored`
      break;
    case LayerKind::embedding:  // the rows looked up; backward adds into them
      cost.inner_forward = count;
      cost.inner_backward = 2.0 * count;
      break;
    case LayerKind::softmax_cross_entropy:  // writes the probabilities that backward needs
      cost.inner_forward = cost.input_numbers;
      break;
    default:
      break;
  }
}

}  // namespace

std::string_view name_of(Pass pass) {
  static constexpr std::array<std::string_view, 3> names = {"forward", "backward", "optimizer"};
  return names.at(static_cast<std::size_t>(pass));
}

bool is_view(const Layer& layer) {
  return layer.kind == LayerKind::flatten;
}

KeptForBackward kept_for_backward(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::dense:
    case LayerKind::convolution:
    case LayerKind::max_pool:
    case LayerKind::gelu:
    case LayerKind::batch_norm:
    case LayerKind::layer_norm:
    case LayerKind::embedding:
      return {true, false, 0.0};
    case LayerKind::relu:  // their derivatives follow from their outputs
    case LayerKind::tanh:
    case LayerKind::sigmoid:
      return {false, true, 0.0};
    case LayerKind::attention:
      return {true, false, attention_scores(layer)};
    case LayerKind::softmax_cross_entropy:
      return {false, false, number(layer.in.count())};
    default:
      return {};
  }
}

LayerCost layer_cost(const Layer& layer) {
  LayerCost cost;
  cost.parameters = number(parameters(layer));
  if (is_view(layer)) return cost;
  cost.forward = Flops(product_flops(layer));
  cost.backward = cost.forward * 2.0;
  cost.weights = layer.kind == LayerKind::embedding ? 0.0 : number(weights(layer));
  cost.input_numbers = number(layer.in.count()) * (layer.kind == LayerKind::residual_add ? 2.0 : 1.0);
  cost.output_numbers = number(layer.out.count());
  const KeptForBackward kept = kept_for_backward(layer);
  cost.stored_numbers =
      (kept.input ? number(layer.in.count()) : 0.0) + (kept.output ? cost.output_numbers : 0.0) + kept.own;
  set_inner_traffic(layer, cost);
  return cost;
}

Flops training_flops(const LayerGraph& graph) {
  Flops sum;
  for (const Layer& layer : graph.layers) {
    const LayerCost cost = layer_cost(layer);
    sum += cost.forward + cost.backward;
  }
  return sum;
}

}  // namespace orrery
