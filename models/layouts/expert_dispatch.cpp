#include "models/layouts/expert_dispatch.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// That none of so many draws, without putting back, from `all` is one of the `marked`.
double none_drawn(double all, double marked, std::int64_t draws) {
  double chance = 1;
  for (std::int64_t i = 0; i < draws; ++i) {
    const auto gone = static_cast<double>(i);
    chance *= std::max(0.0, all - marked - gone) / (all - gone);
  }
  return chance;
}

/// That exactly `hits` of the draws are marked.
double drawn(double all, double marked, std::int64_t draws, std::int64_t hits) {
  double chance = none_drawn(all - static_cast<double>(hits), marked - static_cast<double>(hits), draws - hits);
  for (std::int64_t i = 0; i < hits; ++i) {
    const auto gone = static_cast<double>(i);
    chance *= (marked - gone) / (all - gone) * static_cast<double>(draws - i) / (gone + 1.0);
  }
  return chance;
}

}  // namespace

double expected_holders(const Layer& experts, int holders) {
  ORRERY_EXPECT(holders >= 1 && experts.experts >= 1);
  const auto all = static_cast<double>(experts.experts), groups = static_cast<double>(experts.expert_groups);
  const double held = all / holders, in_group = all / groups;
  const double choice = in_group * static_cast<double>(experts.groups_per_token);
  if (holders >= experts.expert_groups) {  // a share lies in one group
    const double met = holders * choice / all;
    return met * (1.0 - none_drawn(choice, held, experts.experts_per_token));
  }
  const std::int64_t groups_held = experts.expert_groups / holders;
  double missed = 0;
  for (std::int64_t hits = 0; hits <= std::min(groups_held, experts.groups_per_token); ++hits) {
    missed += drawn(groups, static_cast<double>(groups_held), experts.groups_per_token, hits) *
              none_drawn(choice, in_group * static_cast<double>(hits), experts.experts_per_token);
  }
  return holders * (1.0 - missed);
}

TokenCopies copies_per_expert(const Layer& experts, GroupPlace place) {
  const double per_node = std::min(place.ranks, place.per_node);
  const double each = static_cast<double>(experts.experts_per_token) / place.ranks;
  return {each * (per_node - 1.0), each * (place.ranks - per_node)};
}

TokenCopies copies_per_node(const Layer& experts, GroupPlace place) {
  const double per_node = std::min(place.ranks, place.per_node), nodes = place.nodes();
  return {expected_holders(experts, place.ranks) * (per_node - 1.0) / per_node,
          expected_holders(experts, place.nodes()) * (nodes - 1.0) / nodes};
}

}  // namespace orrery
