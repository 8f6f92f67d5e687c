#include "sim/engine/fidelity.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <variant>

#include "sim/base/contract.hpp"

namespace orrery {

namespace {

constexpr std::int32_t every_step = std::numeric_limits<std::int32_t>::max();

/// Ranks per node when they come node by node, the same number on each; else 1.
std::int32_t ranks_per_node(const std::vector<RankId>& group, const Platform& platform,
                            const std::vector<DeviceId>& hosts) {
  std::vector<std::int32_t> nodes, runs;
  for (const RankId rank : group) {
    const std::int32_t node = platform.hosts[hosts[rank.index()].index()].node;
    if (nodes.empty() || nodes.back() != node) {
      nodes.push_back(node);
      runs.push_back(0);
    }
    ++runs.back();
  }
  const bool even = std::all_of(runs.begin(), runs.end(), [&](std::int32_t run) { return run == runs.front(); });
  const bool once = std::set<std::int32_t>(nodes.begin(), nodes.end()).size() == nodes.size();
  return even && once && !runs.empty() ? runs.front() : 1;
}

using Key = std::tuple<CollectiveKind, Algorithm, std::int32_t, std::int32_t, std::int32_t>;

Key key_of(const Collective& collective, const GroupShape& shape) {
  return {collective.kind, collective.algorithm, shape.ranks, shape.ranks_per_node, shape.root};
}

/// The different schedules of a program and how many collectives follow each.
struct Usage {
  Schedule schedule;
  std::uint64_t collectives = 0;
};

std::uint64_t messages(const std::map<Key, Usage>& usages, std::int32_t segments) {
  std::uint64_t sum = 0;
  for (const auto& [key, usage] : usages) sum += usage.collectives * message_count(usage.schedule, segments);
  return sum;
}

/// The largest number of segments whose messages fit, at least one.
std::int32_t largest_that_fits(const std::map<Key, Usage>& usages, std::uint64_t budget) {
  std::int32_t longest = 1;
  for (const auto& [key, usage] : usages) {
    for (const Round& round : usage.schedule.rounds) longest = std::max(longest, round.repeat);
  }
  std::int32_t fits = 1, too_many = longest + 1;
  while (too_many - fits > 1) {
    const std::int32_t middle = fits + (too_many - fits) / 2;
    (messages(usages, middle) <= budget ? fits : too_many) = middle;
  }
  return fits;
}

std::int32_t segments_for(const Program& program, const std::map<Key, Usage>& usages, const EngineOptions& options) {
  switch (options.fidelity) {
    case FidelityChoice::exact:
      return every_step;
    case FidelityChoice::segments:
      ORRERY_EXPECT(options.segments >= 1);
      return options.segments;
    case FidelityChoice::collapsed:
      return 1;
    case FidelityChoice::automatic:
      break;
  }
  const auto sends =
      static_cast<std::uint64_t>(std::count_if(program.ops().begin(), program.ops().end(),
                                               [](const Op& op) { return std::holds_alternative<Send>(op.action); }));
  const std::uint64_t budget = options.message_budget > sends ? options.message_budget - sends : 0;
  return messages(usages, every_step) <= budget ? every_step : largest_that_fits(usages, budget);
}

Fidelity fidelity_of(const std::vector<std::shared_ptr<const CollectivePlan>>& all, std::int32_t segments) {
  std::vector<std::shared_ptr<const CollectivePlan>> plans;
  for (const auto& plan : all) {
    if (plan) plans.push_back(plan);
  }
  if (plans.empty() && !all.empty()) return Fidelity::library;
  if (plans.size() < all.size()) return Fidelity::mixed;
  const auto exact = static_cast<std::size_t>(
      std::count_if(plans.begin(), plans.end(), [](const auto& plan) { return plan->is_exact(); }));
  if (exact == plans.size()) return Fidelity::exact;
  if (exact > 0) return Fidelity::mixed;
  return segments == 1 ? Fidelity::collapsed : Fidelity::segments;
}

}  // namespace

GroupShape shape_of(const Program& program, const Collective& collective, const Platform& platform,
                    const std::vector<DeviceId>& hosts) {
  const std::vector<RankId>& group = program.group(collective.group);
  GroupShape shape;
  shape.ranks = static_cast<std::int32_t>(group.size());
  shape.root = collective.root;
  if (collective.algorithm == Algorithm::hierarchical) shape.ranks_per_node = ranks_per_node(group, platform, hosts);
  return shape;
}

CollectivePlans plan_collectives(const Program& program, const Platform& platform, const std::vector<DeviceId>& hosts,
                                 const EngineOptions& options) {
  std::map<Key, Usage> usages;
  std::vector<std::optional<Key>> keys;
  for (const Collective& collective : program.collectives()) {
    if (collective.algorithm == Algorithm::library) {
      keys.emplace_back();
      continue;
    }
    const GroupShape shape = shape_of(program, collective, platform, hosts);
    keys.emplace_back(key_of(collective, shape));
    const auto [place, fresh] = usages.try_emplace(*keys.back());
    if (fresh) place->second.schedule = make_schedule(collective.kind, collective.algorithm, shape);
    ++place->second.collectives;
  }
  const std::int32_t segments = segments_for(program, usages, options);
  std::map<Key, std::shared_ptr<const CollectivePlan>> made;
  CollectivePlans result;
  for (const std::optional<Key>& key : keys) {
    result.plans.emplace_back();
    if (!key) continue;
    auto& plan = made[*key];
    if (!plan) plan = std::make_shared<const CollectivePlan>(std::move(usages[*key].schedule), segments);
    result.plans.back() = plan;
  }
  result.fidelity = fidelity_of(result.plans, segments);
  return result;
}

}  // namespace orrery
