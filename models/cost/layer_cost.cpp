#include "models/cost/layer_cost.hpp"

#include <array>

#include "sim/base/number.hpp"

namespace orrery {

namespace {

/// Scores of one sample: heads x tokens that ask x tokens of the keys.
double attention_scores(const Layer& layer) {
  return number(layer.heads) * number(layer.out.height) * number(key_tokens(layer));
}

/// Products of an expert's perceptron: gate, up and down, or up and down.
double expert_products(const Layer& layer) {
  return layer.gated ? 3.0 : 2.0;
}

/// Weights that a token meets: the router, the experts it visits and the shared ones.
double weights_visited(const Layer& layer) {
  const double experts = number(layer.experts_per_token + layer.shared_experts);
  return number(layer.in.channels) *
         (number(router_outputs(layer)) + experts * expert_products(layer) * number(layer.expert_units));
}

/// Of one sample: the router's probabilities; of a visit the copies of the input and of the output that go to and come
/// from an expert (the router's gradient needs the output); of every perceptron what its products and gate read.
double kept_by_experts(const Layer& layer) {
  const double visits = number(layer.experts_per_token), hidden = number(layer.in.channels);
  const double perceptrons = visits + number(layer.shared_experts);
  return number(layer.in.height) * (number(layer.experts) + 2.0 * visits * hidden +
                                    perceptrons * expert_products(layer) * number(layer.expert_units));
}

/// Of these what the products of the visits read: the copy of the input, and what the gate writes.
double operands_of_experts(const Layer& layer) {
  const double visits = number(layer.experts_per_token);
  const double perceptrons = visits + number(layer.shared_experts);
  return number(layer.in.height) * (visits * number(layer.in.channels) + perceptrons * number(layer.expert_units));
}

/// Matrix products of one forward pass, in FLOPs.
double product_flops(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::dense:  // at every position: 2 x in x out
    case LayerKind::lstm:   // at every token: 2 x 4 h (in + h)
    case LayerKind::gru:    // 2 x 3 h (in + h)
      return 2.0 * number(layer.in.height) * number(weights(layer));
    case LayerKind::convolution:  // at every output position: 2 x kernel^2 x in / groups x out
      return 2.0 * number(layer.out.height) * number(layer.out.width) * number(weights(layer));
    case LayerKind::transposed_convolution:  // at every input position: 2 x kernel^2 x in x out
      return 2.0 * number(layer.in.height) * number(layer.in.width) * number(weights(layer));
    case LayerKind::attention:  // T tokens, width h: Q K^T and scores V, 2 T^2 h each (Korthikanti et al. 2022); in
    case LayerKind::cross_attention:  // full, not halved for causality
      return 2.0 * number(layer.heads) * number(layer.out.height) * number(seen_tokens(layer)) *
             number((layer.distance_size > 0 ? 2 : 1) * head_size(layer) + value_size(layer));
    case LayerKind::mixture_of_experts:
      return 2.0 * number(layer.in.height) * weights_visited(layer);
    case LayerKind::dot_interaction: {  // all N + 1 vectors with all: one batched product, of which half is kept
      const double vectors = number(interacting_vectors(layer));
      return 2.0 * vectors * vectors * number(layer.in.channels);
    }
    default:
      return 0.0;
  }
}

/// Of one sample: the sums of the gates (lstm four, gru three per unit and token) that the products write.
double gate_sums(const Layer& layer) {
  return (layer.kind == LayerKind::lstm ? 4.0 : 3.0) * number(layer.out.count());
}

/// Numbers moved beyond reading the input, writing the output and their gradients, because a layer is several kernels.
void set_inner_traffic(const Layer& layer, LayerCost& cost) {
  const double count = cost.output_numbers;
  switch (layer.kind) {
    case LayerKind::batch_norm:  // forward reads its input twice (statistics, then normalisation)
    case LayerKind::group_norm:
      cost.inner_forward = count;
      cost.inner_backward = 2.0 * count;  // sums over input and output gradient first, then the gradient itself
      break;
    case LayerKind::layer_norm:  // statistics of a token fit in registers; the gradient of scale and shift is a kernel
    case LayerKind::rms_norm:    // of its own that reads input and output gradient again
      cost.inner_backward = layer.frozen ? 0.0 : 2.0 * count;
      break;
    case LayerKind::cross_attention:
    case LayerKind::attention:  // without flash attention the scores go through memory: written by Q K^T, read and
      cost.inner_forward = 4.0 * attention_scores(layer);   // written by softmax, read by the product with V;
      cost.inner_backward = 6.0 * attention_scores(layer);  // backward: 5 reads and 2 writes, one read being `stored`
      break;
    case LayerKind::mixture_of_experts:  // every number kept was written and is read again
      cost.inner_forward = 2.0 * kept_by_experts(layer);
      cost.inner_backward = 2.0 * kept_by_experts(layer);
      break;
    case LayerKind::lstm:  // the sums of the gates are written by the products and read by the gates, which write
    case LayerKind::gru:   // what backward needs; backward writes the gates' gradients and reads them in its products
      cost.inner_forward = 2.0 * gate_sums(layer) + kept_for_backward(layer).own;
      cost.inner_backward = 2.0 * gate_sums(layer);
      break;
    case LayerKind::embedding:  // the rows looked up; backward adds into them
    case LayerKind::embedding_tables:
      cost.inner_forward = count;
      cost.inner_backward = 2.0 * count;
      break;
    case LayerKind::last_token:  // reads one token; the gradient of the others is zero, and written
    case LayerKind::slice:       // likewise of the other channels
      cost.inner_backward = number(layer.in.count()) - count;
      break;
    case LayerKind::dot_interaction: {  // the square of products is written whole, then half of it is picked
      const double vectors = number(interacting_vectors(layer));
      cost.inner_forward = cost.inner_backward = 2.0 * vectors * vectors;
      break;
    }
    case LayerKind::softmax_cross_entropy:  // writes the probabilities that backward needs
      cost.inner_forward = cost.input_numbers;
      break;
    default:
      break;
  }
}

double numbers_read(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::residual_add:
    case LayerKind::multiply:
      return 2.0 * number(layer.in.count());
    case LayerKind::cross_attention:  // queries; keys and values
      return number(layer.in.count()) +
             number(key_tokens(layer) * layer.kv_heads * (head_size(layer) + value_size(layer)));
    case LayerKind::add_vector:
      return number(layer.in.count() + layer.in.channels);
    case LayerKind::dot_interaction:
      return number(interacting_vectors(layer) * layer.in.channels);
    case LayerKind::concatenate:  // both operands
    case LayerKind::memory:
    case LayerKind::last_token:
    case LayerKind::slice:
      return number(layer.out.count());
    default:
      return number(layer.in.count());
  }
}

}  // namespace

