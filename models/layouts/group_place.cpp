// Nodes are filled in rank order, so a group is a run of ranks equally far apart, or a run of such runs. Where runs do
// not end where nodes do, those of one dimension lie differently; all of them go at the pace of the one that lies
// worst.
#include "models/layouts/group_place.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>

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

/// How many ranks of a group stand on a node of those it is on: most, fewest. On the latter, devices of groups of its
/// kind that stand on others too; 0 where all nodes have as many.
struct Spread {
  std::int64_t most = 1, fewest = 1, devices_there = 0;
};

/// Devices of the cluster, node by node.
struct Nodes {
  std::int64_t devices = 1, per_node = 1;

  /// On this node, of runs that begin before it or end behind it. Runs follow each other without a gap.
  [[nodiscard]] std::int64_t crossing_on(std::int64_t node, std::int64_t span) const {
    const std::int64_t begin = node * per_node, end = begin + per_node;
    const std::int64_t head = begin % span == 0 ? 0 : std::min(per_node, span - begin % span);
    const std::int64_t tail = end >= devices || end % span == 0 ? 0 : std::min(per_node, end % span);
    return std::min({per_node, devices - begin, head + tail});
  }
};

/// Of the run whose first rank is this device. Of nodes between its first and last those that may have fewest count,
/// where nodes are no multiple of the distance.
Spread spread_from(std::int64_t first, const Run& run, const Nodes& nodes) {
  const std::int64_t per_node = nodes.per_node;
  const auto ceil_of = [](std::int64_t part, std::int64_t whole) { return (part + whole - 1) / whole; };
  const std::int64_t here = first % per_node, last = here + (run.ranks - 1) * run.apart;
  if (last < per_node) return {run.ranks, run.ranks, 0};
  const std::int64_t head = ceil_of(per_node - here, run.apart);
  const std::int64_t tail = std::min(run.ranks - head, last % per_node / run.apart + 1);
  const bool has_between = head + tail < run.ranks;
  const std::int64_t more = has_between ? ceil_of(per_node, run.apart) : head;
  const std::int64_t less = has_between ? per_node / run.apart : head;
  const std::int64_t node = first / per_node + (tail < std::min(head, less) ? last / per_node : 0);
  return {std::max({head, tail, more}), std::min({head, tail, less}), nodes.crossing_on(node, run.span())};
}

/// Whether every run of a cluster lies inside a node, or on whole ones.
bool fits(const Nodes& nodes, const Run& run) {
  if (run.apart >= nodes.per_node || nodes.devices <= nodes.per_node || nodes.per_node % run.span() == 0) return true;
  return nodes.per_node % run.apart == 0 && run.span() % nodes.per_node == 0;
}

/// The worse of two: its emptiest node holds up all that wait for each other.
void take_worse(Spread& worst, const Spread& other) {
  if (other.fewest < worst.fewest) worst = other;
}

/// Of the worst run. After as many runs as a node has devices they begin at the same places of nodes again; of runs
/// side by side the first and the last are looked at.
Spread spread_of(const Run& run, const Nodes& nodes) {
  if (fits(nodes, run)) {
    const std::int64_t beside = in_node(nodes.per_node, run.apart, run.ranks);
    return {beside, beside, 0};
  }
  Spread worst{run.ranks, run.ranks, 0};
  const std::int64_t runs = nodes.devices / run.span(), round = std::min(runs, nodes.per_node);
  for (std::int64_t i = 0; i < round; ++i) {
    take_worse(worst, spread_from(i * run.span(), run, nodes));
    take_worse(worst, spread_from(i * run.span() + run.apart - 1, run, nodes));
  }
  take_worse(worst, spread_from((runs - 1) * run.span(), run, nodes));
  return worst;
}

/// Puts together a group whose ranks are a run of runs, the closest first; a run that goes on where one ends is one
/// with it.
class RunOfRuns {
 public:
  explicit RunOfRuns(const Nodes& nodes) : nodes_(nodes) {}

