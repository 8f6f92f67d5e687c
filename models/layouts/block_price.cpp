#include "models/layouts/block_price.hpp"

#include <algorithm>

#include "models/cost/framework_kernels.hpp"
#include "models/layouts/block_memory.hpp"
#include "models/layouts/block_share.hpp"
#include "models/layouts/expert_dispatch.hpp"
#include "models/layouts/group_place.hpp"
#include "sim/base/number.hpp"
#include "topologies/leaf_shape.hpp"

namespace orrery {
namespace {

class BlockPricer {
 public:
  BlockPricer(const TrainingJob& job, const Block& block, const TensorSplit& split, const Layout& layout,
              const Paths& paths, const LayerMarks& marks)
      : job_(job),
        block_(block),
        kernels_{job.framework, job.cluster.device, job.device_law},
        shares_(job, split, layout),
        layout_(layout),
        paths_(paths),
        marks_(marks) {}

  BlockPrice price() {
    for (std::size_t i = block_.first; i < block_.end; ++i) {
      price_layer(i);
      price_exchanges(i);
    }
    const Layer& last = job_.network.layers[block_.end - 1];
    price_.boundary_numbers = shares_.samples(last) * number(last.out.count() + block_.carried) / layout_.cp;
    const KeptInBlock kept = kept_in(block_, job_, shares_, layout_, marks_);
    price_.kept = kept.all, price_.kept_full = kept.full;
    price_.selective.kept = kept.selective, price_.operators.kept = kept.operators;
    price_.logit_gradients = kept.logit_gradients;
    if (!block_.has_backward) forget_backward();
    return price_;
  }

 private:
  [[nodiscard]] KernelRun run_of(const Layer& layer, const std::vector<Operator>& operators) const {
    const double head = layout_.tp == 1 && shares_.is_head(layer) ? job_.framework.unsplit_head.value : 1.0;
    return kernels_.run(layer, operators, shares_.precision_of(layer), head);
  }

  void add_backward(const KernelRun& run, Seconds& time) {
    time += run.time;
    price_.launches += run.launches, price_.backward_kernels += run.calls;
  }

  void price_layer(std::size_t index) {
    const Layer& layer = job_.network.layers[index];
    const OperatorShare share = shares_.of(layer);
    const LayerOperators operators = operators_of(layer, share, shares_.precision_of(layer));
    const KernelRun run = run_of(layer, operators.forward);
    const Seconds forward = run.time;
    price_.forward += forward, price_.launches += run.launches, price_.forward_kernels += run.calls;
    price_.experts += share.experts;
    const Seconds unsaved = forward * (1.0 - marks_.saved[index]);
    follow_last_product(layer, forward, price_.last_product);
    follow_last_product(layer, unsaved, price_.operators.last_product);
    if (marks_.is_selective[index]) price_.selective.time += forward, price_.selective.kernels += run.calls;
    price_.operators.time += unsaved;
    price_.operators.kernels += run.calls * (1.0 - marks_.saved[index]);
    if (marks_.has_backward[index]) {
      add_backward(run_of(layer, operators.backward_input), price_.backward_input);
      add_backward(run_of(layer, operators.backward_weights), price_.backward_weights);
      if (!layer.frozen) count_weight_tensors(layer);
    }
    if (operators.is_attention_core && layout_.cp > 1) pass_keys_round(layer, operators);
    if (operators.is_attention_core && marks_.saved[index] < 1) price_.operators.attends = true;
    count_parameters(layer);
  }

  /// Sums and dropout need nothing of what they are given; every other layer needs the outputs before it.
  static void follow_last_product(const Layer& layer, Seconds forward, Seconds& last_product) {
    if (is_view(layer.kind)) return;
    if (layer.kind == LayerKind::residual_add || layer.kind == LayerKind::dropout) {
      last_product += forward;
    } else {
      last_product = layer.kind == LayerKind::dense ? forward : Seconds();
    }
  }

  /// Nothing below the block trains, nor does it.
  void forget_backward() {
    price_.selective.time = price_.operators.time = price_.tensor_backward = price_.gather_again = Seconds();
    price_.context_backward = price_.expert_backward = Seconds();
    price_.selective.kernels = price_.operators.kernels = price_.backward_kernels = 0;
    price_.tensor_sent.backward = price_.context_sent.backward = price_.expert_sent.backward = WireBytes();
  }

  void count_weight_tensors(const Layer& layer) {
    const double experts = number(expert_weight_tensors(layer));
    price_.weight_tensors += number(weight_tensors(layer)) - experts;
    price_.expert_weight_tensors += experts / layout_.ep;
  }

