#include <cstdint>

#include "models/networks/hf_blocks.hpp"
#include "models/networks/hf_readers.hpp"

namespace orrery {

namespace {

constexpr const char* gemma_activation = "gelu_pytorch_tanh";

/// Attention and perceptron each with or without biases (Llama, Granite).
void read_both_biases(HfKeys& keys, TransformerShape& shape) {
  read_attention_bias(keys, shape, false);
  if (!keys.boolean("mlp_bias", false)) return;
  shape.biases = shape.qkv_bias;
  if (!shape.qkv_bias) {
    keys.problem("mlp_bias", "is true where attention_bias is not", "networks have biases in both or in attention");
  }
}

/// Models that are made for embeddings of texts look both ways, which no decoder of this graph does.
void refuse_both_ways(HfKeys& keys) {
  if (!keys.has("use_bidirectional_attention") || !keys.boolean("use_bidirectional_attention", false)) return;
  keys.problem("use_bidirectional_attention", "is true", "tokens of this family look back only");
}

/// What Gemma 2 and 3 share: normalisations around every branch, and windows.
HfModel like_gemma2(HfKeys& keys, const Defaults& defaults, const WindowDefaults& windows) {
  HfModel model = like_llama(keys, defaults);
  TransformerShape& shape = model.shape;
  read_attention_bias(keys, shape, false);
  shape.norms = NormPlaces::around;
  read_windows(keys, shape, windows);
  refuse_both_ways(keys);
  return model;
}

void note_caps(HfKeys& keys) {
  keys.note("caps of scores and logits (tanh) are left out: they have no weights, and their time is not counted");
}

}  // namespace

HfModel like_llama_but_heads(HfKeys& keys, const Defaults& defaults) {
  HfModel model = common(keys, defaults);
  TransformerShape& shape = model.shape;
  shape.normalisation = Normalisation::rms_norm;
  shape.position = Positions::rotary;
  shape.biases = false;
  shape.feedforward = activation(keys, defaults.activation_key, defaults.activation, Gate::with);
  shape.tied = keys.boolean("tie_word_embeddings", defaults.tied);
  return model;
}

HfModel like_llama(HfKeys& keys, const Defaults& defaults) {
  HfModel model = like_llama_but_heads(keys, defaults);
  read_heads(keys, model.shape, defaults);
  return model;
}

HfModel read_llama(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 0, 11008, 32000, 2048});
  read_both_biases(keys, model.shape);
  return model;
}

HfModel read_granite(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 0, 11008, 32000, 2048});
  read_both_biases(keys, model.shape);
  keys.note("multipliers of embeddings, scores, sums and logits are left out: they have no weights");
  return model;
}

HfModel read_mistral(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 8, 14336, 32000, 131072});
  read_windows(keys, model.shape, {4096, 0});
  return model;
}

HfModel read_qwen2(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 32, 22016, 151936, 32768});
  model.shape.qkv_bias = true;  // in the family's code, not in the file
  read_qwen_windows(keys, model.shape);
  return model;
}

HfModel read_qwen3(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 32, 22016, 151936, 32768, 128});
  model.shape.query_norm = true;
  read_attention_bias(keys, model.shape, false);
  read_qwen_windows(keys, model.shape);
  return model;
}

HfModel read_gemma(HfKeys& keys) {
  HfModel model = like_llama(keys, {3072, 28, 16, 16, 24576, 256000, 8192, 256, true, gemma_activation});
  return model;
}

HfModel read_gemma2(HfKeys& keys) {
  HfModel model = like_gemma2(
      keys, {2304, 26, 8, 4, 9216, 256000, 8192, 256, true, gemma_activation, "hidden_activation"}, {4096, 2});
  if (!keys.is_null("attn_logit_softcapping") || !keys.is_null("final_logit_softcapping")) note_caps(keys);
  return model;
}

HfModel read_gemma3(HfKeys& keys) {
  const std::int64_t full_every = keys.has("layer_types") ? 0 : keys.integer("sliding_window_pattern", 6);
  HfModel model =
      like_gemma2(keys, {2304, 26, 8, 4, 9216, 262208, 131072, 256, true, gemma_activation, "hidden_activation"},
                  {4096, full_every});
  model.shape.query_norm = true;
  if (keys.has("attn_logit_softcapping") || keys.has("final_logit_softcapping")) note_caps(keys);
  return model;
}

HfModel read_phi3(HfKeys& keys) {
  HfModel model = like_llama(keys, {3072, 32, 32, 0, 8192, 32064, 4096});
  read_windows(keys, model.shape, {0, 0});
  return model;
}

HfModel read_olmo2(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 32, 32, 0, 11008, 50304, 2048});
  TransformerShape& shape = model.shape;
  read_attention_bias(keys, shape, false);
  shape.norms = NormPlaces::after_branch;
  shape.query_norm = shape.norm_of_all_heads = true;
  return model;
}

HfModel read_glm4(HfKeys& keys) {
  HfModel model = like_llama(keys, {4096, 40, 32, 2, 13696, 151552, 131072, 128});
  TransformerShape& shape = model.shape;
  shape.qkv_bias = keys.boolean("attention_bias", true);  // not of the product after attention
  shape.norms = NormPlaces::around;
  return model;
}

HfModel read_cohere(HfKeys& keys) {
  HfModel model = like_llama(keys, {8192, 40, 64, 0, 22528, 256000, 8192, 0, true});
  TransformerShape& shape = model.shape;
  read_attention_bias(keys, shape, false);
  shape.order = BlockOrder::parallel_one_norm;
  shape.query_norm = shape.norm_of_all_heads = keys.boolean("use_qk_norm", false);  // every head its own scales
  keys.note("layer normalisations, which scale and do not shift here, are counted as rms normalisations");
  return model;
}

}  // namespace orrery
