#include "scenarios/strategies/hybrid_slowness.hpp"

#include <algorithm>

namespace orrery {

Slowness::Slowness(const HybridStep& step, RankId rank)
    : jitter_(step.options.jitter),
      draws_(step.ranks.folded() == Folded::device ? 1 : step.options.layout.tp * step.options.layout.cp),
      random_(Random::derived(step.seed, "hybrid jitter", static_cast<std::uint64_t>(step.ranks.first_device(rank)))) {
  const auto& slow = step.options.straggler;
  if (slow && step.ranks.stands_for(rank, slow->rank)) constant_ = slow->factor;
}

double Slowness::next() {
  if (jitter_ <= 0) return constant_;
  double most = -1.0;
  for (int draw = 0; draw < draws_; ++draw) most = std::max(most, 1.0 + jitter_ * random_.normal());
  return constant_ * std::max(0.1, most);
}

}  // namespace orrery
