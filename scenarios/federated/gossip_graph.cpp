#include "scenarios/federated/gossip_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/base/errors.hpp"

namespace orrery {
namespace {

/// Returns whether the line is new.
bool join(GossipGraph& graph, std::size_t a, std::size_t b) {
  if (a == b || std::find(graph[a].begin(), graph[a].end(), b) != graph[a].end()) return false;
  graph[a].push_back(b);
  graph[b].push_back(a);
  return true;
}

GossipGraph ring(std::size_t nodes) {
  GossipGraph graph(nodes);
  for (std::size_t node = 0; node < nodes; ++node) join(graph, node, (node + 1) % nodes);
  return graph;
}

GossipGraph torus(std::size_t nodes) {
  auto rows = static_cast<std::size_t>(std::sqrt(static_cast<double>(nodes)));
  while (nodes % rows != 0) --rows;
  const std::size_t columns = nodes / rows;
  GossipGraph graph(nodes);
  for (std::size_t node = 0; node < nodes; ++node) {
    const std::size_t row = node / columns, column = node % columns;
    join(graph, node, row * columns + (column + 1) % columns);
    join(graph, node, (row + 1) % rows * columns + column);
  }
  return graph;
}

/// Nothing but an empty graph when two lines met.
GossipGraph try_random(std::size_t degree, std::size_t nodes, Random& random) {
  GossipGraph graph(nodes);
  std::vector<std::size_t> order(nodes);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; i < degree / 2; ++i) {
    random.shuffle(order);
    for (std::size_t node = 0; node < nodes; ++node) {
      if (!join(graph, order[node], order[(node + 1) % nodes])) return {};
    }
  }
  if (degree % 2 == 0) return graph;
  random.shuffle(order);
  for (std::size_t node = 0; node < nodes; node += 2) {
    if (!join(graph, order[node], order[node + 1])) return {};
  }
  return graph;
}

GossipGraph random_regular(std::size_t degree, std::size_t nodes, Random& random) {
  if (degree < 2 || degree >= nodes || (degree % 2 == 1 && nodes % 2 == 1)) {
    throw Infeasible(
        fmt::format("{} nodes cannot have {} neighbours each and be one graph (degree from 2 to {}, an even "
                    "one for an odd number of nodes)",
                    nodes, degree, nodes - 1));
  }
  constexpr int most_tries = 10000;
  for (int i = 0; i < most_tries; ++i) {
    GossipGraph graph = try_random(degree, nodes, random);
    if (!graph.empty()) return graph;
  }
  throw Infeasible(fmt::format("no random graph of {} nodes with {} neighbours each was found - use a smaller degree",
                               nodes, degree));
}

GossipGraph graph_of(GossipTopology topology, int degree, std::size_t nodes, Random& random) {
  switch (topology) {
    case GossipTopology::ring:
      return ring(nodes);
    case GossipTopology::torus:
      return torus(nodes);
    case GossipTopology::random:
      break;
  }
  return random_regular(static_cast<std::size_t>(degree), nodes, random);
}

}  // namespace

GossipGraph gossip_graph(GossipTopology topology, int degree, std::size_t nodes, Random& random) {
  if (nodes < 2) throw Infeasible("a gossip needs at least 2 clients");
  GossipGraph graph = graph_of(topology, degree, nodes, random);
  for (auto& neighbours : graph) std::sort(neighbours.begin(), neighbours.end());
  return graph;
}

std::vector<MixedSlot> metropolis_weights(const GossipGraph& graph, const std::vector<bool>& takes_part) {
  std::vector<double> degree(graph.size());
  for (std::size_t node = 0; node < graph.size(); ++node) {
    for (const std::size_t other : graph[node]) degree[node] += takes_part[node] && takes_part[other] ? 1.0 : 0.0;
  }
  std::vector<MixedSlot> rows;
  for (std::size_t node = 0; node < graph.size(); ++node) {
    if (degree[node] == 0) continue;
    MixedSlot row{1 + node, {{1 + node, 1.0}}};
    for (const std::size_t other : graph[node]) {
      if (!takes_part[other]) continue;
      const double weight = 1.0 / (1.0 + std::fmax(degree[node], degree[other]));
      row.of.push_back({1 + other, weight});
      row.of.front().share -= weight;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace orrery
