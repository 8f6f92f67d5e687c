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

Seconds GradientTiming::hidden_behind(const PassPrice& pass, double slow) const {
  const LibraryMoves& states = step_.exchanges[static_cast<std::size_t>(stage_)].library;
  const WireBytes moved{states.node_bytes, states.network_bytes};
  Seconds exchanges;
  for (const GroupExchange& each : pass.exchanges) {
    if (!share_wires(moved, each.price.sent)) exchanges += each.price.exposed;
  }
  return std::clamp(hidden() - exchanges, Seconds(), pass.compute * slow);
}

}  // namespace orrery
