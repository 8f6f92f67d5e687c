#include "models/layouts/block_price.hpp"

#include <algorithm>
#include <array>

#include "models/cost/memory.hpp"
#include "models/cost/operators.hpp"
#include "models/cost/pass_bytes.hpp"
#include "topologies/leaf_shape.hpp"

namespace orrery {
namespace {

double number(std::int64_t value) {
  return static_cast<double>(value);
}

LibraryPath path_of(const FabricLaw& law, BytesPerSecond bus) {
  LibraryPath path;
  path.bus = bus;
  path.in_network = BytesPerSecond(law.in_network_GBps.value * giga);
  path.in_network_ranks = law.in_network_ranks;
  path.base = Seconds(law.base_us.value * micro);
  path.hop = Seconds(law.hop_us.value * micro);
  path.fill = Seconds(law.fill_us.value * micro);
  path.fill_bytes = Bytes(law.fill_MB.value * mega);
  path.small_ring_loss = law.small_ring_loss.value;
  const std::array<const Ranged*, 6> given = {&law.bus_of_2_GBps, &law.bus_of_3_GBps, &law.bus_of_4_GBps,
                                              &law.bus_of_5_GBps, &law.bus_of_6_GBps, &law.bus_of_7_GBps};
  for (std::size_t i = 0; i < given.size(); ++i) path.bus_of_ranks[i] = BytesPerSecond(given[i]->value * giga);
  return path;
}

class BlockPricer {
 public:
  BlockPricer(const TrainingJob& job, const Block& block, const TensorSplit& split, const Layout& layout,
              const Paths& paths)
      : job_(job),
        block_(block),
        split_(split),
        layout_(layout),
        paths_(paths),
        has_backward_(needs_gradient(job.network)) {}

  BlockPrice price() {
    for (std::size_t i = block_.first; i < block_.end; ++i) {
      price_layer(i);
      price_exchanges(i);
    }
    const Layer& last = job_.network.layers[block_.end - 1];
    price_.boundary_numbers = samples(last) * number(last.out.count()) / layout_.cp;
    keep();
    return price_;
  }

 private:
  [[nodiscard]] const LayerSplit& split_of(std::size_t layer) const {
    static const LayerSplit whole;
    return split_.layers.empty() ? whole : split_.layers[layer];
  }
  /// The logits stay split over the vocabulary: their loss exchanges sums only (Megatron-LM).
  [[nodiscard]] bool has_split_logits(const Layer& layer) const {
    return layout_.tp > 1 && is_loss(layer.kind) && layer.input.valid() &&
           split_of(layer.input.index()).mode == SplitMode::column;
  }
  /// The products of the logits, just before the loss.
  [[nodiscard]] bool is_head(const Layer& layer) const {
    return layer.kind == LayerKind::dense && layer.out.channels == job_.network.classes &&
           layer.id.index() + 2 == job_.network.layers.size();
  }
  [[nodiscard]] double samples(const Layer& layer) const {
    const bool is_last = layer.id.index() + 1 == job_.network.layers.size();
    return number(layout_.microbatch) * (is_last || is_head(layer) ? job_.head_tokens : job_.computed_tokens);
  }

  [[nodiscard]] OperatorShare share_of(const Layer& layer) const {
    const LayerSplit& split = split_of(layer.id.index());
    OperatorShare share;
    share.samples = samples(layer);
    share.context = layer.in.height > 1 ? 1.0 / layout_.cp : 1.0;
    share.logit_bytes = job_.framework.logit_bytes.value;
    share.attention = job_.framework.flash_attention.value > 0.5 ? AttentionKernel::flash : AttentionKernel::unfused;
    share.scores = job_.framework.fp32_scores.value > 0.5 ? ScoreFormat::autocast : ScoreFormat::as_kept;
    switch (split.mode) {
      case SplitMode::row:
        share.input = split.share.input;
        break;
      case SplitMode::column:
      case SplitMode::channelwise:
        share.work = split.share.work;
        break;
      case SplitMode::vocabulary:
      case SplitMode::replicated:
        if (layout_.sequence_parallel == SequenceParallel::on) share.region = 1.0 / layout_.tp;
        break;
    }
    if (has_split_logits(layer)) share.work = 1.0 / layout_.tp;
    if (layer.kind == LayerKind::mixture_of_experts) deal_experts(layer, share);
    return share;
  }

