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

/// Every node and the degree / 2 on either side of it; for an odd degree the one opposite, too.
GossipGraph lattice(std::size_t degree, const std::vector<std::size_t>& order) {
  const std::size_t nodes = order.size();
  GossipGraph graph(nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    for (std::size_t step = 1; step <= degree / 2; ++step) join(graph, order[i], order[(i + step) % nodes]);
    if (degree % 2 == 1) join(graph, order[i], order[(i + nodes / 2) % nodes]);
  }
  return graph;
}

bool joined(const GossipGraph& graph, std::size_t a, std::size_t b) {
  return std::find(graph[a].begin(), graph[a].end(), b) != graph[a].end();
}

/// Lines a-b and c-d become a-d and c-b, unless one of these is there already.
void exchange_lines(GossipGraph& graph, Random& random) {
  const std::size_t a = random.below(graph.size()), c = random.below(graph.size());
  std::size_t& b_of_a = graph[a][random.below(graph[a].size())];
  std::size_t& d_of_c = graph[c][random.below(graph[c].size())];
  const std::size_t b = b_of_a, d = d_of_c;
  if (a == c || a == d || c == b || b == d || joined(graph, a, d) || joined(graph, c, b)) return;
  std::replace(graph[b].begin(), graph[b].end(), a, c);
  std::replace(graph[d].begin(), graph[d].end(), c, a);
  b_of_a = d;
  d_of_c = b;
}

bool connected(const GossipGraph& graph) {
  std::vector<bool> seen(graph.size(), false);
  std::vector<std::size_t> next = {0};
  std::size_t count = 0;
  seen[0] = true;
  while (!next.empty()) {
    const std::size_t node = next.back();
    next.pop_back();
    ++count;
    for (const std::size_t other : graph[node]) {
      if (!seen[other]) next.push_back(other);
      seen[other] = true;
    }
  }
  return count == graph.size();
}

GossipGraph random_regular(std::size_t degree, std::size_t nodes, Random& random) {
  if (degree < 2 || degree >= nodes || (degree % 2 == 1 && nodes % 2 == 1)) {
    throw Infeasible(
        fmt::format("{} nodes cannot have {} neighbours each and be one graph (degree from 2 to {}, an even "
                    "one for an odd number of nodes)",
                    nodes, degree, nodes - 1));
  }
  std::vector<std::size_t> order(nodes);
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(order);
  GossipGraph graph = lattice(degree, order);
  if (degree == 2) return graph;
  do {
    for (std::size_t i = 0; i < 5 * degree * nodes; ++i) exchange_lines(graph, random);
  } while (!connected(graph));
  return graph;
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