  void count_parameters(const Layer& layer) {
    const double all = number(parameters(layer));
    double& dense = layer.frozen ? price_.frozen_parameters : price_.parameters;
    if (layer.kind == LayerKind::mixture_of_experts) {
      const double router = number(router_parameters(layer));
      const double each = (all - router) / number(layer.experts + layer.shared_experts);
      double& experts = layer.frozen ? price_.frozen_expert_parameters : price_.expert_parameters;
      experts += each * number(layer.experts) / layout_.ep / expert_tensor_degree(layout_);
      dense += router + each * number(layer.shared_experts) / layout_.tp;
      return;
    }
    const LayerSplit& split = shares_.split_of(layer.id.index());
    const bool is_whole =
        split.mode == SplitMode::replicated || layer.kind == LayerKind::rms_norm;  // one scale for all
    dense += all * (is_whole ? 1.0 : split.share.work);
  }

  void price_exchanges(std::size_t index) {
    const Layer& layer = job_.network.layers[index];
    if (layer.kind == LayerKind::mixture_of_experts && has_split_experts(layer)) {
      const double numbers = shares_.samples(layer) * number(layer.in.count());
      exchange(layer, CollectiveKind::all_reduce, numbers, forward_side());
      exchange(layer, CollectiveKind::all_reduce, numbers, backward_side());
    }
    if (layer.kind == LayerKind::mixture_of_experts && layout_.ep > 1) visit_experts(layer);
    if (layout_.tp == 1) return;
    const LayerSplit& split = shares_.split_of(index);
    const double times = shares_.samples(layer);
    if (!shares_.has_split_logits(layer)) {
      for (const TensorExchange& each : split.before_forward) {
        exchange(layer, each.kind, times * each.numbers, forward_side());
      }
    }
    for (const TensorExchange& each : split.after_forward) {
      exchange(layer, each.kind, times * each.numbers, forward_side());
    }
    for (const TensorExchange& each : split.before_backward) {
      exchange(layer, each.kind, times * each.numbers, backward_side());
    }
    if (shares_.gathers_again() && split.gathered_again > 0) {
      exchange(layer, CollectiveKind::all_gather, times * split.gathered_again, gather_again_side());
    }
  }

  /// Whether tensor-parallel ranks work on one expert together, a shared one or another.
  [[nodiscard]] bool has_split_experts(const Layer& layer) const {
    return layout_.tp > 1 && (expert_tensor_degree(layout_) > 1 || layer.shared_experts > 0);
  }

  /// What is gathered under sequence parallelism are operands of products: in fp8 they travel as they were cast
  /// (Transformer Engine, gather_along_first_dim of quantised tensors; torchao's float8 column-wise parallel layers).
  [[nodiscard]] Bytes bytes_of(CollectiveKind kind) const {
    const bool is_cast = kind == CollectiveKind::all_gather && layout_.sequence_parallel == SequenceParallel::on;
    return is_cast ? bytes_per_number(job_.precision) : bytes_in_memory(job_.precision);
  }

  /// Where a tensor-parallel exchange of a pass counts: its time, what is computed beside it, calls of the host, bytes.
  struct Side {
    Seconds& exchange;
    Seconds& computing;
    double& kernels;
    WireBytes& sent;
    double calls = launches_of_collective;
  };
  Side forward_side() {
    return {price_.tensor_forward, price_.forward, price_.forward_kernels, price_.tensor_sent.forward};
  }
  Side backward_side() {
    return {price_.tensor_backward, price_.backward_input, price_.backward_kernels, price_.tensor_sent.backward};
  }
  /// Issued with what the first gather's tensor was issued with: no calls of its own.
  Side gather_again_side() {
    return {price_.gather_again, price_.backward_input, price_.backward_kernels, price_.tensor_sent.backward, 0};
  }

  /// With sequence parallelism an all-reduce becomes a reduce-scatter and an all-gather.
  void exchange(const Layer& layer, CollectiveKind kind, double numbers, const Side& side) {
    side.kernels += side.calls;
    if (layout_.sequence_parallel == SequenceParallel::off) return pay(kind, numbers, side);
    const bool is_sum = kind == CollectiveKind::all_reduce;
    const auto parts =
        is_sum ? std::vector{CollectiveKind::reduce_scatter, CollectiveKind::all_gather} : std::vector{kind};
    for (const CollectiveKind part : parts) {
      pay(part, numbers, side);
      lay_out_by_rank(layer, part, numbers, side);
    }
  }

  void pay(CollectiveKind kind, double numbers, const Side& side) {
    const GroupPlace place = place_of(layout_, Dimension::tp, job_.cluster.joined_devices());
    const Bytes bytes = bytes_of(kind) * (numbers / layout_.cp);
    const LibraryCost cost = library_cost(kind, place, bytes, paths_.node, paths_.network);
    side.exchange += cost.total();
    side.sent += cost.sent();
  }

