// Transformers by their dimensions: what config.json, published tables and the large networks of the catalogue are made
// of.
#pragma once

#include <cstdint>
#include <string>

#include "models/networks/layer_graph.hpp"

namespace orrery {

enum class TransformerFamily : std::uint8_t { decoder, encoder };  // causal; not causal
enum class Feedforward : std::uint8_t { gelu, relu, swiglu, geglu };
enum class Normalisation : std::uint8_t { layer_norm, rms_norm };
enum class Positions : std::uint8_t { learned, rotary, alibi, relative };

/// 0 where a default follows from the others.
struct TransformerShape {
  std::string name = "transformer";
  TransformerFamily family = TransformerFamily::decoder;
  std::int64_t layers = 0, hidden = 0, heads = 0;
  std::int64_t kv_heads = 0;   // 0: heads
  std::int64_t head_size = 0;  // 0: hidden / heads
  std::int64_t ffn = 0;        // 0: 4 x hidden
  std::int64_t vocabulary = 0, tokens = 0;
  std::int64_t positions = 0;  // rows of the table of learned positions; 0: tokens
  std::int64_t segments = 0;   // BERT: token types
  Feedforward feedforward = Feedforward::gelu;
  Normalisation normalisation = Normalisation::layer_norm;
  Positions position = Positions::learned;
  bool biases = true;          // of every dense layer but the head
  bool qkv_bias = false;       // of the products before attention alone (Qwen2)
  bool query_norm = false;     // rms norm of queries and keys (Qwen3)
  bool tied = true;            // the head's weights are the embedding's
  bool normalise_after = false;  // post-norm (BERT)
  bool embedding_norm = false;   // BERT, BLOOM
  double dropout = 0;
  // Mixture of experts; experts = 0: dense
  std::int64_t experts = 0, experts_per_token = 0, expert_ffn = 0, shared_experts = 0;
  std::int64_t dense_layers = 0;  // first layers that stay dense (DeepSeek-V3)
  // Multi-head latent attention (DeepSeek); 0: none
  std::int64_t query_rank = 0, kv_rank = 0, rope_size = 0, nope_size = 0, value_size = 0;
  std::string source;
};

/// Layers named embedding, block.1.norm1, block.1.qkv, block.1.attention, block.1.projection, block.1.add1,
/// block.1.norm2, block.1.up, block.1.gelu | swiglu | ..., block.1.down, block.1.add2, ..., norm, head, loss; with
/// dropout > 0 also block.1.drop1 and drop2. Throws Infeasible naming what does not divide.
LayerGraph transformer_graph(const TransformerShape& shape);

}  // namespace orrery