  /// Every rank of an expert-parallel group sends its visits out and works on as many for the others. The experts'
  /// inner width is split over the tensor-parallel group.
  void deal_experts(const Layer& layer, OperatorShare& share) const {
    const double tokens = share.samples * number(layer.in.height) * share.context;
    share.experts = number(layer.experts) / layout_.ep;
    share.expert_visits = tokens * number(layer.experts_per_token) * busiest_share();
    share.work = 1.0 / layout_.tp;
  }

  /// Visits of the busiest rank / mean. With a capacity the slots are filled up, and what exceeds them is dropped.
  [[nodiscard]] double busiest_share() const {
    if (job_.capacity_factor <= 0) return job_.expert_imbalance;
    return job_.expert_imbalance > 1 ? std::min(job_.capacity_factor, job_.expert_imbalance) : job_.capacity_factor;
  }

  /// Times that kernels of a layer take by the software, beside the two laws of the device.
  [[nodiscard]] double slowness(const Layer& layer) const {
    const double head = layout_.tp == 1 && is_head(layer) ? job_.framework.unsplit_head.value : 1.0;
    return head / job_.framework.kernel_efficiency.value;
  }

  void add(const Layer& layer, const std::vector<Operator>& operators, Seconds& time, double& kernels) const {
    const double longer = slowness(layer);
    for (const Operator& op : operators) {
      time += operator_time(op, job_.cluster.device, job_.device_law, job_.precision) * longer;
      kernels += op.launches;
    }
  }

  void price_layer(std::size_t index) {
    const Layer& layer = job_.network.layers[index];
    const LayerOperators operators = operators_of(layer, share_of(layer), job_.precision);
    Seconds forward;
    double kernels = 0;
    add(layer, operators.forward, forward, kernels);
    price_.forward += forward, price_.forward_kernels += kernels;
    const bool is_unfused = job_.framework.flash_attention.value <= 0.5;
    if (operators.is_attention_core && is_unfused) {
      price_.core += forward, price_.core_kernels += kernels;
    }
    if (has_backward_[index]) {
      add(layer, operators.backward_input, price_.backward_input, price_.backward_kernels);
      add(layer, operators.backward_weights, price_.backward_weights, price_.backward_kernels);
    }
    if (operators.is_attention_core && layout_.cp > 1) pass_keys_round(layer, operators);
    count_parameters(layer);
  }

  void count_parameters(const Layer& layer) {
    const double all = number(trainable_parameters(layer));
    if (layer.kind == LayerKind::mixture_of_experts) {
      const double router = number(layer.in.channels * layer.experts);
      const double each = (all - router) / number(layer.experts + layer.shared_experts) / layout_.tp;
      price_.expert_parameters += each * number(layer.experts) / layout_.ep;
      price_.parameters += router + each * number(layer.shared_experts);
      return;
    }
    const LayerSplit& split = split_of(layer.id.index());
    price_.parameters += all * (split.mode == SplitMode::replicated ? 1.0 : split.share.work);
  }

  void price_exchanges(std::size_t index) {
    const Layer& layer = job_.network.layers[index];
    if (layout_.tp > 1 && layer.kind == LayerKind::mixture_of_experts) {
      const double numbers = samples(layer) * number(layer.in.count());
      price_.tensor_sent.forward += exchange(CollectiveKind::all_reduce, numbers, price_.tensor_forward);
      price_.tensor_sent.backward += exchange(CollectiveKind::all_reduce, numbers, price_.tensor_backward);
      price_.forward_kernels += launches_of_collective, price_.backward_kernels += launches_of_collective;
    }
    if (layer.kind == LayerKind::mixture_of_experts && layout_.ep > 1) visit_experts(layer);
    if (layout_.tp == 1) return;
    const LayerSplit& split = split_of(index);
    const double times = samples(layer);
    if (!has_split_logits(layer)) {
      for (const TensorExchange& each : split.before_forward) {
        price_.tensor_sent.forward += exchange(each.kind, times * each.numbers, price_.tensor_forward);
        price_.forward_kernels += launches_of_collective;
      }
    }
    for (const TensorExchange& each : split.after_forward) {
      price_.tensor_sent.forward += exchange(each.kind, times * each.numbers, price_.tensor_forward);
      price_.forward_kernels += launches_of_collective;
    }
    for (const TensorExchange& each : split.before_backward) {
      price_.tensor_sent.backward += exchange(each.kind, times * each.numbers, price_.tensor_backward);
      price_.backward_kernels += launches_of_collective;
      if (layout_.sequence_parallel == SequenceParallel::on) {
        price_.tensor_sent.backward += exchange(CollectiveKind::all_gather, times * each.numbers, price_.gather_again);
      }
    }
  }

