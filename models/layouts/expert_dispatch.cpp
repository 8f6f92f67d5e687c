#include "models/layouts/expert_dispatch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

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

double ways(std::int64_t all, std::int64_t chosen) {
  if (chosen < 0 || chosen > all) return 0;
  double count = 1;
  for (std::int64_t i = 0; i < chosen; ++i) count *= static_cast<double>(all - i) / static_cast<double>(i + 1);
  return count;
}

/// That none of a token's experts is among those from `first` to `end`, a run that covers some groups whole and up to
/// two in part: the token chooses its groups, each set of them as likely, and then its experts in them.
double none_in_run(const Layer& experts, double first, double end) {
  const double size = static_cast<double>(experts.experts) / static_cast<double>(experts.expert_groups);
  const double below = std::ceil(first / size - 1e-9), above = std::floor(end / size + 1e-9);
  const std::int64_t groups = experts.expert_groups, chosen = experts.groups_per_token;
  const double choice = size * static_cast<double>(chosen);
  const bool is_within = above < below;  // one group
  const double head = is_within ? end - first : below * size - first, tail = is_within ? 0.0 : end - above * size;
  const std::int64_t heads = head > 1e-6 ? 1 : 0, tails = tail > 1e-6 ? 1 : 0;
  const auto whole = is_within ? std::int64_t{0} : static_cast<std::int64_t>(above - below);
  const std::int64_t others = groups - whole - heads - tails;
  double chance = 0;
  for (std::int64_t h = 0; h <= heads; ++h) {
    for (std::int64_t t = 0; t <= tails; ++t) {
      for (std::int64_t w = 0; w <= whole; ++w) {
        const double sets = ways(whole, w) * ways(others, chosen - h - t - w);
        if (sets <= 0) continue;
        const double held =
            static_cast<double>(h) * head + static_cast<double>(t) * tail + static_cast<double>(w) * size;
        chance += sets / ways(groups, chosen) * none_drawn(choice, held, experts.experts_per_token);
      }
    }
  }
  return chance;
}

}  // namespace

double expected_holders(const Layer& experts, int holders) {
  ORRERY_EXPECT(holders >= 1 && experts.experts >= 1);
  const double held = static_cast<double>(experts.experts) / holders;
  const bool are_alike = holders % experts.expert_groups == 0 || experts.expert_groups % holders == 0;
  if (are_alike) return holders * (1.0 - none_in_run(experts, 0, held));
  double missed = 0;
  for (int holder = 0; holder < holders; ++holder) missed += none_in_run(experts, held * holder, held * (holder + 1));
  return holders - missed;
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
