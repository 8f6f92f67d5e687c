// Transformers by their dimensions: what config.json, published tables and the large networks of the catalogue are made
// of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/networks/layer_graph.hpp"

namespace orrery {

enum class TransformerFamily : std::uint8_t {
  decoder,         // causal
  encoder,         // not causal, with BERT's masked-language-model head; no pooler
  encoder_decoder  // T5: `layers` of an encoder, `decoder_layers` that also attend to what it gives
};
enum class Feedforward : std::uint8_t { gelu, relu, swiglu, geglu };
enum class Normalisation : std::uint8_t { layer_norm, rms_norm };
enum class Positions : std::uint8_t {
  learned,
  rotary,
  alibi,
  relative  // T5: a table of buckets x heads in the first layer of a stack
};
enum class BlockOrder : std::uint8_t {
  serial,
  parallel,          // the perceptron reads the block's input, as attention does, each through its own normalisation
  parallel_one_norm  // both through the same one
};

enum class NormPlaces : std::uint8_t {
  before,        // of attention and of the perceptron, and one after the last block
  after,         // after each addition (BERT)
  after_branch,  // of what attention and the perceptron give, before it is added (OLMo 2)
  around         // of what they read and of what they give (Gemma 2)
};

/// 0 where a default follows from the others.
struct TransformerShape {
  std::string name = "transformer", title;  // title empty: the name
  TransformerFamily family = TransformerFamily::decoder;
  std::int64_t layers = 0, hidden = 0, heads = 0;
  std::int64_t kv_heads = 0;   // 0: heads
  std::int64_t head_size = 0;  // 0: hidden / heads
  std::int64_t ffn = 0;        // 0: 4 x hidden
  std::int64_t vocabulary = 0, tokens = 0;
  std::int64_t positions = 0;  // rows of the table of learned positions (0: tokens); buckets of relative ones (0: 32)
  std::int64_t decoder_layers = 0;  // encoder_decoder; 0: layers
  std::int64_t segments = 0;        // BERT: token types
  Feedforward feedforward = Feedforward::gelu;
  Normalisation normalisation = Normalisation::layer_norm;
  Positions position = Positions::learned;
  bool biases = true;                       // of every dense layer but the head
  bool qkv_bias = false;                    // of the products before attention alone (Qwen2)
  bool projection_bias = false;             // of the product after attention alone
  bool query_norm = false;                  // rms norm of queries and keys, of each head (Qwen3)
  bool norm_of_all_heads = false;           // that norm of all heads together, with a scale for each number (OLMo 2)
  bool sinks = false;                       // of attention (GPT-OSS)
  std::int64_t window = 0;                  // tokens that one sees in the blocks that do not see all; 0: all see all
  std::int64_t full_every = 2;              // the n-th, 2 n-th, ... block sees all; 0: only those of full_blocks
  std::vector<std::int64_t> full_blocks{};  // more blocks that see all, counted from 1, ascending
  bool tied = true;                         // the head's weights are the embedding's
  bool head_bias = false;
  BlockOrder order = BlockOrder::serial;
  NormPlaces norms = NormPlaces::before;  // of serial blocks
  bool embedding_norm = false;            // BERT, BLOOM
  double dropout = 0;
  // Mixture of experts; experts = 0: dense
  std::int64_t experts = 0, experts_per_token = 0, expert_ffn = 0, shared_experts = 0;
  std::int64_t expert_groups = 0, groups_per_token = 0;  // a token's experts are in so many of the groups at most; 0:
                                                         // one group; all of them
  std::int64_t dense_layers = 0;                         // first layers that stay dense (DeepSeek-V3)
  std::vector<std::int64_t> dense_blocks{};              // more blocks without experts, counted from 1, ascending
  bool shared_gate = false;    // one number per token that the shared experts are multiplied with (Qwen2)
  bool expert_biases = false;  // of the router and of every product of an expert (GPT-OSS)
  // Multi-head latent attention (DeepSeek); 0: none
  std::int64_t query_rank = 0, kv_rank = 0, rope_size = 0, nope_size = 0, value_size = 0;
  std::string source;
};

/// Layers named embedding, block.1.norm1, block.1.qkv, block.1.attention, block.1.projection, block.1.add1,
/// block.1.norm2, block.1.up, block.1.gelu | relu | swiglu | geglu, block.1.down, block.1.add2, ..., norm, head, loss;
/// with dropout > 0 also embedding_drop, block.1.drop1 and drop2, and attention drops scores at that rate. A gated
/// perceptron's `up` gives gate and value side by side. Experts are one layer, block.1.experts, instead of up to down.
/// With norms around or after a branch: block.1.post_norm1 before add1, post_norm2 before add2 (and no norm1, norm2
/// after a branch). With query_norm: query, query_norm, key, key_norm, value, query_key, and qkv that puts them side by
/// side. Latent attention: query_down, query_latent_norm, query_up (query alone without query_rank), kv_down, kv_norm,
/// kv_up, key_rope, keys_values, qkv. Encoder and decoder blocks of encoder_decoder: encoder.1.*, decoder.1.* with
/// cross_norm, cross_query, cross_keys_values, cross_attention, cross_projection, cross_add; both stacks read the same
/// tokens. Throws Infeasible naming all that does not divide.
LayerGraph transformer_graph(const TransformerShape& shape);

struct PatchShape {
  std::int64_t image = 224, patch = 16, channels = 3, classes = 1000;
};

/// A vision transformer (Dosovitskiy et al. 2021): patches, tokens, class_token, positions, block.1.* ..., norm, class,
/// head, loss. The class token comes last instead of first, which changes neither counts nor results: positions are
/// learned. Of `shape`: everything but vocabulary, tokens, positions, tied. Throws as transformer_graph().
LayerGraph vision_transformer_graph(const TransformerShape& shape, const PatchShape& patches);

}  // namespace orrery