std::string_view name_of(Pass pass) {
  static constexpr std::array<std::string_view, 3> names = {"forward", "backward", "optimizer"};
  return names.at(static_cast<std::size_t>(pass));
}

KeptForBackward kept_for_backward(const Layer& layer) {
  const double out = number(layer.out.count());
  if (is_loss(layer.kind)) return {false, false, number(layer.in.count()), 0.0};
  switch (layer.kind) {
    case LayerKind::dense:  // for the gradient of their weights
    case LayerKind::convolution:
    case LayerKind::transposed_convolution:
    case LayerKind::embedding:
    case LayerKind::embedding_tables:
      return {!layer.frozen, false, 0.0, 0.0};
    case LayerKind::max_pool:
    case LayerKind::gelu:
    case LayerKind::silu:
    case LayerKind::swiglu:
    case LayerKind::geglu:
    case LayerKind::batch_norm:
    case LayerKind::group_norm:
    case LayerKind::layer_norm:
    case LayerKind::rms_norm:
      return {true, false, 0.0, 0.0};
    case LayerKind::relu:  // their derivatives follow from their outputs
    case LayerKind::tanh:
    case LayerKind::sigmoid:
      return {false, true, 0.0, 0.0};
    case LayerKind::dropout:
      return {false, false, 0.0, out};
    case LayerKind::memory:  // what was kept of the sample before
      return {false, false, number(layer.memory_tokens * layer.in.channels), 0.0};
    case LayerKind::multiply:
    case LayerKind::dot_interaction:
      return {true, false, 0.0, 0.0, true};
    case LayerKind::attention:
    case LayerKind::cross_attention: {  // the scores; where some are dropped also which, and what is left of them
      const double scores = attention_scores(layer);
      const bool is_across = layer.kind == LayerKind::cross_attention;
      return layer.rate > 0 ? KeptForBackward{true, false, 2.0 * scores, scores, is_across}
                            : KeptForBackward{true, false, scores, 0.0, is_across};
    }
    case LayerKind::mixture_of_experts:
      return {true, false, kept_by_experts(layer), 0.0, false, operands_of_experts(layer)};
    case LayerKind::lstm:  // four gates and the cell; input and output for the gradients of the two weights
      return {!layer.frozen, !layer.frozen, 5.0 * out, 0.0};
    case LayerKind::gru:  // three gates and the recurrent sum inside the new gate; the update gate needs the output
      return {!layer.frozen, true, 4.0 * out, 0.0};
    default:
      return {};
  }
}

LayerCost layer_cost(const Layer& layer) {
  LayerCost cost;
  cost.parameters = number(parameters(layer));
  if (is_view(layer.kind)) return cost;
  cost.forward = Flops(product_flops(layer));
  cost.backward = cost.forward * (layer.frozen ? 1.0 : 2.0);
  const bool is_table = layer.kind == LayerKind::embedding || layer.kind == LayerKind::embedding_tables;
  cost.weights = is_table ? 0.0 : number(weights(layer));
  cost.input_numbers = numbers_read(layer);
  cost.output_numbers = number(layer.out.count());
  const KeptForBackward kept = kept_for_backward(layer);
  if (kept.input) cost.stored_numbers += number(layer.in.count());
  if (kept.second) cost.stored_numbers += cost.input_numbers - number(layer.in.count());
  if (kept.output) cost.stored_numbers += cost.output_numbers;
  cost.stored_numbers += kept.own;
  set_inner_traffic(layer, cost);
  return cost;
}

Flops training_flops(const LayerGraph& graph) {
  const std::vector<bool> has_backward = needs_gradient(graph);
  Flops sum;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const LayerCost cost = layer_cost(graph.layers[i]);
    sum += cost.forward;
    if (has_backward[i]) sum += cost.backward;
  }
  return sum;
}

}  // namespace orrery
