// What replicas exchange once a step, and what shows of it.
#include <algorithm>

#include "models/cost/cost_model.hpp"
#include "models/cost/pass_bytes.hpp"
#include "models/layouts/judge_state.hpp"
#include "models/layouts/replica_places.hpp"

namespace orrery {
namespace {

/// Whether each rank has all samples of what it holds.
bool has_no_sharers(const StageWork& stage, const Layout& layout) {
  const int replicas = replicas_in_step(layout);
  const double experts = stage.expert_parameters + stage.frozen_expert_parameters;
  return replicas == 1 && (experts <= 0 || expert_sharers(layout, replicas) == 1);
}

/// ZeRO-3, but in a pipeline.
bool gathers_by_block(const Layout& layout) {
  return layout.zero_stage == 3 && layout.pp == 1;
}

/// Of the numbers that a stage holds, those of blocks that have a backward pass.
double share_with_backward(const StageWork& stage) {
  const double all =
      stage.parameters + stage.expert_parameters + stage.frozen_parameters + stage.frozen_expert_parameters;
  return all > 0 ? 1.0 - stage.forward_parameters / all : 1.0;
}

double blocks_of_stage(const StageWork& stage) {
  return static_cast<double>(std::max<std::size_t>(1, stage.blocks));
}

/// Passes of a stage that exchanges can hide behind: computing beside which nothing else goes on the same wires, and
/// exchanges on other wires. Gradients are there after passes over the weights alone where those stand apart (ZB-H1).
struct Passes {
  Seconds forward, backward;
  double count, blocks;
};

Passes passes_beside(const StageWork& stage, const Layout& layout, const WireBytes& states, double count) {
  Passes passes{stage.forward_time(), stage.backward_time(), count, blocks_of_stage(stage)};
  if (share_wires(states, stage.tensor_sent.forward)) passes.forward -= stage.tensor_forward + stage.tensor_hidden;
  if (share_wires(states, stage.context_sent.forward)) passes.forward -= stage.context_forward;
  if (share_wires(states, stage.expert_sent.forward)) passes.forward -= stage.expert_forward + stage.expert_hidden;
  passes.forward = std::max(Seconds(), passes.forward);  // stages on devices of several kinds take the longest parts
  if (layout.pp > 1 && splits_backward(layout.schedule)) {
    passes.backward = stage.backward_weights;
    return passes;
  }
  if (share_wires(states, stage.tensor_sent.backward)) {
    passes.backward -= stage.tensor_backward + stage.tensor_recompute + stage.tensor_hidden_backward;
  }
  if (share_wires(states, stage.context_sent.backward))
    passes.backward -= stage.context_backward + stage.context_recompute;
  if (share_wires(states, stage.expert_sent.backward)) {
    passes.backward -= stage.expert_backward + stage.expert_recompute + stage.expert_hidden_backward;
  }
  passes.backward = std::max(Seconds(), passes.backward);
  return passes;
}

Seconds beyond(Seconds time, Seconds window) {
  return std::max(Seconds(0), time - window);
}

/// What an exchange beside computing adds to a step: what the pass does not hide, by how much the library's kernels
/// slow the pass meanwhile, and what every byte that a rank sends takes of its memory's bandwidth.
class Beside {
 public:
  Beside(const FrameworkProfile& framework, Seconds delay_of_byte)
      : interference_(framework.exchange_interference.value), delay_of_byte_(delay_of_byte) {}
  [[nodiscard]] Seconds shown(Seconds time, const WireBytes& sent, Seconds window) const {
    return beyond(time, window) + std::min(time, window) * interference_ + delay_of_byte_ * sent.total().value();
  }

