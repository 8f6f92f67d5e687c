#include "models/cost/memory.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/cost/attention_operators.hpp"
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

/// What a device's layers keep for their backward passes, in bytes per sample. A tensor counts once, however many
/// layers need it, at the largest of their shares.
class KeptActivations {
 public:
  KeptActivations(const LayerGraph& graph, const std::vector<Share>& shares, double bytes_per_number,
                  const InFlight& in_flight)
      : graph_(graph),
        shares_(shares),
        bytes_per_number_(bytes_per_number),
        operand_bytes_(in_flight.operand_bytes),
        software_(in_flight.software),
        written_(tensors_written(graph)),
        has_backward_(needs_gradient(graph)),
        held_(graph.layers.size() + 1, 0.0) {}

  /// Of layers [first, end), beyond what is held already.
  double keep(std::size_t first, std::size_t end) {
    double bytes = 0.0;
    for (std::size_t i = first; i < end; ++i) {
      if (!takes_part(i)) continue;
      const Layer& layer = graph_.layers[i];
      const KeptForBackward kept = kept_for_backward(layer);
      if (keeps_copy(layer)) {
        bytes += static_cast<double>(layer.in.count()) * shares_[i].input * operand_bytes_;
      } else if (kept.input) {
        bytes += hold(read_by(layer.input), layer.in.count(), shares_[i].input);
      }
      if (kept.second) {
        bytes += hold(read_by(layer.skip), graph_.layers[layer.skip.index()].out.count(), shares_[i].input);
      }
      if (kept.output || reads_own_output(layer)) bytes += hold(written_[i], layer.out.count(), shares_[i].output);
      if (keeps_no_scores(layer)) continue;
      const double own_width =
          is_loss(layer.kind) ? std::max(kept_by_loss(layer), bytes_per_number_) : bytes_per_number_;
      const double operands = operand_bytes_ > 0.0 ? kept.operands : 0.0;
      bytes += ((kept.own - operands) * own_width + operands * operand_bytes_ + kept.masks) * shares_[i].work;
    }
    return bytes;
  }

  /// What layers [first, end) read of tensors that they do not write, if any of them has a backward pass.
  double keep_inputs(std::size_t first, std::size_t end) {
    bool needed = false;
    for (std::size_t i = first; i < end; ++i) needed = needed || takes_part(i);
    if (!needed) return 0.0;
    double bytes = 0.0;
    const auto read = [&](LayerId from, std::int64_t numbers, double share) {
      const std::size_t tensor = read_by(from);
      const bool own = tensor > first && shares_[tensor - 1].work > 0.0;  // tensor t is written by layer t - 1
      if (!own) bytes += hold(tensor, numbers, share);
    };
    for (std::size_t i = first; i < end; ++i) {
      const Layer& layer = graph_.layers[i];
      if (shares_[i].work <= 0.0) continue;
      read(layer.input, layer.in.count(), shares_[i].input);
      if (layer.skip.valid()) read(layer.skip, graph_.layers[layer.skip.index()].out.count(), shares_[i].input);
    }
    return bytes;
  }

 private:
  [[nodiscard]] bool takes_part(std::size_t layer) const { return shares_[layer].work > 0.0 && has_backward_[layer]; }
  /// The logits' product is not cast.
  [[nodiscard]] bool keeps_copy(const Layer& layer) const {
    const Layer& last = graph_.layers.back();
    const bool is_head = is_loss(last.kind) && last.input == layer.id;
    return operand_bytes_ > 0.0 && layer.kind == LayerKind::dense && !layer.frozen && !is_head;
  }
  /// Fused attention on its way back; without copies the projection behind it keeps the same tensor.
  [[nodiscard]] bool reads_own_output(const Layer& layer) const { return operand_bytes_ > 0.0 && attends(layer.kind); }
  [[nodiscard]] bool keeps_no_scores(const Layer& layer) const {
    return attends(layer.kind) && software_ != nullptr && is_fused(layer, *software_);
  }
  /// Bytes per number, at least.
  [[nodiscard]] double kept_by_loss(const Layer& layer) const {
    const bool is_told = software_ != nullptr && layer.kind == LayerKind::softmax_cross_entropy;
    return is_told ? software_->kept_logit_bytes.value : fp32_bytes;
  }
  [[nodiscard]] std::size_t read_by(LayerId input) const { return input.valid() ? written_[input.index()] : 0; }

  double hold(std::size_t tensor, std::int64_t numbers, double share) {
    const double wanted = static_cast<double>(numbers) * share;
    const double more = std::max(0.0, wanted - held_[tensor]);
    held_[tensor] += more;
    return more * bytes_per_number_;
  }

  const LayerGraph& graph_;
  const std::vector<Share>& shares_;
  double bytes_per_number_, operand_bytes_;
  const FrameworkProfile* software_;
  std::vector<std::size_t> written_;
  std::vector<bool> has_backward_;
  std::vector<double> held_;  // numbers of each tensor that are counted already
};

