#include "models/cost/kineto_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <optional>

#include "models/cost/kineto_roles.hpp"
#include "models/cost/layer_cost.hpp"
#include "sim/base/text.hpp"

namespace orrery {
namespace {

constexpr std::size_t unknown = static_cast<std::size_t>(-1);

std::string describe(const Layer& layer) {
  return fmt::format("layer \"{}\" ({})", layer.name, name_of(layer.kind));
}

std::string describe(const TraceOp& op) {
  const std::string_view name = op.name;
  return fmt::format("{} at {} us", name.substr(name.starts_with(backward_prefix) ? backward_prefix.size() : 0),
                     number_text(op.start_us));
}

/// Goes along layers and operators at once.
class Walk {
 public:
  /// `order`: the layers in the order in which this pass comes to them.
  Walk(const LayerGraph& graph, std::vector<std::size_t> order, std::size_t ops, Pass pass)
      : graph_(graph), order_(std::move(order)), layers_(ops, unknown), pass_(pass) {}

  void take(std::size_t index, const TraceOp& op, const OpRole& role) {
    if (role.weight == OpRole::Weight::follows_up && current_) {
      layers_[index] = order_[*current_];
      return;
    }
    const std::optional<std::size_t> next = is_part_of_current(role) ? std::nullopt : ahead(role);
    if (next) {
      go_to(*next);
    } else if (!current_ || !(is_composite(kind(*current_)) || role.can_be(kind(*current_)))) {
      if (role.weight == OpRole::Weight::strong) refuse(op);
      waiting_.push_back(index);
      return;
    } else {
      give_waiting(*current_);
    }
    layers_[index] = order_[*current_];
  }

  std::vector<std::size_t> finish() {
    const std::size_t next = first_audible();
    if (next < order_.size()) {
      throw TraceMismatch(fmt::format("the {} pass ends where {} should come", name_of(pass_), describe(layer(next))));
    }
    if (current_) give_waiting(*current_);
    return layers_;
  }

 private:
  /// One of the many operators of a recurrent layer that is written out token by token, rather than a whole one.
  [[nodiscard]] bool is_part_of_current(const OpRole& role) const {
    if (!current_ || !is_recurrent(kind(*current_)) || !role.can_be(kind(*current_))) return false;
    return role.weight == OpRole::Weight::weak || !std::all_of(role.kinds.begin(), role.kinds.end(), is_recurrent);
  }
  [[nodiscard]] const Layer& layer(std::size_t place) const { return graph_.layers[order_[place]]; }
  [[nodiscard]] LayerKind kind(std::size_t place) const { return layer(place).kind; }
  [[nodiscard]] std::size_t after_current() const { return current_ ? *current_ + 1 : 0; }

  /// The next layer that a trace must show, or the end.
  [[nodiscard]] std::size_t first_audible() const {
    std::size_t place = after_current();
    while (place < order_.size() && may_be_silent(kind(place))) ++place;
    return place;
  }

  /// The next layer that the operator can belong to, with nothing but silent ones before it.
  [[nodiscard]] std::optional<std::size_t> ahead(const OpRole& role) const {
    for (std::size_t place = after_current(); place < order_.size(); ++place) {
      if (role.can_be(kind(place))) return place;
      if (!may_be_silent(kind(place))) break;
    }
    return std::nullopt;
  }

  /// What waited belongs to the first silent layer on the way, else to the layer that was reached.
  void go_to(std::size_t place) {
    give_waiting(after_current());
    current_ = place;
  }

  void give_waiting(std::size_t place) {
    for (const std::size_t index : waiting_) layers_[index] = order_[place];
    waiting_.clear();
  }

  [[noreturn]] void refuse(const TraceOp& op) const {
    const std::size_t next = first_audible();
    if (next == order_.size()) {
      throw TraceMismatch(fmt::format("{} is found where the {} pass should end", describe(op), name_of(pass_)));
    }
    throw TraceMismatch(fmt::format("{} is found where {} should come", describe(op), describe(layer(next))));
  }

  const LayerGraph& graph_;
  std::vector<std::size_t> order_;
  std::vector<std::size_t> layers_;     // of each operator
  std::vector<std::size_t> waiting_;    // operators whose layer is not known yet
  std::optional<std::size_t> current_;  // place in the order
  Pass pass_;
};

std::vector<std::size_t> reverse_order(const LayerGraph& graph) {
  const std::vector<bool> has_backward = needs_gradient(graph);
  std::vector<std::size_t> order;
  for (std::size_t i = graph.layers.size(); i-- > 0;) {
    if (has_backward[i]) order.push_back(i);
  }
  return order;
}

/// The layer of each gradient function, by its sequence number: of the last operator that carried the number, which is
/// the one that made it.
std::map<std::int64_t, std::size_t> layers_by_sequence(const std::vector<TraceOp>& ops,
                                                       const std::vector<std::size_t>& layers) {
  std::map<std::int64_t, std::size_t> by_sequence;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    for (const std::int64_t sequence : ops[i].sequences) {
      if (sequence >= 0) by_sequence[sequence] = layers[i];
    }
  }
  return by_sequence;
}

/// What has no number of its own (the addition to a gradient) belongs to the node before it. Empty: nothing is tied.
std::vector<std::size_t> tied_layers(const std::vector<TraceOp>& ops, const LayerGraph& graph,
                                     const std::map<std::int64_t, std::size_t>& by_sequence) {
  std::vector<std::size_t> layers;
  std::size_t current = graph.layers.size() - 1;
  bool is_tied = false;
  for (const TraceOp& op : ops) {
    const auto found = by_sequence.find(op.sequences.front());
    if (found != by_sequence.end()) current = found->second;
    is_tied = is_tied || found != by_sequence.end();
    layers.push_back(current);
  }
  if (!is_tied) return {};
  for (const std::size_t layer : reverse_order(graph)) {
    const bool is_there = std::find(layers.begin(), layers.end(), layer) != layers.end();
    if (is_there || may_be_silent(graph.layers[layer].kind)) continue;
    throw TraceMismatch(fmt::format("the backward pass of {} is missing", describe(graph.layers[layer])));
  }
  return layers;
}

}  // namespace

std::vector<std::size_t> forward_layers(const std::vector<TraceOp>& ops, const LayerGraph& graph) {
  std::vector<std::size_t> order(graph.layers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Walk walk(graph, std::move(order), ops.size(), Pass::forward);
  for (std::size_t i = 0; i < ops.size(); ++i) walk.take(i, ops[i], forward_role(ops[i].name));
  return walk.finish();
}

std::vector<std::size_t> backward_layers(const std::vector<TraceOp>& ops, const LayerGraph& graph,
                                         const std::vector<TraceOp>& forward,
                                         const std::vector<std::size_t>& layers_of_forward) {
  for (const TraceOp& op : ops) {
    if (forward_role(op.name).weight != OpRole::Weight::strong) continue;
    throw TraceMismatch(
        fmt::format("{} is found in the backward pass: a step must be one forward pass, one backward "
                    "pass and one update",
                    describe(op)));
  }
  std::vector<std::size_t> tied = tied_layers(ops, graph, layers_by_sequence(forward, layers_of_forward));
  if (!tied.empty()) return tied;
  Walk walk(graph, reverse_order(graph), ops.size(), Pass::backward);
  for (std::size_t i = 0; i < ops.size(); ++i) walk.take(i, ops[i], backward_role(ops[i].name));
  return walk.finish();
}

}  // namespace orrery
