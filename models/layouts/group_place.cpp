// Nodes are filled in rank order, so a group is a run of ranks equally far apart, or a run of such runs. Where runs do
// not end where nodes do, those of one dimension lie differently; all of them go at the pace of the one that lies
// worst.
#include "models/layouts/group_place.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace orrery {
namespace {

/// Ranks of a dimension that lie in one node beside each other.
std::int64_t in_node(std::int64_t devices_per_node, std::int64_t apart, std::int64_t ranks) {
  return std::clamp<std::int64_t>(devices_per_node / apart, 1, ranks);
}

/// Nodes from one of a group to its next one, when its neighbours are so many ranks apart.
int nodes_apart(std::int64_t devices_per_node, std::int64_t ranks_apart) {
  return static_cast<int>(std::max<std::int64_t>(1, ranks_apart / devices_per_node));
}

/// Ranks of a group so many devices apart.
struct Run {
  std::int64_t ranks = 1, apart = 1;
  [[nodiscard]] std::int64_t span() const { return ranks * apart; }
};

/// How many of a run stand on a node of those it is on: most, fewest; devices in use on the latter, 0 where all nodes
/// have as many.
struct Spread {
  std::int64_t most = 1, fewest = 1, devices_there = 0;
};

/// Of the run whose first rank is this device. Of nodes between its first and last those that may have fewest count,
/// where nodes are no multiple of the distance.
Spread spread_from(std::int64_t first, const Run& run, std::int64_t devices, std::int64_t devices_per_node) {
  const auto ceil_of = [](std::int64_t part, std::int64_t whole) { return (part + whole - 1) / whole; };
  const std::int64_t here = first % devices_per_node, last = here + (run.ranks - 1) * run.apart;
  if (last < devices_per_node) return {run.ranks, run.ranks, 0};
  const std::int64_t head = ceil_of(devices_per_node - here, run.apart);
  const std::int64_t tail = std::min(run.ranks - head, last % devices_per_node / run.apart + 1);
  const bool has_between = head + tail < run.ranks;
  const std::int64_t more = has_between ? ceil_of(devices_per_node, run.apart) : head;
  const std::int64_t less = has_between ? devices_per_node / run.apart : head;
  const std::int64_t tail_node = (first - here) + last / devices_per_node * devices_per_node;
  const bool is_tail = tail < std::min(head, less);
  return {std::max({head, tail, more}), std::min({head, tail, less}),
          is_tail ? std::min(devices_per_node, devices - tail_node) : devices_per_node};
}

/// Whether every run of a cluster lies inside a node, or on whole ones.
bool fits_nodes(const Run& run, std::int64_t devices, std::int64_t devices_per_node) {
  if (run.apart >= devices_per_node || devices <= devices_per_node || devices_per_node % run.span() == 0) return true;
  return devices_per_node % run.apart == 0 && run.span() % devices_per_node == 0;
}

/// Of the run that has a node with fewest of its ranks: those who wait for each other wait for it. Runs follow each
/// other, those of the devices between first: where they begin in a node comes round after devices_per_node of them.
Spread spread_of(const Run& run, std::int64_t devices, std::int64_t devices_per_node) {
  if (fits_nodes(run, devices, devices_per_node)) {
    const std::int64_t beside = in_node(devices_per_node, run.apart, run.ranks);
    return {beside, beside, 0};
  }
  Spread worst{run.ranks, run.ranks, 0};
  const auto look_at = [&](std::int64_t first) {
    const Spread found = spread_from(first, run, devices, devices_per_node);
    if (found.fewest < worst.fewest) worst = found;
  };
  const std::int64_t runs = devices / run.span(), round = std::min(runs, devices_per_node);
  for (std::int64_t i = 0; i < round; ++i) {
    look_at(i * run.span());
    look_at((i + 1) * run.span() - 1 - (run.ranks - 1) * run.apart);
  }
  look_at((runs - 1) * run.span());
  return worst;
}

/// Of a group whose ranks are a run of runs, the closest first.
GroupPlace place_of_runs(std::span<const Run> runs, int ranks, std::int64_t devices, int devices_per_node) {
  Spread whole;
  std::int64_t apart = 0;
  for (const Run& run : runs) {
    const Spread spread = spread_of(run, devices, devices_per_node);
    whole.most *= spread.most, whole.fewest *= spread.fewest;
    if (spread.devices_there > 0) whole.devices_there = spread.devices_there;
    if (apart == 0 && spread.most < run.ranks) apart = run.apart;
  }
  if (apart == 0) apart = runs.back().apart;
  GroupPlace place{ranks, static_cast<int>(whole.most), nodes_apart(devices_per_node, apart)};
  if (whole.fewest == whole.most) return place;
  place.fewest = static_cast<int>(whole.fewest), place.devices_there = static_cast<int>(whole.devices_there);
  return place;
}

/// Of the ranks along these dimensions, the fastest first, every `every`-th, `ranks` of them.
GroupPlace place_along(const Layout& layout, const std::vector<Dimension>& dimensions, int every, int ranks,
                       int devices_per_node) {
  std::vector<Run> runs;
  std::int64_t left = ranks, skipped = every;
  for (const Dimension dimension : dimensions) {
    const bool is_last = dimension == dimensions.back();
    const std::int64_t along = degree(layout, dimension), step = stride(layout, dimension) * skipped;
    const std::int64_t taken = is_last ? left : std::min(left, std::max<std::int64_t>(1, along / skipped));
    if (!runs.empty() && (taken == 1 || runs.back().span() == step)) {
      runs.back().ranks *= taken;
    } else if (taken > 1 || is_last) {
      runs.push_back({taken, step});
    }
    left = std::max<std::int64_t>(1, left / taken), skipped = std::max<std::int64_t>(1, skipped / along);
  }
  return place_of_runs(runs, ranks, layout.devices(), devices_per_node);
}

/// These, the fastest first.
std::vector<Dimension> by_stride(const Layout& layout, std::vector<Dimension> dimensions) {
  std::stable_sort(dimensions.begin(), dimensions.end(),
                   [&](Dimension a, Dimension b) { return stride(layout, a) < stride(layout, b); });
  return dimensions;
}

}  // namespace

GroupPlace place_of_replicas(const Layout& layout, int every, int ranks, int devices_per_node) {
  const std::vector<Dimension> dimensions = by_stride(layout, {Dimension::dp, Dimension::cp});
  return place_along(layout, dimensions, every, ranks, devices_per_node);
}

GroupPlace place_of_expert_ranks(const Layout& layout, int every, int ranks, int devices_per_node) {
  if (expert_tensor_degree(layout) == layout.tp) return place_of_replicas(layout, every, ranks, devices_per_node);
  const std::vector<Dimension> dimensions = by_stride(layout, {Dimension::dp, Dimension::cp, Dimension::tp});
  return place_along(layout, dimensions, every, ranks, devices_per_node);
}

GroupPlace place_of(const Layout& layout, Dimension dimension, int devices_per_node) {
  if (dimension == Dimension::dp) return place_of_replicas(layout, 1, layout.dp * layout.cp, devices_per_node);
  if (dimension == Dimension::ep) return place_of_expert_ranks(layout, 1, layout.ep, devices_per_node);
  const Run run{degree(layout, dimension), stride(layout, dimension)};
  return place_of_runs({&run, 1}, degree(layout, dimension), layout.devices(), devices_per_node);
}

}  // namespace orrery