  void add(const Run& run) {
    if (run.ranks == 1) return;
    if (count_ > 0 && runs_[count_ - 1].span() == run.apart) {
      runs_[count_ - 1].ranks *= run.ranks;
    } else {
      runs_[count_++] = run;
    }
  }

  [[nodiscard]] GroupPlace place(int ranks) const {
    const Spread spread = count_ == 1 ? spread_of(runs_[0], nodes_) : spread_of_all();
    GroupPlace place{ranks, static_cast<int>(spread.most), apart()};
    if (spread.fewest == spread.most) return place;
    place.fewest = static_cast<int>(spread.fewest), place.devices_there = static_cast<int>(spread.devices_there);
    return place;
  }

 private:
  /// Nodes between neighbours of the first run that is on several.
  [[nodiscard]] int apart() const {
    if (count_ == 0) return 1;
    std::size_t run = 0;
    while (run + 1 < count_ && runs_[run].ranks == in_node(nodes_.per_node, runs_[run].apart, runs_[run].ranks)) ++run;
    return nodes_apart(nodes_.per_node, runs_[run].apart);
  }

  [[nodiscard]] Spread spread_of_all() const {
    Spread whole;
    bool all_fit = true;
    for (std::size_t i = 0; i < count_; ++i) {
      const Spread spread = spread_of(runs_[i], nodes_);
      whole.most *= spread.most, whole.fewest *= spread.fewest;
      all_fit = all_fit && fits(nodes_, runs_[i]);
    }
    return all_fit ? whole : counted();
  }

  /// Of runs whose ends meet nodes differently: by looking at every rank of every group.
  [[nodiscard]] Spread counted() const {
    Spread worst{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max(), 0};
    for (std::int64_t first = 0; first < nodes_.devices; ++first) {
      if (is_first(first)) take_worse(worst, counted_from(first));
    }
    return worst;
  }

  [[nodiscard]] bool is_first(std::int64_t device) const {
    return std::all_of(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(count_),
                       [device](const Run& run) { return device / run.apart % run.ranks == 0; });
  }

  [[nodiscard]] Spread counted_from(std::int64_t first) const {
    std::map<std::int64_t, std::int64_t> on_node;
    std::int64_t ranks = 1;
    for (std::size_t i = 0; i < count_; ++i) ranks *= runs_[i].ranks;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      std::int64_t device = first, rest = rank;
      for (std::size_t i = 0; i < count_; ++i) {
        device += rest % runs_[i].ranks * runs_[i].apart;
        rest /= runs_[i].ranks;
      }
      ++on_node[device / nodes_.per_node];
    }
    const auto [fewest, most] = std::ranges::minmax_element(on_node, {}, [](const auto& each) { return each.second; });
    const std::int64_t begin = fewest->first * nodes_.per_node;
    return {most->second, fewest->second, std::min(nodes_.per_node, nodes_.devices - begin)};
  }

  Nodes nodes_;
  std::array<Run, 4> runs_;  // one of each dimension at most
  std::size_t count_ = 0;
};

/// Of the ranks along these dimensions every `every`-th, `ranks` of them.
GroupPlace place_along(const Layout& layout, std::initializer_list<Dimension> dimensions, int every, int ranks,
                       int devices_per_node) {
  RunOfRuns runs(Nodes{layout.devices(), devices_per_node});
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
  RunOfRuns runs(Nodes{layout.devices(), devices_per_node});
  runs.add({ranks, stride(layout, dimension)});
  return runs.place(ranks);
}

GroupPlace place_of_ends(const Layout& layout, int devices_per_node) {
  const std::int64_t apart = stride(layout, Dimension::pp) * (layout.pp - 1);
  const bool in_node = stride(layout, Dimension::pp) * layout.pp <= devices_per_node;
  return {2, in_node ? 2 : 1, static_cast<int>(std::max<std::int64_t>(1, apart / devices_per_node))};
}

}  // namespace orrery
