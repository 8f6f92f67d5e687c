#include "scenarios/strategies/hybrid_gradients.hpp"

#include <algorithm>

namespace orrery {

bool GradientTiming::with_passes() const {
  return step_.prices.states_backward.sent.total() + step_.prices.states_summed.total() > Bytes();
}

bool GradientTiming::by_chunk() const {
  return step_.options.layout.interleave > 1 && step_.prices.gradient_exchange.total() > step_.prices.exchange_exposed;
}

double GradientTiming::last_share() const {
  if (!by_chunk()) return 1;
  return std::max(1.0 / step_.options.layout.interleave,
                  step_.prices.exchange_exposed / step_.prices.gradient_exchange.total());
}

double GradientTiming::share_of_chunk() const {
  return (1 - last_share()) / (step_.options.layout.interleave - 1);
}

Seconds GradientTiming::hidden() const {
  if (with_passes()) return {};
  const Seconds part = step_.prices.gradient_exchange.total() * last_share();
  return std::max(Seconds(), part - step_.prices.exchange_exposed);
}

bool GradientTiming::share_wires_with(const GroupExchange& exchange) const {
  const LibraryMoves& states = step_.exchanges[static_cast<std::size_t>(stage_)].library;
  return share_wires({states.node_bytes, states.network_bytes}, exchange.price.sent);
}

Shown GradientTiming::shown_in(const PassPrice& pass) const {
  const bool shares = std::any_of(pass.exchanges.begin(), pass.exchanges.end(), [this](const GroupExchange& each) {
    return each.price.exposed > Seconds() && share_wires_with(each);
  });
  return shares ? Shown::before : Shown::behind;
}

Seconds GradientTiming::beyond_exchanges(const PassPrice& pass) const {
  Seconds exchanges;
  for (const GroupExchange& each : pass.exchanges) {
    if (!share_wires_with(each)) exchanges += each.price.exposed;
  }
  return hidden() - exchanges - pass.late;
}

Seconds GradientTiming::hidden_behind(const PassPrice& pass, double slow) const {
  return std::clamp(beyond_exchanges(pass), Seconds(), pass.compute * slow);
}

Seconds GradientTiming::hidden_before(const PassPrice& pass, double slow, const HybridWires& wires) const {
  if (hidden() <= Seconds()) return {};
  Seconds before = beyond_exchanges(pass) - pass.compute * slow;
  const std::vector<SplitExchange> exchanges = split_exchanges(pass, wires);
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    if (share_wires_with(pass.exchanges[i])) {
      before += hidden_time(exchanges[i], wires, pass.exchanges[i].meeting);
    }
  }
  return std::max(Seconds(), before);
}

GradientStart GradientTiming::start_in(const PassPrice& again, double slow, Seconds before,
                                       const HybridWires& wires) const {
  const GroupExchange& exchange = again.exchanges.front();
  const Seconds computing = again.compute * slow;
  if (!share_wires_with(exchange) && before >= exchange.price.exposed) {
    return {std::min(computing, before - exchange.price.exposed), Shown::behind};
  }
  const SplitExchange split = split_exchanges(again, wires).front();
  const Seconds free = computing - hidden_time(split, wires, exchange.meeting);
  return {std::clamp(before, Seconds(), std::max(Seconds(), free)), Shown::before};
}

}  // namespace orrery
