// What recomputation of a part of every block does again.
#pragma once

#include <vector>

#include "models/cost/framework.hpp"
#include "models/networks/layer_graph.hpp"

namespace orrery {

/// Per layer, whether it is much to keep for little work: attention whose kernel keeps scores (Korthikanti et al.
/// 2022), and of latent attention the products that raise queries, keys and values from what is kept (DeepSeek-AI 2024,
/// arXiv 2412.19437, section 3.2.3; Megatron-Core's mla_up_proj), with what puts them side by side.
std::vector<bool> selective_layers(const LayerGraph& graph, const FrameworkProfile& framework);

/// Per layer, the share of its output that saving by operators keeps: of fused attention all, and of the products of a
/// segment the first, the third and so on (torchtitan, activation checkpointing by "op"). Queries, keys and values from
/// one layer are three products there, gates and what they open two. Mixtures of experts and
/// convolutions are computed again.
std::vector<double> saved_operators(const LayerGraph& graph, const FrameworkProfile& framework);

/// What is asked of every layer time and again.
struct LayerMarks {
  std::vector<bool> has_backward;  // needs_gradient()
  std::vector<bool> is_selective;  // selective_layers()
  std::vector<double> saved;       // saved_operators()
};
LayerMarks marks_of(const LayerGraph& graph, const FrameworkProfile& framework);

/// Attention whose keys share numbers over heads: latent attention.
bool is_latent(const Layer& layer);

}  // namespace orrery
