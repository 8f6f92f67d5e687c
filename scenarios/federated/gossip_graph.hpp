// Who is whose neighbour in a gossip, and what weight neighbours' models have.
#pragma once

#include <cstddef>
#include <vector>

#include "scenarios/federated/learner.hpp"
#include "scenarios/federated_options.hpp"
#include "sim/base/random.hpp"

namespace orrery {

/// [node]: its neighbours in ascending order. Symmetric, connected, without loops.
using GossipGraph = std::vector<std::vector<std::size_t>>;

/// ring: the nodes before and after. torus: rows x columns, as near to a square as the number of nodes allows, with the
/// four around (fewer where a side has one or two). random: `degree` neighbours each. Degree 2:
/// a ring in random order; above, a regular lattice whose lines have been exchanged in pairs, ten times as often as
/// there are lines, which keeps all degrees, and further until it is connected (the switching chain of McKay and
/// Wormald 1990). Throws Infeasible when there is no such graph: fewer than two nodes, degree < 2 or >= nodes, an odd
/// degree of an odd number of nodes.
GossipGraph gossip_graph(GossipTopology topology, int degree, std::size_t nodes, Random& random);

/// Metropolis-Hastings weights among the nodes taking part (Xiao, Boyd, Kim 2007): w_ij = 1 / (1 + max(d_i, d_j)) for
/// neighbours, w_ii = 1 - the others; d: neighbours taking part. Doubly stochastic: the mean of all models stays. Node
/// i's weights lie in slot 1 + i.
std::vector<MixedSlot> metropolis_weights(const GossipGraph& graph, const std::vector<bool>& takes_part);

}  // namespace orrery