 private:
  double interference_;
  Seconds delay_of_byte_;
};

/// ZeRO-3: parameters gathered for every pass that there is, gradients summed with every backward; the first gather of
/// a step has no pass before it.
StateExchange moved_with_passes(const StatesMoved& once, const Passes& passes, double overlap, const Beside& beside) {
  StateExchange exchange;
  const Seconds gradients = once.gradients.time + once.sums.time, again = once.parameters.time * once.gathered_again;
  exchange.forward.sent = once.parameters.sent;
  exchange.backward.sent = once.gradients.sent;
  exchange.backward.sent += once.parameters.sent * once.gathered_again;
  exchange.summed = once.sums.sent;
  WireBytes backward = exchange.backward.sent;
  backward += exchange.summed;
  exchange.forward.exposed = beside.shown(once.parameters.time, exchange.forward.sent, passes.forward * overlap);
  exchange.backward.exposed = beside.shown(again + gradients, backward, passes.backward * overlap);
  exchange.exchange_exposed = (exchange.forward.exposed + exchange.backward.exposed) * passes.count;
  exchange.exposed = exchange.exchange_exposed + once.parameters.time / passes.blocks;
  exchange.parameters = (once.parameters.time + again) * passes.count;
  exchange.gradients = gradients * passes.count;
  backward += exchange.forward.sent;
  exchange.sent = backward * passes.count;
  return exchange;
}

/// ZeRO-2: gradients summed with every backward pass, parameters gathered once, after the update.
StateExchange moved_with_backwards(const StatesMoved& once, const Passes& passes, double overlap,
                                   const Beside& beside) {
  StateExchange exchange;
  const Seconds gradients = once.gradients.time + once.sums.time;
  WireBytes each = once.gradients.sent;
  each += once.sums.sent;
  exchange.backward = {beside.shown(gradients, each, passes.backward * overlap), once.gradients.sent};
  exchange.summed = once.sums.sent;
  exchange.exchange_exposed = exchange.backward.exposed * passes.count;
  exchange.exposed = exchange.exchange_exposed;
  exchange.exposed += beside.shown(once.parameters.time, once.parameters.sent, passes.forward * overlap);
  exchange.parameters = once.parameters.time;
  exchange.gradients = gradients * passes.count;
  exchange.sent = each * passes.count;
  exchange.sent += once.parameters.sent;
  return exchange;
}

/// Gradients beside the last backward pass, parameters beside the first forward pass of the next step. Interleaved
/// chunks exchange theirs one after the other and have more passes to hide behind, but the collectives' kernels and
/// messages between stages get into each other's way: that no more is hidden than without is assumed. With all that the
/// passes would hide, steps on 10,752 H100 (MLPerf) and 12,288 A100 (MegaScale) are foretold 22 and 7 % too fast.
StateExchange moved_at_the_end(const StatesMoved& once, const Passes& passes, double overlap, const Beside& beside) {
  StateExchange exchange;
  exchange.gradients = once.gradients.time + once.sums.time, exchange.parameters = once.parameters.time;
  exchange.sent = once.gradients.sent;
  exchange.sent += once.sums.sent;
  exchange.exposed = beside.shown(exchange.gradients, exchange.sent, passes.backward * overlap);
  exchange.exposed += beside.shown(exchange.parameters, once.parameters.sent, passes.forward * overlap);
  exchange.exchange_exposed = beyond(once.cost.total(), passes.backward * overlap);
  exchange.sent += once.parameters.sent;
  return exchange;
}

}  // namespace

double LayoutJudge::State::wire_bytes_of_gradient() const {
  return gradient_wire_bytes(job_.framework, job_.precision);
}

LibraryCost LayoutJudge::State::over_replicas(CollectiveKind kind, double parameters, double bytes_each,
                                              const GroupPlace& place, const Layout& layout) const {
  const Paths& paths = paths_for(layout);
  return library_cost(kind, place, Bytes(parameters * bytes_each), paths.node, paths.network);
}

/// How many times longer the bytes of a gather of one block take than the library needs: software that asks for it in
/// many small pieces does not fill all links of a node, and is slowed by a thin core only below what it would reach.
double LayoutJudge::State::gather_slowdown(const GroupPlace& place) const {
  const double links = job_.framework.gather_links.value;
  if (links <= 0 || place.nodes() == 1 || !job_.cluster.network_link) return 1.0;
  const BytesPerSecond reached = job_.cluster.network_link->down * links;
  const LibraryPath& network = paths_.back().network;
  const double share = uplink_share(CollectiveKind::all_gather, place, network) /
                       crowding(CollectiveKind::all_gather, place, network.devices_per_nic);
  return std::max(1.0, network.bus * (share * static_cast<double>(place.per_node)) / reached);
}

StatesMoved LayoutJudge::State::states_moved_once(const StageWork& stage, const Layout& layout) const {
  StatesMoved once;
  const int all = replicas_in_step(layout), group = sharing_ranks(layout);
  const int expert_all = expert_sharers(layout, all), expert_group = expert_sharers(layout, group);
  const int per_node = job_.cluster.joined_devices();
  const double wire = wire_bytes_of_gradient();
  const bool by_block = gathers_by_block(layout);
  const Paths& paths = paths_for(layout);
  const double pieces = by_block ? blocks_of_stage(stage) : 1.0;
  const auto pay_part = [&](WholeExchange& whole, CollectiveKind kind, double bytes, const GroupPlace& place) {
    const LibraryCost cost = library_cost(kind, place, Bytes(bytes) / pieces, paths.node, paths.network);
    if (by_block) whole.time += cost.wire * ((gather_slowdown(place) - 1.0) * pieces);
    whole.time += cost.total() * pieces;
    whole.sent += cost.sent() * pieces;
    return cost;
  };
  const auto pay = [&](WholeExchange& whole, CollectiveKind kind, double dense, double experts) {
    if (experts > 0) pay_part(whole, kind, experts, place_of_expert_ranks(layout, layout.ep, expert_group, per_node));
    return pay_part(whole, kind, dense, place_of_replicas(layout, 1, group, per_node));
  };
  const auto sum = [&](double parameters, const GroupPlace& place) {
    const LibraryCost cost = over_replicas(CollectiveKind::all_reduce, parameters, wire, place, layout);
    once.sums.time += cost.total(), once.sums.sent += cost.sent();
  };
  const bool is_shared = layout.zero_stage > 0;
  once.cost = pay(once.gradients, is_shared ? CollectiveKind::reduce_scatter : CollectiveKind::all_reduce,
                  stage.parameters * wire, stage.expert_parameters * wire);
  once.summed_at_once = Bytes(stage.parameters * wire) / pieces;
  if (!is_shared) return once;
  // What never moves is gathered only where it is sharded too.
  const double width = bytes_in_memory(job_.precision).value(), frozen = by_block ? width : 0.0;
  pay(once.parameters, CollectiveKind::all_gather, stage.parameters * width + stage.frozen_parameters * frozen,
      stage.expert_parameters * width + stage.frozen_expert_parameters * frozen);
  if (by_block) once.gathered_again = share_with_backward(stage);
  sum(stage.parameters / group, place_of_replicas(layout, group, all / group, per_node));
  if (stage.expert_parameters > 0) {
    sum(stage.expert_parameters / expert_group,
        place_of_expert_ranks(layout, layout.ep * expert_group, expert_all / expert_group, per_node));
  }
  return once;
}

/// ZeRO 0: gradients all-reduced; 1: reduce-scattered, parameters gathered after the update; 2 without a pipeline: as
/// 1, but reduce-scattered with every micro-batch, as its rank adds up a shard of them (DeepSpeed, issue 2252; FSDP
/// without no_sync); 3 without a pipeline: parameters gathered block by block for the forward and for the backward
/// pass, gradients reduce-scattered, with every micro-batch; 2 and 3 in a pipeline: as 1, gradients and parameters stay
/// whole through the step (Llama 3, section 3.3.2).
StateExchange LayoutJudge::State::exchange_states(const StageWork& stage, const Layout& layout) const {
  if (has_no_sharers(stage, layout)) return {};
  const StatesMoved once = states_moved_once(stage, layout);
  const auto count = static_cast<double>(microbatches(layout, job_.batch));
  const Passes passes = passes_beside(stage, layout, once.gradients.sent, count);
  const FrameworkProfile& software = job_.framework;
  const Beside beside(software, delay_of_sent_byte());
  StateExchange exchange;
  if (gathers_by_block(layout)) {
    exchange = moved_with_passes(once, passes, software.parameter_overlap.value, beside);
  } else if (exchanges_with_microbatches(layout)) {
    exchange = moved_with_backwards(once, passes, software.gradient_overlap.value, beside);
  } else {
    exchange = moved_at_the_end(once, passes, software.gradient_overlap.value, beside);
  }
  exchange.cost = once.cost, exchange.summed_at_once = once.summed_at_once;
  return exchange;
}

/// An island agrees on its parameters, so every rank sums one part of the differences, one of as many as its island has
/// replicas, with its likes in the other islands. Then the parts of what a rank's optimizer holds are gathered from
/// those that hold the same, and, where it holds a share (ZeRO), the moved parameters from those that hold the others;
/// ZeRO-3 without a pipeline gathers them with the next pass anyway.
OuterExchange LayoutJudge::State::exchange_between_islands(const StageWork& stage, const Layout& layout) const {
  OuterExchange outer;
  const int islands = layout.outer.islands, island = replicas_in_step(layout);
  if (islands == 1) return outer;
  const int per_node = job_.cluster.joined_devices();
  const double difference = bytes_in_memory(layout.outer.format).value();
  const double kept = bytes_in_memory(job_.precision).value();
  const double each_step = 1.0 / layout.outer.every;
  const auto pay = [&](WholeExchange& part, CollectiveKind kind, double parameters, double bytes_each,
                       const GroupPlace& place) {
    const LibraryCost cost = over_replicas(kind, parameters, bytes_each, place, layout);
    part.time += cost.total() * each_step;
    part.sent += cost.sent() * each_step;
  };
  // Of ranks so far apart, `same` in an island, that hold the same; so many of them share their states.
  const auto pay_all = [&](double parameters, const auto& place, int apart, int same, int shares) {
    pay(outer.across, CollectiveKind::all_reduce, parameters / same, difference,
        place(layout, apart * same, islands, per_node));
    WholeExchange& alike = layout.zero_stage == 0 ? outer.states : outer.shards;
    pay(alike, CollectiveKind::all_gather, parameters / shares, difference,
        place(layout, apart * shares, same / shares, per_node));
    if (gathers_by_block(layout)) return;
    pay(outer.states, CollectiveKind::all_gather, parameters, kept, place(layout, apart, shares, per_node));
  };
  pay_all(stage.parameters, place_of_replicas, 1, island, state_shares(layout));
  if (stage.expert_parameters > 0) {
    pay_all(stage.expert_parameters, place_of_expert_ranks, layout.ep, expert_sharers(layout, island),
            expert_state_shares(layout));
  }
  return outer;
}

/// By how much a byte of gradients that a rank sends delays its kernels, hidden or not.
Seconds LayoutJudge::State::delay_of_sent_byte() const {
  const double bandwidth = job_.cluster.device.memory_bandwidth.value() * job_.device_law.memory_share.value;
  return Seconds(bandwidth > 0 ? job_.framework.exchange_traffic.value / bandwidth : 0.0);
}

}  // namespace orrery