  /// The tokens of several sequences that one rank sends or gets do not lie side by side: software that exchanges along
  /// the first dimension alone copies them there and back (sequence_copies), reading and writing each number once.
  void lay_out_by_rank(const Layer& layer, CollectiveKind kind, double numbers, const Side& side) {
    const double copies = job_.framework.sequence_copies.value;
    if (copies <= 0 || layout_.microbatch == 1) return;
    Operator copy;
    copy.bytes = (bytes_of(kind) * (2.0 * copies * numbers / layout_.cp)).value();
    const KernelRun run = run_of(layer, {copy});
    side.computing += run.time;
    side.kernels += run.calls;
    price_.launches += run.launches;
  }

  /// Dispatch and combine, forward and backward each: the time of the busiest rank, the bytes of the mean.
  void visit_experts(const Layer& layer) {
    const OperatorShare share = shares_.of(layer);
    const double tokens = share.expert_visits / number(layer.experts_per_token);
    const double parts = layout_.sequence_parallel == SequenceParallel::on ? expert_tensor_degree(layout_) : 1;
    const Bytes all = bytes_in_memory(job_.precision) * (tokens * number(layer.in.channels) / parts);
    const GroupPlace place = place_of(layout_, Dimension::ep, job_.cluster.joined_devices());
    const bool is_by_node = job_.framework.node_dispatch.value > 0.5;
    const TokenCopies copies = is_by_node ? copies_per_node(layer, place) : copies_per_expert(layer, place);
    const LibraryCost cost =
        all_to_all_cost(place, {all * copies.node, all * copies.network}, paths_.node, paths_.network);
    price_.expert_forward += cost.total() * 2.0;
    price_.expert_backward += cost.total() * 2.0;
    const double sent = shares_.mean_share() / shares_.busiest_share() * 2.0;
    price_.expert_sent.forward += cost.sent() * sent;
    price_.expert_sent.backward += cost.sent() * sent;
  }

  /// Times a device's share of its node's NICs that one ring has which leaves the node: its last rank there sends for
  /// all that it has in the node, over one NIC; less where thin uplinks leave less.
  [[nodiscard]] double share_of_crossing_ring(const GroupPlace& place, const LibraryPath& network) const {
    const double devices = job_.cluster.devices_per_node, nics = job_.cluster.nics_per_node;
    const double uplink = uplink_share(CollectiveKind::all_gather, place, network) * place.per_node;
    return std::min({static_cast<double>(place.per_node), std::max(1.0, devices / nics), uplink});
  }

  /// Ring attention: keys and values of the other parts come round, cp - 1 messages, while those at hand are worked on;
  /// backward their gradients come with them. Of the ranks in a node the last one sends to the next node.
  void pass_keys_round(const Layer& layer, const LayerOperators& operators) {
    const double size = number(head_size(layer)), value = number(value_size(layer));
    const double heads = std::max(1.0, number(layer.kv_heads) / layout_.tp);
    const double tokens = shares_.samples(layer) * number(key_tokens(layer)) / layout_.cp;
    const Bytes part = bytes_in_memory(job_.precision) * (tokens * heads * (size + value));
    const GroupPlace place = place_of(layout_, Dimension::cp, job_.cluster.joined_devices());
    const bool crosses = place.nodes() > 1;
    LibraryPath path = crosses ? paths_.network : paths_.node;
    if (crosses) path = narrowed(path, share_of_crossing_ring(place, path));
    const double steps = layout_.cp - 1;
    const Seconds forward = run_of(layer, operators.forward).time;
    const Seconds backward = run_of(layer, operators.backward_input).time;
    const Seconds once = message_time(part, path);
    const auto left_over = [&](Seconds each, Seconds computing) {
      return std::max(Seconds(0), each - computing / static_cast<double>(layout_.cp)) * steps;
    };
    price_.context_forward += left_over(once, forward);
    price_.context_backward += left_over(once * 2.0, backward);
    const double out = crosses ? 1.0 / place.per_node : 0.0;
    const WireBytes sent{part * (steps * (1.0 - out)), part * (steps * out)};
    price_.context_sent.forward += sent;
    price_.context_sent.backward += sent * 2.0;
  }

  const TrainingJob& job_;
  const Block& block_;
  FrameworkKernels kernels_;
  BlockShares shares_;
  const Layout& layout_;
  const Paths& paths_;
  const LayerMarks& marks_;
  BlockPrice price_;
};

}  // namespace

BlockPrice price_block(const TrainingJob& job, const Block& block, const TensorSplit& split, const Layout& layout,
                       const Paths& paths, const LayerMarks& marks) {
  return BlockPricer(job, block, split, layout, paths, marks).price();
}

}  // namespace orrery
