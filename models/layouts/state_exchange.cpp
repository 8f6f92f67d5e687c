// What replicas exchange once a step, the optimizer, and messages between stages.
#include <algorithm>
#include <cmath>

#include "models/cost/cost_model.hpp"
#include "models/cost/pass_bytes.hpp"
#include "models/layouts/judge_state.hpp"
#include "models/layouts/replica_places.hpp"

namespace orrery {
namespace {

/// An outer step in fp32, every number read or written once: before the exchange the shared and the own parameters are
/// read and their difference written; after it the summed difference, the momentum and the shared parameters are read,
/// and momentum, shared and own parameters written.
constexpr double outer_update_bytes = 9 * 4;

/// Parts that optimizer state is divided into, of one rank each.
int state_shares(const Layout& layout) {
  if (layout.zero_stage == 0) return 1;
  return layout.zero_group > 0 ? layout.zero_group : replicas_in_step(layout);
}

/// Of one exchange of all states, what each of its parts sends.
struct StatesSent {
  WireBytes gradients, gathered, summed;  // summed: shards between groups
};

/// Passes of a stage that exchanges can hide behind.
struct Passes {
  Seconds forward, backward;
  double count, blocks;
};

WireBytes since(const WireBytes& now, const WireBytes& before) {
  return {now.node - before.node, now.network - before.network};
}

Seconds beyond(Seconds time, Seconds window) {
  return std::max(Seconds(0), time - window);
}

/// ZeRO-3: parameters gathered for every pass, gradients summed with every backward; the first gather of a step has no
/// pass before it.
void move_with_passes(StateExchange& exchange, const StatesSent& sent, const Passes& passes,
                      const FrameworkProfile& framework) {
  const double overlap = framework.parameter_overlap.value;
  const auto shown = [&](Seconds time, Seconds window) {
    return beyond(time, window) + std::min(time, window) * framework.exchange_interference.value;
  };
  exchange.forward = {shown(exchange.parameters, passes.forward * overlap), sent.gathered};
  exchange.backward = {shown(exchange.parameters + exchange.gradients, passes.backward * overlap), sent.gradients};
  exchange.backward.sent += sent.gathered;
  exchange.summed = sent.summed;
  exchange.exposed = (exchange.forward.exposed + exchange.backward.exposed) * passes.count;
  exchange.exposed += exchange.parameters / passes.blocks;
  exchange.parameters *= 2.0 * passes.count;
  exchange.gradients *= passes.count;
  exchange.sent += sent.gathered;
  exchange.sent = exchange.sent * passes.count;
}

/// ZeRO-2: gradients summed with every backward pass, parameters gathered once, after the update.
void move_with_backwards(StateExchange& exchange, const StatesSent& sent, const Passes& passes,
                         const FrameworkProfile& framework) {
  const double overlap = framework.gradient_overlap.value;
  exchange.backward = {beyond(exchange.gradients, passes.backward * overlap), sent.gradients};
  exchange.summed = sent.summed;
  exchange.exposed = exchange.backward.exposed * passes.count + beyond(exchange.parameters, passes.forward * overlap);
  exchange.gradients *= passes.count;
  WireBytes summed = sent.gradients;
  summed += sent.summed;
  exchange.sent = summed * passes.count;
  exchange.sent += sent.gathered;
}

}  // namespace

double LayoutJudge::State::wire_bytes_of_gradient() const {
  const double whole = bytes_in_memory(job_.precision).value();
  return whole < 4.0 ? job_.framework.gradient_wire_bytes.value : whole;
}

LibraryCost LayoutJudge::State::over_replicas(CollectiveKind kind, double parameters, double bytes_each,
                                              const GroupPlace& place) const {
  return library_cost(kind, place, Bytes(parameters * bytes_each), paths_.node, paths_.network);
}

/// How many times longer the bytes of a gather of one block take than the library needs: software that asks for it in
/// many small pieces does not fill all links of a node, and is slowed by a thin core only below what it would reach.
double LayoutJudge::State::gather_slowdown(const GroupPlace& place) const {
  const double links = job_.framework.gather_links.value;
  if (links <= 0 || place.nodes() == 1 || !job_.cluster.network_link) return 1.0;
  const BytesPerSecond reached = job_.cluster.network_link->down * links;
  const double share = uplink_share(CollectiveKind::all_gather, place, paths_.network);
  return std::max(1.0, paths_.network.bus * (share * static_cast<double>(place.per_node)) / reached);
}

/// ZeRO 0: gradients all-reduced; 1: reduce-scattered, parameters gathered after the update; 2 without a pipeline: as
/// 1, but reduce-scattered with every micro-batch, as its rank adds up a shard of them (DeepSpeed, issue 2252; FSDP
/// without no_sync); 3 without a pipeline: parameters gathered block by block for the forward and for the backward
/// pass, gradients reduce-scattered, with every micro-batch; 2 and 3 in a pipeline: as 1, gradients and parameters stay
/// whole through the step (Llama 3, section 3.3.2).
StateExchange LayoutJudge::State::exchange_states(const StageWork& stage, const Layout& layout) const {
  StateExchange exchange;
  const int all = replicas_in_step(layout);
  if (all == 1) return exchange;
  const FrameworkProfile& framework = job_.framework;
  const double wire = wire_bytes_of_gradient(), kept = bytes_in_memory(job_.precision).value();
  const int group = layout.zero_stage > 0 && layout.zero_group > 0 ? layout.zero_group : all;
  const int expert_all = all / layout.ep, expert_group = std::max(1, group / layout.ep);
  const int per_node = job_.cluster.devices_per_node;
  const auto blocks = static_cast<double>(std::max<std::size_t>(1, stage.blocks));
  const bool by_block = layout.zero_stage == 3 && layout.pp == 1;
  const double pieces = by_block ? blocks : 1.0;
  const auto add = [&](const LibraryCost& cost, double times, Seconds& time) {
    time += cost.total() * times;
    exchange.sent += cost.sent() * times;
    return cost;
  };
  const auto pay_part = [&](CollectiveKind kind, Bytes bytes, const GroupPlace& place, Seconds& time) {
    const LibraryCost cost = library_cost(kind, place, bytes / pieces, paths_.node, paths_.network);
    if (by_block) time += cost.wire * ((gather_slowdown(place) - 1.0) * pieces);
    return add(cost, pieces, time);
  };
  const auto pay = [&](CollectiveKind kind, double bytes_each, Seconds& time) {
    if (stage.expert_parameters > 0) {
      pay_part(kind, Bytes(stage.expert_parameters * bytes_each),
               place_of_replicas(layout, layout.ep, expert_group, per_node), time);
    }
    return pay_part(kind, Bytes(stage.parameters * bytes_each), place_of_replicas(layout, 1, group, per_node), time);
  };
  StatesSent sent;
  if (layout.zero_stage == 0) {
    exchange.cost = pay(CollectiveKind::all_reduce, wire, exchange.gradients);
  } else {
    exchange.cost = pay(CollectiveKind::reduce_scatter, wire, exchange.gradients);
    sent.gradients = exchange.sent;
    pay(CollectiveKind::all_gather, kept, exchange.parameters);
    sent.gathered = since(exchange.sent, sent.gradients);
    const WireBytes shared = exchange.sent;
    add(over_replicas(CollectiveKind::all_reduce, stage.parameters / group, wire,
                      place_of_replicas(layout, group, all / group, per_node)),
        1, exchange.gradients);
    if (stage.expert_parameters > 0) {
      add(over_replicas(CollectiveKind::all_reduce, stage.expert_parameters / expert_group, wire,
                        place_of_replicas(layout, layout.ep * expert_group, expert_all / expert_group, per_node)),
          1, exchange.gradients);
    }
    sent.summed = since(exchange.sent, shared);
  }
  const Passes passes{stage.forward_time(), stage.backward_time(),
                      static_cast<double>(microbatches(layout, job_.batch)), blocks};
  if (framework.visible_exchange.value > 0) {
    exchange.exposed = (exchange.gradients + exchange.parameters) * framework.visible_exchange.value;
  } else if (by_block) {
    move_with_passes(exchange, sent, passes, framework);
  } else if (exchanges_with_microbatches(layout)) {
    move_with_backwards(exchange, sent, passes, framework);
  } else {
    exchange.exposed = beyond(exchange.gradients, passes.backward * framework.gradient_overlap.value) +
                       beyond(exchange.parameters, passes.forward * framework.gradient_overlap.value);
  }
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
  const int per_node = job_.cluster.devices_per_node;
  const double difference = bytes_in_memory(layout.outer.format).value();
  const double kept = bytes_in_memory(job_.precision).value();
  const double each_step = 1.0 / layout.outer.every;
  const auto pay = [&](WholeExchange& part, CollectiveKind kind, double parameters, double bytes_each, int apart,
                       int ranks) {
    const LibraryCost cost =
        over_replicas(kind, parameters, bytes_each, place_of_replicas(layout, apart, ranks, per_node));
    part.time += cost.total() * each_step;
    part.sent += cost.sent() * each_step;
  };
  const auto pay_all = [&](double parameters, int apart) {  // of replicas so far apart that hold the same
    const int same = island / apart, shares = std::max(1, state_shares(layout) / apart);
    pay(outer.across, CollectiveKind::all_reduce, parameters / same, difference, island, islands);
    WholeExchange& alike = layout.zero_stage == 0 ? outer.states : outer.shards;
    pay(alike, CollectiveKind::all_gather, parameters / shares, difference, apart * shares, same / shares);
    const bool gathers_later = layout.zero_stage == 3 && layout.pp == 1;
    if (!gathers_later) pay(outer.states, CollectiveKind::all_gather, parameters, kept, apart, shares);
  };
  pay_all(stage.parameters, 1);
  if (stage.expert_parameters > 0) pay_all(stage.expert_parameters, layout.ep);
  return outer;
}

Seconds LayoutJudge::State::update_time(const StageWork& stage, double bytes_each, const Layout& layout) const {
  const double group = state_shares(layout);
  const double held = stage.parameters / group + stage.expert_parameters / std::max(1.0, group / layout.ep);
  if (layout.offload == Offload::optimizer) {
    return Seconds(held * job_.framework.offload_ns_per_parameter.value * 1e-9);
  }
  const double bandwidth = job_.cluster.device.memory_bandwidth.value() * job_.device_law.memory_share.value;
  return Seconds(bandwidth > 0 ? held * bytes_each / bandwidth : 0.0);
}

Seconds LayoutJudge::State::optimizer_time(const StageWork& stage, const Layout& layout) const {
  const FrameworkProfile& framework = job_.framework;
  const bool is_mixed = bytes_in_memory(job_.precision).value() < 4.0;
  const bool is_adam = job_.optimizer == OptimizerKind::adam || job_.optimizer == OptimizerKind::adamw;
  const double bytes =
      is_mixed && is_adam ? framework.optimizer_bytes_adam_mixed.value : optimizer_bytes(framework, job_.optimizer);
  const Seconds host(framework.host_iteration_ms.value * 1e-3);
  const Seconds inner = host + update_time(stage, bytes, layout);
  if (layout.outer.islands == 1) return inner;
  return inner + update_time(stage, outer_update_bytes, layout) / layout.outer.every;
}

/// Each tensor-parallel rank sends its part; without sequence parallelism the parts are gathered again in the node.
Seconds LayoutJudge::State::transfer_time(const StageWork& stage, const Layout& layout) const {
  if (layout.pp == 1) return {};
  const Bytes whole = bytes_in_memory(job_.precision) * stage.boundary_numbers;
  const bool leaves_node = stride(layout, Dimension::pp) * layout.pp > job_.cluster.devices_per_node;
  const BytesPerSecond rate = leaves_node ? message_rate(layout, job_.cluster, paths_.network) : paths_.node.bus;
  Seconds time = Seconds(job_.framework.transfer_latency_us.value * micro) + whole / layout.tp / rate;
  if (layout.tp > 1 && layout.sequence_parallel == SequenceParallel::off) {
    time += library_cost(CollectiveKind::all_gather, place_of(layout, Dimension::tp, job_.cluster.devices_per_node),
                         whole, paths_.node, paths_.network)
                .total();
  }
  return time;
}

Seconds LayoutJudge::State::tied_exchange(const Layout& layout) const {
  if (layout.pp == 1 || tied_numbers_ == 0) return {};
  const Bytes bytes(tied_numbers_ / layout.tp * wire_bytes_of_gradient());
  const int per_node = job_.cluster.devices_per_node;
  const std::int64_t apart = stride(layout, Dimension::pp) * (layout.pp - 1);
  const bool in_node = stride(layout, Dimension::pp) * layout.pp <= per_node;
  const GroupPlace ends{2, in_node ? 2 : 1, static_cast<int>(std::max<std::int64_t>(1, apart / per_node))};
  return library_cost(CollectiveKind::all_reduce, ends, bytes, paths_.node, paths_.network).total();
}

}  // namespace orrery