  /// With sequence parallelism an all-reduce becomes a reduce-scatter and an all-gather. Returns what a rank sends.
  WireBytes exchange(CollectiveKind kind, double numbers, Seconds& time) {
    WireBytes sent;
    const Bytes bytes = bytes_in_memory(job_.precision) * (numbers / layout_.cp);
    const GroupPlace place = place_of(layout_, Dimension::tp, job_.cluster.devices_per_node);
    const auto pay = [&](CollectiveKind part) {
      const LibraryCost cost = library_cost(part, place, bytes, paths_.node, paths_.network);
      time += cost.total();
      sent += cost.sent();
    };
    if (kind == CollectiveKind::all_reduce && layout_.sequence_parallel == SequenceParallel::on) {
      pay(CollectiveKind::reduce_scatter);
      pay(CollectiveKind::all_gather);
    } else {
      pay(kind);
    }
    return sent;
  }

  /// Dispatch and combine, forward and backward each.
  void visit_experts(const Layer& layer) {
    const OperatorShare share = share_of(layer);
    const Bytes bytes =
        bytes_in_memory(job_.precision) * (share.expert_visits * number(layer.in.channels) /
                                           (layout_.sequence_parallel == SequenceParallel::on ? layout_.tp : 1));
    const GroupPlace place = place_of(layout_, Dimension::ep, job_.cluster.devices_per_node);
    const LibraryCost cost = library_cost(CollectiveKind::all_to_all, place, bytes, paths_.node, paths_.network);
    price_.expert_forward += cost.total() * 2.0;
    price_.expert_backward += cost.total() * 2.0;
    price_.expert_sent.forward += cost.sent() * 2.0;
    price_.expert_sent.backward += cost.sent() * 2.0;
  }

  /// Ring attention: keys and values of the other parts come round, cp - 1 messages, while those at hand are worked on;
  /// backward their gradients come with them. Of the ranks in a node the last one sends to the next node.
  void pass_keys_round(const Layer& layer, const LayerOperators& operators) {
    const double size = number(head_size(layer)), value = number(value_size(layer));
    const double heads = std::max(1.0, number(layer.kv_heads) / layout_.tp);
    const double tokens = samples(layer) * number(key_tokens(layer)) / layout_.cp;
    const Bytes part = bytes_in_memory(job_.precision) * (tokens * heads * (size + value));
    const GroupPlace place = place_of(layout_, Dimension::cp, job_.cluster.devices_per_node);
    const bool crosses = place.nodes() > 1;
    LibraryPath path = crosses ? paths_.network : paths_.node;
    if (crosses) path = narrowed(path, uplink_share(CollectiveKind::all_gather, place, path));
    const double steps = layout_.cp - 1;
    Seconds forward, backward;
    double kernels = 0;
    add(layer, operators.forward, forward, kernels);
    add(layer, operators.backward_input, backward, kernels);
    const Seconds once = message_time(part, path);
    const auto left_over = [&](Seconds each, Seconds computing) {
      return std::max(Seconds(0), each - computing / static_cast<double>(layout_.cp)) * steps;
    };
    price_.context_forward += left_over(once, forward);
    price_.context_backward += left_over(once * 2.0, backward);
    price_.context_whole += once * (3.0 * steps);
    const double out = crosses ? 1.0 / place.per_node : 0.0;
    const WireBytes sent{part * (steps * (1.0 - out)), part * (steps * out)};
    price_.context_sent.forward += sent;
    price_.context_sent.backward += sent * 2.0;
  }

  /// Activations that one micro-batch leaves here until its backward pass.
  void keep() {
    const LayerGraph& graph = job_.network;
    std::vector<Share> shares(graph.layers.size(), Share{0, 0, 0});
    for (std::size_t i = block_.first; i < block_.end; ++i) shares[i] = memory_share(graph.layers[i]);
    const InFlight one{number(layout_.microbatch) * job_.computed_tokens / layout_.cp, 1, Recompute::none};
    const Bytes all = estimate_memory(graph, shares, one, job_.precision, job_.optimizer).activations -
                      tiled_logits(shares, one.samples);
    Bytes scores;
    for (std::size_t i = block_.first; i < block_.end; ++i)
      scores += scores_of(graph.layers[i], shares[i], one.samples);
    const bool flash = job_.framework.flash_attention.value > 0.5;
    Bytes slots;
    for (std::size_t i = block_.first; i < block_.end; ++i) {
      slots += unplanned_visits(job_.network.layers[i], shares[i], one.samples);
    }
    price_.kept = (flash ? all - scores : all) + slots;
    price_.kept_selective = all - scores + slots;
    const Layer& first = graph.layers[block_.first];
    const double entering = block_.first == 0 ? 0.0 : number(first.in.count()) * shares[block_.first].input;
    price_.kept_full = bytes_in_memory(job_.precision) * (entering * one.samples);
  }

