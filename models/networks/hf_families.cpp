#include "models/networks/hf_families.hpp"

#include <fmt/format.h>

#include "models/networks/hf_blocks.hpp"
#include "models/networks/hf_readers.hpp"

namespace orrery {

namespace {

HfModel gpt2(HfKeys& keys) {
  HfModel model;
  TransformerShape& shape = model.shape;
  shape.hidden = keys.integer("n_embd", 768);
  shape.layers = keys.integer("n_layer", 12);
  shape.heads = keys.integer("n_head", 12);
  shape.ffn = keys.derived("n_inner", 4 * shape.hidden, "4 x n_embd");
  shape.vocabulary = keys.integer("vocab_size", 50257);
  shape.positions = model.positions = keys.integer("n_positions", 1024);
  shape.feedforward = activation(keys, "activation_function", "gelu_new", Gate::without);
  shape.tied = keys.boolean("tie_word_embeddings", true);
  shape.dropout = dropout(keys, {"resid_pdrop", "embd_pdrop", "attn_pdrop"}, 0.1);
  return model;
}

HfModel gpt_neox(HfKeys& keys) {
  HfModel model = common(keys, {6144, 44, 64, 0, 24576, 50432, 2048});
  TransformerShape& shape = model.shape;
  shape.feedforward = activation(keys, "hidden_act", "gelu", Gate::without);
  shape.position = Positions::rotary;
  shape.tied = keys.boolean("tie_word_embeddings", false);
  shape.order = keys.boolean("use_parallel_residual", true) ? BlockOrder::parallel : BlockOrder::serial;
  shape.dropout = dropout(keys, {"hidden_dropout", "attention_dropout"}, 0.0);
  return model;
}

HfModel phi(HfKeys& keys) {
  HfModel model = common(keys, {2048, 24, 32, 0, 8192, 51200, 2048});
  TransformerShape& shape = model.shape;
  shape.feedforward = activation(keys, "hidden_act", "gelu_new", Gate::without);
  shape.kv_heads = read_kv_heads(keys, "num_key_value_heads", shape);
  shape.position = Positions::rotary;
  shape.tied = keys.boolean("tie_word_embeddings", false);
  shape.head_bias = true;  // in the family's code
  shape.order = BlockOrder::parallel_one_norm;
  shape.dropout = dropout(keys, {"resid_pdrop", "embd_pdrop", "attention_dropout"}, 0.0);
  return model;
}

HfModel starcoder2(HfKeys& keys) {
  const Defaults defaults{3072, 30, 24, 2, 12288, 49152, 4096};
  HfModel model = common(keys, defaults);
  TransformerShape& shape = model.shape;
  shape.feedforward = activation(keys, "hidden_act", "gelu_pytorch_tanh", Gate::without);
  read_heads(keys, shape, defaults);
  shape.position = Positions::rotary;
  shape.biases = keys.boolean("use_bias", true);
  shape.tied = keys.boolean("tie_word_embeddings", true);
  read_windows(keys, shape, {0, 0});
  shape.dropout = dropout(keys, {"residual_dropout", "embedding_dropout", "attention_dropout"}, 0.0);
  return model;
}

HfModel opt(HfKeys& keys) {
  HfModel model;
  TransformerShape& shape = model.shape;
  shape.hidden = keys.integer("hidden_size", 768);
  shape.layers = keys.integer("num_hidden_layers", 12);
  shape.heads = keys.integer("num_attention_heads", 12);
  shape.ffn = keys.integer("ffn_dim", 3072);
  shape.vocabulary = keys.integer("vocab_size", 50272);
  model.positions = keys.integer("max_position_embeddings", 2048);
  shape.positions = model.positions + 2;  // the family's code leaves two rows free
  shape.feedforward = activation(keys, "activation_function", "relu", Gate::without);
  shape.tied = keys.boolean("tie_word_embeddings", true);
  shape.norms = keys.boolean("do_layer_norm_before", true) ? NormPlaces::before : NormPlaces::after;
  const std::int64_t embedded = keys.derived("word_embed_proj_dim", shape.hidden, "as wide as hidden_size");
  if (embedded != shape.hidden && !keys.is_wrong("word_embed_proj_dim") && !keys.is_wrong("hidden_size")) {
    keys.problem("word_embed_proj_dim", "is not hidden_size", "embeddings of another width are not made");
  }
  shape.dropout = dropout(keys, {"dropout"}, 0.1);
  return model;
}

HfModel bloom(HfKeys& keys) {
  HfModel model;
  TransformerShape& shape = model.shape;
  shape.hidden = keys.integer("n_embed", "hidden_size", 64);
  shape.layers = keys.integer("num_hidden_layers", "n_layer", 2);
  shape.heads = keys.integer("num_attention_heads", "n_head", 8);
  shape.vocabulary = keys.integer("vocab_size", 250880);
  model.positions = keys.integer("seq_length", 2048);  // alibi: any length
  shape.position = Positions::alibi;
  shape.embedding_norm = true;
  shape.tied = keys.boolean("tie_word_embeddings", true);
  shape.dropout = dropout(keys, {"hidden_dropout", "attention_dropout"}, 0.0);
  return model;
}

/// Falcon 40B and 180B have a normalisation for either half of a block, Falcon 2 has one for both.
void read_new_falcon(HfKeys& keys, TransformerShape& shape) {
  shape.kv_heads = read_kv_heads(keys, "num_kv_heads", shape);
  const std::int64_t norms = keys.integer("num_ln_in_parallel_attn", 2);
  shape.order = norms == 1 ? BlockOrder::parallel_one_norm : BlockOrder::parallel;
  if (norms > 2) keys.problem("num_ln_in_parallel_attn", fmt::format("{} is neither 1 nor 2", norms));
}

HfModel falcon(HfKeys& keys) {
  HfModel model;
  TransformerShape& shape = model.shape;
  shape.hidden = keys.integer("hidden_size", 4544);
  shape.layers = keys.integer("num_hidden_layers", 32);
  shape.heads = keys.integer("num_attention_heads", 71);
  shape.ffn = keys.derived("ffn_hidden_size", 4 * shape.hidden, "4 x hidden_size");
  shape.feedforward = activation(keys, "activation", "gelu", Gate::without);
  shape.vocabulary = keys.integer("vocab_size", 65024);
  model.positions = keys.integer("max_position_embeddings", 2048);
  shape.biases = keys.boolean("bias", false);
  shape.position = keys.boolean("alibi", false) ? Positions::alibi : Positions::rotary;
  if (keys.boolean("new_decoder_architecture", false)) {
    read_new_falcon(keys, shape);
  } else {
    if (keys.boolean("multi_query", true)) shape.kv_heads = 1;
    if (keys.boolean("parallel_attn", true)) shape.order = BlockOrder::parallel_one_norm;
  }
  shape.tied = keys.boolean("tie_word_embeddings", true);
  shape.dropout = dropout(keys, {"hidden_dropout", "attention_dropout"}, 0.0);
  return model;
}

HfModel bert(HfKeys& keys) {
  HfModel model = common(keys, {768, 12, 12, 0, 3072, 30522, 512});
  TransformerShape& shape = model.shape;
  shape.family = TransformerFamily::encoder;
  shape.positions = model.positions;
  shape.segments = keys.integer("type_vocab_size", 2);
  shape.norms = NormPlaces::after;
  shape.embedding_norm = true;
  shape.feedforward = activation(keys, "hidden_act", "gelu", Gate::without);
  shape.tied = keys.boolean("tie_word_embeddings", true);
  shape.dropout = dropout(keys, {"hidden_dropout_prob", "attention_probs_dropout_prob"}, 0.1);
  keys.note("the head is the masked language model's; the pooler is left out");
  return model;
}

HfModel t5(HfKeys& keys) {
  HfModel model;
  TransformerShape& shape = model.shape;
  shape.family = TransformerFamily::encoder_decoder;
  shape.hidden = keys.integer("d_model", 512);
  shape.head_size = keys.integer("d_kv", 64);
  shape.ffn = keys.integer("d_ff", 2048);
  shape.layers = keys.integer("num_layers", 6);
  shape.decoder_layers = keys.derived("num_decoder_layers", shape.layers, "as many as num_layers");
  shape.heads = keys.integer("num_heads", 8);
  shape.vocabulary = keys.integer("vocab_size", 32128);
  shape.positions = keys.integer("relative_attention_num_buckets", 32);
  shape.position = Positions::relative;
  shape.normalisation = Normalisation::rms_norm;
  shape.biases = false;
  const bool is_gated = keys.has("feed_forward_proj") && keys.text("feed_forward_proj", "relu").starts_with("gated-");
  shape.feedforward = is_gated ? Feedforward::geglu : activation(keys, "feed_forward_proj", "relu", Gate::without);
  shape.tied = keys.boolean("tie_word_embeddings", true);
  shape.dropout = dropout(keys, {"dropout_rate"}, 0.1);
  model.positions = keys.integer("n_positions", 512);
  keys.note("encoder and decoder read samples of the same number of tokens");
  return model;
}

/// The library's default of 2 classes is for other purposes: a model without its labels is taken for ImageNet's.
std::int64_t labels(HfKeys& keys) {
  if (const std::int64_t count = keys.members("id2label"); count > 0) return count;
  return keys.integer("num_labels", 1000);
}

HfModel vit(HfKeys& keys) {
  HfModel model;
  TransformerShape& shape = model.shape;
  shape.hidden = keys.integer("hidden_size", 768);
  shape.layers = keys.integer("num_hidden_layers", 12);
  shape.heads = keys.integer("num_attention_heads", 12);
  shape.ffn = keys.integer("intermediate_size", 3072);
  shape.feedforward = activation(keys, "hidden_act", "gelu", Gate::without);
  shape.dropout = dropout(keys, {"hidden_dropout_prob", "attention_probs_dropout_prob"}, 0.0);
  if (!keys.boolean("qkv_bias", true)) {
    keys.problem("qkv_bias", "is false", "networks have biases in every product or in none");
  }
  model.patches = {keys.integer("image_size", 224), keys.integer("patch_size", 16), keys.integer("num_channels", 3),
                   labels(keys)};
  return model;
}

}  // namespace

const std::vector<HfFamily>& hf_family_table() {
  static const std::vector<HfFamily> table = {{"bert", bert},
                                              {"bloom", bloom},
                                              {"cohere", read_cohere},
                                              {"deepseek_v2", read_deepseek_v2},
                                              {"deepseek_v3", read_deepseek},
                                              {"falcon", falcon},
                                              {"gemma", read_gemma},
                                              {"gemma2", read_gemma2},
                                              {"gemma3", read_gemma3},
                                              {"gemma3_text", read_gemma3},
                                              {"glm4", read_glm4},
                                              {"gpt2", gpt2},
                                              {"gpt_neox", gpt_neox},
                                              {"gpt_oss", read_gpt_oss},
                                              {"granite", read_granite},
                                              {"kimi_k2", read_deepseek},
                                              {"llama", read_llama},
                                              {"llama4", read_llama4},
                                              {"llama4_text", read_llama4},
                                              {"mistral", read_mistral},
                                              {"mixtral", read_mixtral},
                                              {"olmo2", read_olmo2},
                                              {"opt", opt},
                                              {"phi", phi},
                                              {"phi3", read_phi3},
                                              {"phimoe", read_phimoe},
                                              {"qwen2", read_qwen2},
                                              {"qwen2_moe", read_qwen2_moe},
                                              {"qwen3", read_qwen3},
                                              {"qwen3_moe", read_qwen3_moe},
                                              {"starcoder2", starcoder2},
                                              {"t5", t5},
                                              {"vit", vit}};
  return table;
}

}  // namespace orrery
