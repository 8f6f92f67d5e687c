#include "models/layouts/replica_places.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "sim/base/contract.hpp"

namespace orrery {
namespace {

/// Neighbouring replicas between which experts are dealt, whole runs of ep ranks.
int replicas_that_share_experts(const Layout& layout) {
  const int beside = layout.tp / expert_tensor_degree(layout);  // ranks of a replica
  const bool is_run = layout.cp == 1 && (beside == 1 || stride(layout, Dimension::tp) < stride(layout, Dimension::dp));
  // With context parallelism the ranks that share lie across both dimensions: all of them are taken.
  return is_run ? std::lcm(layout.ep, beside) / beside : layout.dp;
}

/// Neighbouring replicas that meet in every pass.
int replicas_that_meet(const Layout& layout) {
  const int widest = layout.dp;
  int together = 1;
  if (layout.ep > 1) together = replicas_that_share_experts(layout);
  if (exchanges_with_microbatches(layout)) {
    const int sharing = layout.zero_group > 0 && layout.cp == 1 ? layout.zero_group : widest;
    together = std::lcm(together, sharing);  // whole groups of both
  }
  return std::min(together, widest);
}

void add(NodeKinds& kinds, std::size_t kind) {
  const auto place = std::lower_bound(kinds.begin(), kinds.end(), kind);
  if (place == kinds.end() || *place != kind) kinds.insert(place, kind);
}

NodeKinds kinds_of_stage(const Layout& layout, const ClusterDescription& cluster, int replica, int stage) {
  NodeKinds kinds;
  const std::int64_t first = replica * stride(layout, Dimension::dp) + stage * stride(layout, Dimension::pp);
  for (int part = 0; part < layout.cp; ++part) {
    for (int slice = 0; slice < layout.tp; ++slice) {
      const std::int64_t device = first + part * stride(layout, Dimension::cp) + slice * stride(layout, Dimension::tp);
      add(kinds, cluster.group_of_device(device));
    }
  }
  return kinds;
}

/// The first replica behind those that have a stage whole on the devices up to the end of a group of nodes.
int first_behind(const Layout& layout, const ClusterDescription& cluster, int stage, std::size_t group) {
  std::int64_t left = 0;
  for (std::size_t i = 0; i <= group; ++i) {
    left += std::int64_t{cluster.group(i).nodes} * cluster.group(i).devices_per_node;
  }
  left -= stage * stride(layout, Dimension::pp);
  left -= (layout.cp - 1) * stride(layout, Dimension::cp) + (layout.tp - 1) * stride(layout, Dimension::tp);
  const std::int64_t behind = (left + stride(layout, Dimension::dp) - 1) / stride(layout, Dimension::dp);
  return static_cast<int>(std::min<std::int64_t>(layout.dp, behind));
}

/// By stage, of replicas from `first` to before `end`. Replicas on one kind are run over at once: a cluster may have
/// millions of nodes.
std::vector<NodeKinds> kinds_of(const Layout& layout, const ClusterDescription& cluster, int first, int end) {
  std::vector<NodeKinds> stages(static_cast<std::size_t>(layout.pp));
  for (int stage = 0; stage < layout.pp; ++stage) {
    NodeKinds& kinds = stages[static_cast<std::size_t>(stage)];
    for (int replica = first; replica < end;) {
      const NodeKinds here = kinds_of_stage(layout, cluster, replica, stage);
      kinds = joined(kinds, here);
      ++replica;
      if (here.size() == 1) replica = std::max(replica, first_behind(layout, cluster, stage, here.front()));
    }
  }
  return stages;
}

/// The first replica from `next` on that may stand on others than the ones before it, on `stages`, do.
int first_that_differs(const Layout& layout, const ClusterDescription& cluster, const std::vector<NodeKinds>& stages,
                       int next) {
  int least = layout.dp;
  for (int stage = 0; stage < layout.pp; ++stage) {
    const NodeKinds& kinds = stages[static_cast<std::size_t>(stage)];
    least = std::min(least, kinds.size() == 1 ? first_behind(layout, cluster, stage, kinds.front()) : next);
  }
  return std::max(least, next);
}

}  // namespace

bool exchanges_with_microbatches(const Layout& layout) {
  return layout.zero_stage >= 2 && layout.pp == 1;
}

NodeKinds joined(const NodeKinds& a, const NodeKinds& b) {
  NodeKinds all;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
  return all;
}

bool ReplicaPlaces::stages_are_mixed() const {
  return std::any_of(kinds.begin(), kinds.end(), [](const std::vector<NodeKinds>& stages) {
    return std::any_of(stages.begin(), stages.end(), [](const NodeKinds& stage) { return stage.size() > 1; });
  });
}

NodeKinds ReplicaPlaces::of_stage(std::size_t stage) const {
  NodeKinds all;
  for (const std::vector<NodeKinds>& stages : kinds) all = joined(all, stages[stage]);
  return all;
}

bool ReplicaPlaces::stages_differ() const {
  for (std::size_t stage = 1; stage < kinds.front().size(); ++stage) {
    if (of_stage(stage) != of_stage(0)) return true;
  }
  return false;
}

ReplicaPlaces places_of_replicas(const Layout& layout, const ClusterDescription& cluster) {
  ORRERY_EXPECT(layout.devices() <= cluster.devices());
  const int together = replicas_that_meet(layout);
  ReplicaPlaces places;
  for (int first = 0; first < layout.dp;) {
    int end = std::min(first + together, layout.dp);
    std::vector<NodeKinds> stages = kinds_of(layout, cluster, first, end);
    const int alike = first_that_differs(layout, cluster, stages, end);
    end += (alike - end) / together * together;  // whole ones of those that meet
    const auto known = std::find(places.kinds.begin(), places.kinds.end(), stages);
    const auto kind = static_cast<std::size_t>(known - places.kinds.begin());
    if (known == places.kinds.end()) places.kinds.push_back(std::move(stages));
    places.kind_of_replica.insert(places.kind_of_replica.end(), static_cast<std::size_t>(end - first), kind);
    first = end;
  }
  return places;
}

}  // namespace orrery