  /// What the visits of the busiest rank beyond the mean keep (with a capacity filled slots, or fewer): per visit the
  /// copies to and from an expert and what its products and its gate read; not the router's probabilities.
  [[nodiscard]] Bytes unplanned_visits(const Layer& layer, const Share& share, double samples) const {
    if (layer.kind != LayerKind::mixture_of_experts) return {};
    Layer unvisited = layer;
    unvisited.experts_per_token = 0;
    const double visits = kept_for_backward(layer).own - kept_for_backward(unvisited).own;
    return bytes_in_memory(job_.precision) * (visits * (busiest_share() - 1.0) * share.work * samples);
  }

  /// What a loss that works on the logits piece by piece does not keep of them.
  [[nodiscard]] Bytes tiled_logits(const std::vector<Share>& shares, double samples) const {
    const std::size_t last = block_.end - 1;
    const Layer& loss = job_.network.layers[last];
    if (loss.kind != LayerKind::softmax_cross_entropy || job_.framework.whole_logits.value > 0.5) return {};
    const double bytes = std::max(4.0, bytes_in_memory(job_.precision).value());
    return Bytes(kept_for_backward(loss).own * bytes * shares[last].work * samples);
  }

  [[nodiscard]] Bytes scores_of(const Layer& layer, const Share& share, double samples) const {
    if (layer.kind != LayerKind::attention && layer.kind != LayerKind::cross_attention) return {};
    const KeptForBackward kept = kept_for_backward(layer);
    return Bytes((kept.own * bytes_in_memory(job_.precision).value() + kept.masks) * share.work * samples);
  }

  [[nodiscard]] Share memory_share(const Layer& layer) const {
    const LayerSplit& split = split_of(layer.id.index());
    if (layout_.tp == 1) return {};
    const double part = 1.0 / layout_.tp;
    const double region = layout_.sequence_parallel == SequenceParallel::on ? part : 1.0;
    if (has_split_logits(layer) || layer.kind == LayerKind::mixture_of_experts) return {part, part, part};
    switch (split.mode) {
      case SplitMode::column:
        return {part, region, part};
      case SplitMode::row:
        return {part, part, region};
      case SplitMode::channelwise:
        return {part, part, part};
      case SplitMode::vocabulary:
      case SplitMode::replicated:
        return {region, region, region};
    }
    return {};
  }

  const TrainingJob& job_;
  const Block& block_;
  const TensorSplit& split_;
  const Layout& layout_;
  const Paths& paths_;
  std::vector<bool> has_backward_;
  BlockPrice price_;
};

}  // namespace

Paths paths_of(const TrainingJob& job) {
  const ClusterDescription& cluster = job.cluster;
  Paths paths;
  const double share = static_cast<double>(cluster.nics_per_node) / cluster.devices_per_node;
  if (cluster.network_link) {
    paths.network = path_of(job.network_law, BytesPerSecond(job.network_law.bus_GBps.value * giga * share));
    const LeafShape leaf = leaf_shape(cluster);
    paths.network.leaf_nodes = leaf.nodes, paths.network.oversubscription = leaf.oversubscription;
  }
  paths.node =
      cluster.node_link ? path_of(job.node_law, BytesPerSecond(job.node_law.bus_GBps.value * giga)) : paths.network;
  return paths;
}

BytesPerSecond message_rate(const Layout& layout, int devices_per_node, const LibraryPath& network) {
  const GroupPlace stages = place_of(layout, Dimension::pp, devices_per_node);
  return network.bus * uplink_share(CollectiveKind::broadcast, stages, network);
}

BlockPrice price_block(const TrainingJob& job, const Block& block, const TensorSplit& split, const Layout& layout,
                       const Paths& paths) {
  return BlockPricer(job, block, split, layout, paths).price();
}

}  // namespace orrery