/// Per sample, while the loss goes back.
double logit_gradients(const LayerGraph& graph, const std::vector<Share>& shares, const FrameworkProfile& framework) {
  const Layer& loss = graph.layers.back();
  const bool are_whole = framework.whole_logits.value > 0.5;
  if (loss.kind != LayerKind::softmax_cross_entropy || !are_whole || !needs_gradient(graph).back()) return 0.0;
  const double share = shares.back().work;
  const Ranged& each = share < 1.0 ? framework.split_logit_gradient_bytes : framework.logit_gradient_bytes;
  return kept_for_backward(loss).own * each.value * share;
}

struct Activations {
  Bytes kept, logit_gradients;  // these beyond what is kept at most
};

Activations activations(const LayerGraph& graph, const std::vector<Share>& shares, const InFlight& in_flight,
                        double width) {
  KeptActivations kept(graph, shares, width, in_flight);
  const double of_logits = in_flight.software == nullptr ? 0.0 : logit_gradients(graph, shares, *in_flight.software);
  if (in_flight.recompute == Recompute::none) {
    const double all = kept.keep(0, graph.layers.size());
    return {Bytes(all * in_flight.samples * in_flight.passes), Bytes(of_logits * in_flight.samples)};
  }
  std::vector<std::size_t> cuts = recompute_segments(graph);
  cuts.push_back(graph.layers.size());
  double inputs = 0.0, largest = 0.0, last = 0.0;
  for (std::size_t i = 1; i < cuts.size(); ++i) inputs += kept.keep_inputs(cuts[i - 1], cuts[i]);
  for (std::size_t i = 1; i < cuts.size(); ++i) {
    KeptActivations within = kept;  // each segment beside the inputs alone
    last = within.keep(cuts[i - 1], cuts[i]);
    largest = std::max(largest, last);
  }
  return {Bytes((inputs * in_flight.passes + largest) * in_flight.samples),
          Bytes(std::max(0.0, last + of_logits - largest) * in_flight.samples)};
}

}  // namespace

BytesPerParameter bytes_per_parameter(Precision precision, OptimizerKind optimizer) {
  const double width = bytes_in_memory(precision).value();
  const double states = optimizer_states(optimizer);
  const double master_copy = width < fp32_bytes ? fp32_bytes : 0.0;
  return {width, width, master_copy + states * std::max(width, fp32_bytes)};
}

BytesPerParameter bytes_per_parameter(Precision precision, OptimizerKind optimizer, const FrameworkProfile& framework) {
  BytesPerParameter each = bytes_per_parameter(precision, optimizer);
  if (each.weights >= fp32_bytes) return each;
  const bool is_half = precision == Precision::fp16;
  each.gradients = (is_half ? framework.gradient_bytes : framework.bf16_gradient_bytes).value;
  each.optimizer = framework.master_bytes.value + optimizer_states(optimizer) * framework.state_bytes.value;
  return each;
}

std::vector<Bytes> kept_by_layers(const LayerGraph& graph, const InFlight& in_flight, Precision precision) {
  const std::vector<Share> whole(graph.layers.size());
  const KeptActivations nothing(graph, whole, bytes_in_memory(precision).value(), in_flight);
  std::vector<Bytes> kept;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    KeptActivations alone = nothing;
    kept.emplace_back(alone.keep(i, i + 1));
  }
  return kept;
}

MemoryEstimate estimate_memory(const LayerGraph& graph, const std::vector<Share>& shares, const InFlight& in_flight,
                               Precision precision, OptimizerKind optimizer) {
  ORRERY_EXPECT(shares.size() == graph.layers.size());
  const FrameworkProfile* const software = in_flight.software;
  const BytesPerParameter each = software == nullptr ? bytes_per_parameter(precision, optimizer)
                                                     : bytes_per_parameter(precision, optimizer, *software);
  const HeldParameters held = held_parameters(graph, shares);
  const Activations kept = activations(graph, shares, in_flight, bytes_in_memory(precision).value());
  const Bytes reserve(software == nullptr ? 0.0 : software->reserve_GiB.value * gibi);
  return {Bytes(held.all * each.weights), Bytes(held.trainable * each.gradients),
          Bytes(held.trainable * each.optimizer), kept.kept, kept.logit_gradients + reserve};
}

MemoryEstimate estimate_memory(const LayerGraph& graph, const std::vector<Share>& shares, double samples_in_flight,
                               Precision precision, OptimizerKind optimizer) {
  return estimate_memory(graph, shares, InFlight{samples_in_flight}, precision, optimizer);
}

MemoryEstimate estimate_memory(const LayerGraph& graph, const std::vector<double>& shares, double samples_in_flight,
                               Precision precision, OptimizerKind optimizer) {
  std::vector<Share> all;
  all.reserve(shares.size());
  for (const double share : shares) all.push_back({share, share});
  return estimate_memory(graph, all, samples_in_flight, precision, optimizer);
}

}  // namespace orrery
