// Nodes are filled in rank order, so a group is a run of ranks equally far apart, or a run of such runs. Where runs do
// not end where nodes do, those of one dimension lie differently; all of them go at the pace of the one that lies
// worst.
#include "models/layouts/group_place.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>

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

/// Puts together a group whose ranks are a run of runs, the closest first; a run that goes on where one ends is one
/// with it.
class RunOfRuns {
 public:
  RunOfRuns(std::int64_t devices, int devices_per_node) : devices_(devices), devices_per_node_(devices_per_node) {}

  void add(const Run& run) {
    if (run.ranks == 1) return;
    if (last_.ranks > 1 && last_.span() != run.apart) spread_last();
    last_ = last_.ranks > 1 ? Run{last_.ranks * run.ranks, last_.apart} : run;
  }

  [[nodiscard]] GroupPlace place(int ranks) {
    spread_last();
    GroupPlace place{ranks, static_cast<int>(whole_.most), nodes_apart(devices_per_node_, apart_)};
    if (whole_.fewest == whole_.most) return place;
    place.fewest = static_cast<int>(whole_.fewest), place.devices_there = static_cast<int>(whole_.devices_there);
    return place;
  }

 private:
  void spread_last() {
    const Spread spread = spread_of(last_, devices_, devices_per_node_);
    whole_.most *= spread.most, whole_.fewest *= spread.fewest;
    whole_.devices_there = std::max(whole_.devices_there, spread.devices_there);
    if (!crosses_) apart_ = last_.apart, crosses_ = spread.most < last_.ranks;
    last_ = {};
  }

  std::int64_t devices_;
  int devices_per_node_;
  Run last_;
  Spread whole_;
  std::int64_t apart_ = 1;
  bool crosses_ = false;
};

/// Of the ranks along these dimensions every `every`-th, `ranks` of them.
GroupPlace place_along(const Layout& layout, std::initializer_list<Dimension> dimensions, int every, int ranks,
                       int devices_per_node) {
  RunOfRuns runs(layout.devices(), devices_per_node);
  std::int64_t left = ranks, skipped = every;
  std::size_t seen = 0;
  for (const Dimension dimension : layout.order) {
    if (std::ranges::find(dimensions, dimension) == dimensions.end()) continue;
    const std::int64_t along = degree(layout, dimension);
    const bool is_last = ++seen == dimensions.size();
    const std::int64_t taken = is_last ? left : std::min(left, std::max<std::int64_t>(1, along / skipped));
    runs.add({taken, stride(layout, dimension) * skipped});
    left = std::max<std::int64_t>(1, left / taken), skipped = std::max<std::int64_t>(1, skipped / along);
  }
  return runs.place(ranks);
}

}  // namespace

GroupPlace place_of_replicas(const Layout& layout, int every, int ranks, int devices_per_node) {
  return place_along(layout, {Dimension::dp, Dimension::cp}, every, ranks, devices_per_node);
}

GroupPlace place_of_expert_ranks(const Layout& layout, int every, int ranks, int devices_per_node) {
  if (expert_tensor_degree(layout) == layout.tp) return place_of_replicas(layout, every, ranks, devices_per_node);
  return place_along(layout, {Dimension::dp, Dimension::cp, Dimension::tp}, every, ranks, devices_per_node);
}

GroupPlace place_of(const Layout& layout, Dimension dimension, int devices_per_node) {
  if (dimension == Dimension::dp) return place_of_replicas(layout, 1, layout.dp * layout.cp, devices_per_node);
  if (dimension == Dimension::ep) return place_of_expert_ranks(layout, 1, layout.ep, devices_per_node);
  const int ranks = degree(layout, dimension);
  RunOfRuns runs(layout.devices(), devices_per_node);
  runs.add({ranks, stride(layout, dimension)});
  return runs.place(ranks);
}

}  // namespace orrery
