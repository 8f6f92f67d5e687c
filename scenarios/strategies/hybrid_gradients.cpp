#include "scenarios/strategies/hybrid_gradients.hpp"

#include <algorithm>
#include <vector>

namespace orrery {

bool GradientTiming::with_passes() const {
  return step_.prices.states_backward.sent.total() + step_.prices.states_summed.total() > Bytes();
}

const std::vector<ChunkPrice>& GradientTiming::prices() const {
  return step_.prices.stages[static_cast<std::size_t>(stage_)].chunks;
}

const Task& GradientTiming::last_task(const std::vector<Task>& tasks) const {
  const auto works = [this](const Task& task) {
    return task.kind == Task::Kind::forward ||
           prices()[static_cast<std::size_t>(task.chunk)].backward_time() > Seconds();
  };
  return *std::find_if(tasks.rbegin(), tasks.rend(), works);
}

int GradientTiming::chunks() const {
  const std::vector<ChunkPrice>& all = prices();
  const auto first =
      std::find_if(all.begin(), all.end(), [](const ChunkPrice& chunk) { return chunk.backward_time() > Seconds(); });
  return static_cast<int>(all.end() - first);
}

bool GradientTiming::is_before_last(int chunk) const {
  return chunk > step_.options.layout.interleave - chunks();
}

bool GradientTiming::by_chunk() const {
  return chunks() > 1 && step_.prices.gradient_exchange.total() > step_.prices.exchange_exposed;
}

double GradientTiming::last_share() const {
  if (!by_chunk()) return 1;
  return std::max(1.0 / chunks(), step_.prices.exchange_exposed / step_.prices.gradient_exchange.total());
}

double GradientTiming::share_of_chunk() const {
  return (1 - last_share()) / (chunks() - 1);
}

Seconds GradientTiming::hidden() const {
  if (with_passes() || !has_any()) return {};
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
