#include "models/cost/operators.hpp"

#include "models/cost/attention_operators.hpp"
#include "models/cost/layer_cost.hpp"
#include "models/cost/pass_bytes.hpp"
#include "sim/base/number.hpp"

namespace orrery {
namespace {

bool is_dense_window(const Layer& layer) {
  return layer.kind == LayerKind::convolution && layer.groups == 1 && layer.kernel == 3 && layer.stride == 1 &&
         kernel_area(layer) == 9 && layer.stride_width <= 1;
}

class Lister {
 public:
  Lister(const Layer& layer, const OperatorShare& share, Precision precision)
      : layer_(layer),
        share_(share),
        width_(bytes_in_memory(precision).value()),
        is_cast_(bytes_per_number(precision) < bytes_in_memory(precision)) {}

  LayerOperators list() {
    if (is_view(layer_.kind)) return {};
    if (is_loss(layer_.kind)) {
      list_loss();
      return std::move(operators_);
    }
    switch (layer_.kind) {
      case LayerKind::dense:
        list_dense(rows(), number(layer_.in.channels) * share_.input, number(layer_.out.channels) * share_.work);
        list_bias_gradient();
        break;
      case LayerKind::convolution:
      case LayerKind::transposed_convolution:
        list_convolution();
        break;
      case LayerKind::attention:
      case LayerKind::cross_attention:
        operators_ = attention_operators(layer_, share_, width_);
        break;
      case LayerKind::lstm:
        list_recurrence(4);
        break;
      case LayerKind::gru:
        list_recurrence(3);
        break;
      case LayerKind::mixture_of_experts:
        list_experts();
        break;
      case LayerKind::dot_interaction:
        list_interaction();
        break;
      default:
        list_streaming();
    }
    return std::move(operators_);
  }

 private:
  /// Tokens (pixels, samples) of the layer that are worked on here.
  [[nodiscard]] double rows() const {
    return share_.samples * number(layer_.in.height * layer_.in.width) * share_.context;
  }

  [[nodiscard]] Operator product(double m, double n, double k, double count = 1) const {
    return product_of(m, n, k, count, width_);
  }

  [[nodiscard]] Operator streaming(double numbers, double bytes_at_16_bits) const {
    return streaming_of(numbers, bytes_at_16_bits, width_);
  }

  [[nodiscard]] Operator casting(double numbers) const {
    Operator op;
    op.bytes = numbers * share_.cast_bytes;
    return op;
  }

  void list_dense(double m, double k, double n, double count = 1) {
    if (is_cast_) {  // scaled and cast, and once more transposed for the gradient of the weights
      operators_.forward.push_back(casting(m * k * count * share_.cast_input));
      operators_.backward_input.push_back(casting(m * n * count * share_.cast_output));
    }
    operators_.forward.push_back(product(m, n, k, count));
    operators_.backward_input.push_back(product(m, k, n, count));
    if (!layer_.frozen) operators_.backward_weights.push_back(product(k, n, m, count));
  }

  void stream(double numbers, double forward, double backward) {
    operators_.forward.push_back(streaming(numbers, forward));
    operators_.backward_input.push_back(streaming(numbers, backward));
  }

  /// Sums the outputs' gradients over the tokens. Where the inner dimension is split the bias is added, and its
  /// gradient summed, in the kernel of the residual sum.
  void list_bias_gradient() {
    if (!layer_.bias || layer_.frozen || share_.input < 1.0) return;
    operators_.backward_weights.push_back(streaming(rows() * number(layer_.out.channels) * share_.work, 2));
  }

  void list_convolution() {
    const Shape& places = layer_.kind == LayerKind::transposed_convolution ? layer_.in : layer_.out;
    const double pixels = share_.samples * number(places.height * places.width);
    const double groups = number(layer_.groups);
    if (is_depthwise(layer_)) {
      const double numbers = share_.samples * number(layer_.in.count() + layer_.out.count()) * share_.work;
      stream(numbers, 2, 6);  // read once, write once; backward reads the input for the weights too
      return;
    }
    const double k = number(kernel_area(layer_) * layer_.in.channels) / groups;
    const double n = number(layer_.out.channels) / groups * share_.work;
    const double moved = width_ * (share_.samples * number(layer_.in.count() + layer_.out.count()) + k * n * groups);
    const auto add = [&](std::vector<Operator>& to, double rows, double columns, double inner) {
      Operator op = product(rows, columns, inner, groups);
      op.kind = is_dense_window(layer_) ? Operator::Kind::dense_window : Operator::Kind::convolution;
      op.bytes = moved;  // not the unfolded image
      to.push_back(op);
    };
    add(operators_.forward, pixels, n, k);
    add(operators_.backward_input, pixels, k, n);
    if (!layer_.frozen) add(operators_.backward_weights, k, n, pixels);
  }

