#include "scenarios/strategies/hybrid_pass.hpp"

namespace orrery {
namespace {

/// Context and experts are exchanged again in the recomputation, which the backward pass is charged with.
WireBytes with_recompute(const PassBytes& sent) {
  WireBytes sum = sent.backward;
  return sum += sent.recompute;
}

GroupWires wires_of(const HybridWires& wires, Meeting meeting) {
  const auto found = wires.find(meeting);
  return found == wires.end() ? GroupWires() : found->second;
}

/// Of the backward pass of ZeRO-2 and 3: states, and sums of their shards between groups. What shows of both is shared
/// out by their times on the wires.
std::vector<GroupExchange> backward_states(const LayoutPrices& prices, const Layout& layout, const HybridWires& wires) {
  const Meeting states = meeting_of_states(layout);
  const PassExchange& own = prices.states_backward;
  // Replicas of several kinds would hide unequal parts of the sums: left beside the wires.
  const WireBytes summed = prices.kinds.size() > 1 ? WireBytes() : prices.states_summed;
  const Seconds owns = wire_time(own.sent, wires_of(wires, states)),
                sums = wire_time(summed, wires_of(wires, Meeting::sums));
  const Seconds shown = sums > Seconds() ? own.exposed * (sums / (owns + sums)) : Seconds();
  return {{states, Dimension::dp, {own.exposed - shown, own.sent}}, {Meeting::sums, Dimension::dp, {shown, summed}}};
}

}  // namespace

PassPrice price_of_pass(const ChunkPrice& price, const Task& task, const LayoutPrices& prices, const Layout& layout,
                        const HybridWires& wires) {
  using enum Meeting;
  if (task.kind == Task::Kind::weights) return {price.backward_weights, {}};
  if (task.kind == Task::Kind::forward) {
    return {price.forward,
            {{slices, Dimension::tp, {price.tensor_forward, price.tensor_sent.forward}},
             {parts, Dimension::cp, {price.context_forward, price.context_sent.forward}},
             {experts, Dimension::ep, {price.expert_forward, price.expert_sent.forward}},
             {meeting_of_states(layout), Dimension::dp, prices.states_forward}},
            price.late};
  }
  const Seconds weights = splits_backward(layout.schedule) ? Seconds() : price.backward_weights;
  PassPrice pass{price.backward_input + weights,
                 {{slices, Dimension::tp, {price.tensor_backward, price.tensor_sent.backward}},
                  {parts, Dimension::cp, {price.context_backward, with_recompute(price.context_sent)}},
                  {experts, Dimension::ep, {price.expert_backward, with_recompute(price.expert_sent)}}},
                 price.late_back};
  for (const GroupExchange& each : backward_states(prices, layout, wires)) pass.exchanges.push_back(each);
  return pass;
}

std::vector<SplitExchange> split_exchanges(const PassPrice& pass, const HybridWires& wires) {
  std::vector<SplitExchange> all;
  Seconds cover = pass.compute + pass.late;
  for (const GroupExchange& each : pass.exchanges) {
    const GroupWires on = wires_of(wires, each.meeting);
    all.push_back(split_exchange(each.price, on, cover));
    cover -= hidden_time(all.back(), wires, each.meeting);
  }
  return all;
}

bool is_of_states(const GroupExchange& exchange) {
  return exchange.dimension == Dimension::dp;
}

Seconds host_time(const PassPrice& pass) {
  Seconds time = pass.compute + pass.late;
  for (const GroupExchange& each : pass.exchanges) {
    if (!is_of_states(each)) time += each.price.exposed;
  }
  return time;
}

Seconds hidden_time(const SplitExchange& exchange, const HybridWires& wires, Meeting meeting) {
  const LibraryMoves& hidden = exchange.hidden.library;
  return wire_time({hidden.node_bytes, hidden.network_bytes}, wires_of(wires, meeting));
}

}  // namespace orrery
