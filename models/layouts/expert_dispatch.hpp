// What of a token travels to its experts.
#pragma once

#include "models/networks/layer_graph.hpp"
#include "sim/collectives/library.hpp"

namespace orrery {

/// Copies of a token that leave a rank, in the mean over tokens that choose groups and experts at random: over its link
/// inside the node, and to other nodes. Combining sends as many back.
struct TokenCopies {
  double node = 0, network = 0;
};

/// An all-to-all: a copy for each of the k experts of a token, of a group of n ranks, g in a node: k (g - 1) / n
/// inside, k (n - g) / n out.
TokenCopies copies_per_expert(const Layer& experts, GroupPlace place);

/// One copy to each of the N nodes that has an expert of the token, which passes it on to each of its ranks that has
/// one (DeepSeek-AI 2024, arXiv 2412.19437, section 3.2.2; DeepEP, HybridEP): h(N) (N - 1) / N out, h(n) (g - 1) / g
/// inside, with h of expected_holders().
TokenCopies copies_per_node(const Layer& experts, GroupPlace place);

/// Of so many equal shares of the experts, those that hold at least one of a token's, in the mean: with e of E experts
/// in a share, holders x (1 - product over i < k of (E - e - i) / (E - i)); of groups the token first chooses its own.
/// Shares and groups are runs of experts; where they do not divide each other, a share has parts of groups.
double expected_holders(const Layer& experts, int holders);

}  // namespace orrery