  /// The products of the inputs of all tokens at once, those of the state token by token.
  void list_recurrence(double gates) {
    const double units = number(layer_.out.channels), tokens = number(layer_.in.height);
    list_dense(rows(), number(layer_.in.channels), gates * units);
    Operator step = product(share_.samples, gates * units, units);
    step.launches = tokens;
    operators_.forward.push_back(step);
    Operator back = product(share_.samples, units, gates * units);
    back.launches = tokens;
    operators_.backward_input.push_back(back);
    if (!layer_.frozen) operators_.backward_weights.push_back(product(units, gates * units, rows()));
    Operator state = streaming(rows() * units * (gates + 1), 4);
    state.launches = tokens;
    operators_.forward.push_back(state);
    operators_.backward_input.push_back(state);
  }

  /// Router, visits put in the order of the experts, their perceptrons, visits put back; shared experts on every token.
  void list_experts() {
    const double hidden = number(layer_.in.channels), units = number(layer_.expert_units) * share_.work;
    const double visits = share_.expert_visits, each = share_.experts > 0 ? visits / share_.experts : 0.0;
    const double doubled = layer_.gated ? 2.0 : 1.0;
    list_dense(rows() * share_.region, hidden, number(router_outputs(layer_)));
    reorder(visits * hidden);
    if (each > 0) {
      list_dense(each, hidden, doubled * units, share_.experts);
      stream(visits * units, layer_.gated ? 6 : 4, layer_.gated ? 10 : 8);
      list_dense(each, units, hidden, share_.experts);
      list_expert_bias_gradients(visits * (doubled * units + hidden));
    }
    reorder(visits * hidden);
    if (layer_.shared_experts == 0) return;
    const double shared = number(layer_.expert_units * layer_.shared_experts) * share_.shared_work;
    list_dense(rows(), hidden, doubled * shared);
    stream(rows() * shared, layer_.gated ? 6 : 4, layer_.gated ? 10 : 8);
    list_dense(rows(), shared, hidden);
  }

  void reorder(double numbers) {
    stream(numbers * share_.reorders, 4, 4);
    operators_.forward.back().launches = operators_.backward_input.back().launches = share_.reorders;
  }

  void list_expert_bias_gradients(double outputs) {
    if (!layer_.bias || layer_.frozen) return;
    operators_.backward_weights.push_back(streaming(outputs, 2));
  }

  /// All vectors with all in one batched product; each half of its gradient is a product too.
  void list_interaction() {
    const double vectors = number(interacting_vectors(layer_)), numbers = number(layer_.in.channels);
    operators_.forward.push_back(product(vectors, vectors, numbers, share_.samples));
    operators_.backward_input.push_back(product(vectors, numbers, vectors, share_.samples));
    operators_.backward_input.push_back(product(vectors, numbers, vectors, share_.samples));
    stream(share_.samples * vectors * vectors, 4, 4);
  }

  void list_loss() {
    const double logits = rows() * number(layer_.in.channels) * share_.work;
    operators_.forward.push_back(streaming(logits, 0.4 * share_.logit_bytes));
    operators_.backward_input.push_back(streaming(logits, 0.6 * share_.logit_bytes));
  }

  void list_streaming() {
    const double in = share_.samples * number(layer_.in.count()) * share_.context * share_.work * share_.region;
    const double out = share_.samples * number(layer_.out.count()) * share_.context * share_.work * share_.region;
    switch (layer_.kind) {
      case LayerKind::layer_norm:
      case LayerKind::rms_norm:
      case LayerKind::group_norm:
        return stream(out, 4, 10);
      case LayerKind::batch_norm:
        return stream(out, 6, 10);
      case LayerKind::residual_add:
        return stream(out, 6, 8);
      case LayerKind::dropout:  // in the kernel of the sum after it
        operators_.forward.push_back(streaming(out, 1));
        operators_.backward_input.push_back(streaming(out, 5));
        operators_.forward.back().launches = operators_.backward_input.back().launches = 0;
        return;
      case LayerKind::gelu:
      case LayerKind::silu:
        return stream(out, 4, 8);
      case LayerKind::swiglu:
      case LayerKind::geglu:
      case LayerKind::multiply:
        return stream(out, 6, 10);
      case LayerKind::embedding:
        return stream(out, 14, 12);
      case LayerKind::embedding_tables:
        return stream(out, 4, 6);
      case LayerKind::memory:
        return stream(out, 4, 2);
      case LayerKind::slice:
        operators_.forward.push_back(streaming(out, 4));
        operators_.backward_input.push_back(streaming(in + out, 2));
        return;
      case LayerKind::relu:
      case LayerKind::tanh:
      case LayerKind::sigmoid:
        return stream(out, 4, 6);
      default:
        return stream((in + out) / 2.0, 4, 4);
    }
  }

  const Layer& layer_;
  const OperatorShare& share_;
  double width_;
  bool is_cast_;  // products have a narrower format than what is kept
  LayerOperators operators_;
};

}  // namespace

LayerOperators operators_of(const Layer& layer, const OperatorShare& share, Precision precision) {
  return Lister(layer, share, precision).list();
}

}  // namespace orrery
