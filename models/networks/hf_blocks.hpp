// Which blocks of a Hugging Face model see a window of the tokens, and which have experts.
#pragma once

#include <cstdint>
#include <string>

#include "models/networks/hf_families.hpp"

namespace orrery {

/// What the family's code does where the file does not say it.
struct WindowDefaults {
  std::int64_t tokens;      // of the window; 0: none
  std::int64_t full_every;  // the n-th, 2 n-th, ... block sees all; 0: none does
};

/// sliding_window (null: none) in the blocks that layer_types names, or else by the family's rule.
void read_windows(HfKeys& keys, TransformerShape& shape, const WindowDefaults& defaults);
/// layer_types: a name for every block, `windowed` or full_attention.
void read_layer_types(HfKeys& keys, TransformerShape& shape, const std::string& windowed);
/// Qwen: only with use_sliding_window, and then from block max_window_layers on (counted from 0).
void read_qwen_windows(HfKeys& keys, TransformerShape& shape);
/// Qwen2's mixtures: in every second block, from the first on, of the first max_window_layers.
void read_qwen_moe_windows(HfKeys& keys, TransformerShape& shape);

/// Experts in every decoder_sparse_step-th block but those of mlp_only_layers (counted from 0).
void read_sparse_step(HfKeys& keys, TransformerShape& shape);
/// Experts in the blocks of moe_layers (counted from 0), or else in every interleave_moe_layer_step-th.
void read_interleaved_experts(HfKeys& keys, TransformerShape& shape);
/// Experts in every moe_layer_freq-th block (counted from 0) after the first first_k_dense_replace.
void read_late_experts(HfKeys& keys, TransformerShape& shape, std::int64_t dense_layers);

}  // namespace orrery
