// Families of config.json whose blocks differ from Llama's: parameters against the published ones, where
// normalisations stand, and the rows of the table that are the same models.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/layouts/blocks.hpp"
#include "models/networks/transformer_table.hpp"
#include "tests/catch.hpp"
#include "tests/models/networks/config_text.hpp"

namespace orrery {
namespace {

struct Row {
  std::string config;
  std::int64_t parameters;
};

// The keys that the published files give and the defaults do not say already. Counts: the safetensors of the released
// checkpoints as the hub lists them (total_size of model.safetensors.index.json / 2), but where a comment says more.
const std::vector<Row>& published() {
  static const std::vector<Row> rows = {
      {R"({"model_type": "gemma2"})", 2614341888},
      {R"({"model_type": "gemma2", "hidden_size": 3584, "num_hidden_layers": 42, "num_attention_heads": 16,
           "num_key_value_heads": 8, "intermediate_size": 14336})",
       9241705984},
      {R"({"model_type": "gemma2", "hidden_size": 4608, "num_hidden_layers": 46, "num_attention_heads": 32,
           "num_key_value_heads": 16, "head_dim": 128, "intermediate_size": 36864})",
       27227128320},
      {R"({"model_type": "gemma3_text", "hidden_size": 1152, "num_attention_heads": 4, "num_key_value_heads": 1,
           "intermediate_size": 6912, "vocab_size": 262144, "sliding_window": 512})",
       999885952},
      // 4,300,079,472 with what reads images: SigLIP's 416,866,032 and a projection of 1,152 x 2,560 + 1,152
      {R"({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "hidden_size": 2560,
           "num_hidden_layers": 34, "intermediate_size": 10240, "sliding_window": 1024}})",
       4300079472 - 416866032 - 1152 * 2561},
      {R"({"model_type": "qwen2_moe"})", 14315784192},
      {R"({"model_type": "qwen2_moe", "hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28,
           "num_key_value_heads": 4, "intermediate_size": 18944, "moe_intermediate_size": 2560,
           "shared_expert_intermediate_size": 20480, "num_experts": 64, "num_experts_per_tok": 8})",
       57408658944},
      {R"({"model_type": "deepseek_v2", "hidden_size": 2048, "num_hidden_layers": 27, "num_attention_heads": 16,
           "intermediate_size": 10944, "vocab_size": 102400, "q_lora_rank": null, "moe_intermediate_size": 1408,
           "first_k_dense_replace": 1, "num_experts_per_tok": 6, "n_group": 1, "topk_group": 1})",
       15706484224},
      {R"({"model_type": "deepseek_v2", "hidden_size": 5120, "num_hidden_layers": 60, "num_attention_heads": 128,
           "intermediate_size": 12288, "vocab_size": 102400, "n_routed_experts": 160, "moe_intermediate_size": 1536,
           "first_k_dense_replace": 1, "num_experts_per_tok": 6, "n_group": 8, "topk_group": 3,
           "topk_method": "group_limited_greedy"})",
       235741434880},
      // Scout, 108,641,793,536 with the 871,932,416 of what reads images; Maverick, 401,583,781,376 with the same
      {R"({"model_type": "llama4", "text_config": {"model_type": "llama4_text"}})", 108641793536 - 871932416},
      // Scout as its file has it, 10,485,760 positions
      {R"({"model_type": "llama4", "text_config": {"model_type": "llama4_text", "attention_bias": false,
           "attention_chunk_size": 8192, "head_dim": 128, "hidden_act": "silu", "hidden_size": 5120,
           "interleave_moe_layer_step": 1, "intermediate_size": 8192, "intermediate_size_mlp": 16384,
           "max_position_embeddings": 10485760, "no_rope_layers": [], "num_attention_heads": 40,
           "num_experts_per_tok": 1, "num_hidden_layers": 48, "num_key_value_heads": 8, "num_local_experts": 16,
           "use_qk_norm": true, "vocab_size": 202048}})",
       107769861120},
      {R"({"model_type": "llama4_text", "num_local_experts": 128, "interleave_moe_layer_step": 2,
           "use_qk_norm": false})",
       401583781376 - 871932416},
      {R"({"model_type": "olmo2", "vocab_size": 100352})", 7298617344},
      {R"({"model_type": "olmo2", "hidden_size": 5120, "num_hidden_layers": 40, "num_attention_heads": 40,
           "intermediate_size": 13824, "vocab_size": 100352})",
       13716198400},
      {R"({"model_type": "olmo2", "hidden_size": 5120, "num_hidden_layers": 64, "num_attention_heads": 40,
           "num_key_value_heads": 8, "intermediate_size": 27648, "vocab_size": 100352})",
       32234279936},
      // Granite 3.1 2B
      {R"({"model_type": "granite", "hidden_size": 2048, "num_hidden_layers": 40, "num_key_value_heads": 8,
           "intermediate_size": 8192, "vocab_size": 49155, "tie_word_embeddings": true})",
       2533531648},
      {R"({"model_type": "glm4"})", 9400279040},  // GLM-4-9B-0414
      // Falcon 2 11B: 2 x 65,024 x 4,096 + 2 x 4,096 + 60 x (4,096 x 48 x 128 + 4,096^2 + 2 x 4,096 x 16,384 + 2 x
      // 4,096)
      {R"({"model_type": "falcon", "hidden_size": 4096, "num_hidden_layers": 60, "num_attention_heads": 32,
           "num_kv_heads": 8, "ffn_hidden_size": 16384, "new_decoder_architecture": true,
           "num_ln_in_parallel_attn": 1, "tie_word_embeddings": false})",
       11102822400},
  };
  return rows;
}

TEST_CASE("Released models of these families have their published parameters") {
  for (const Row& row : published()) {
    CAPTURE(row.config);
    CHECK(parameters(graph_of(row.config)) == row.parameters);
  }
}

TEST_CASE("Models published in round numbers: the sum of what their blocks have") {
  // StarCoder2 3B (Lozhkov et al. 2024, 3 billion): 30 blocks of two normalisations, biases everywhere
  const std::int64_t h = 3072, f = 12288, keys = 2 * 128;
  CHECK(parameters(graph_of(R"({"model_type": "starcoder2"})")) ==
        49152 * h + 2 * h + 30 * (2 * (h * h + h) + 2 * (h * keys + keys) + 2 * h * f + f + h + 4 * h));
  // Command R, 35 billion: a normalisation for both halves, scales alone
  const std::int64_t r = 8192;
  CHECK(parameters(graph_of(R"({"model_type": "cohere"})")) == 256000 * r + r + 40 * (4 * r * r + 3 * r * 22528 + r));
  // Command R+, 104 billion: with scales of 96 heads of queries and 8 of keys, 128 each
  const std::int64_t p = 12288;
  CHECK(parameters(graph_of(R"({"model_type": "cohere", "hidden_size": 12288, "num_hidden_layers": 64,
    "num_attention_heads": 96, "num_key_value_heads": 8, "intermediate_size": 33792, "use_qk_norm": true})")) ==
        256000 * p + p + 64 * (2 * p * p + 2 * p * 1024 + 3 * p * 33792 + p + p + 1024));
  // Phi-3.5-MoE, 41.9 billion: layer normalisations, biases of attention and of the head
  const std::int64_t m = 4096;
  CHECK(parameters(graph_of(R"({"model_type": "phimoe", "attention_bias": true, "lm_head_bias": true})")) ==
        2 * 32064 * m + 32064 + 2 * m +
            32 * (4 * m + 2 * (m * m + m) + 2 * (m * 1024 + 1024) + 16 * m + 16 * 3 * m * 6400));
}

TEST_CASE("Gemma 2 normalises what a branch reads and what it gives, every second block sees a window") {
  Texts assumed;
  const LayerGraph graph =
      graph_of(R"({"model_type": "gemma2", "num_hidden_layers": 4, "sliding_window": 64})", 128, &assumed);
  CHECK(layer_named(graph, "block.1.qkv").input == layer_named(graph, "block.1.norm1").id);
  CHECK(layer_named(graph, "block.1.post_norm1").input == layer_named(graph, "block.1.projection").id);
  CHECK(layer_named(graph, "block.1.add1").input == layer_named(graph, "block.1.post_norm1").id);
  CHECK(layer_named(graph, "block.1.up").input == layer_named(graph, "block.1.norm2").id);
  CHECK(layer_named(graph, "block.1.add2").input == layer_named(graph, "block.1.post_norm2").id);
  CHECK(layer_named(graph, "block.1.add2").skip == layer_named(graph, "block.1.add1").id);
  CHECK(layer_named(graph, "norm").input == layer_named(graph, "block.4.add2").id);
  CHECK(layer_named(graph, "block.3.attention").window == 64);
  CHECK(layer_named(graph, "block.4.attention").window == 0);
  CHECK(blocks_of(graph).repeats == 4);
  const std::string caps =
      "caps of scores and logits (tanh) are left out: they have no weights, and their time is not counted";
  CHECK(assumed == Texts{"hidden_size = 2304 (default of gemma2)", "num_attention_heads = 8 (default of gemma2)",
                         "intermediate_size = 9216 (default of gemma2)", "vocab_size = 256000 (default of gemma2)",
                         "max_position_embeddings = 8192 (default of gemma2)",
                         "hidden_activation = \"gelu_pytorch_tanh\" (default of gemma2)",
                         "tie_word_embeddings = true (default of gemma2)",
                         "num_key_value_heads = 4 (default of gemma2)", "head_dim = 256 (default of gemma2)",
                         "attention_bias = false (default of gemma2)", caps});
}

TEST_CASE("Falcon's blocks have a normalisation for either half, or one for both") {
  const std::string falcon =
      R"({"model_type": "falcon", "num_hidden_layers": 1, "num_attention_heads": 64, "hidden_size": 4096,
          "new_decoder_architecture": true)";
  const LayerGraph one = graph_of(falcon + R"(, "num_ln_in_parallel_attn": 1, "activation": "relu"})");
  CHECK(layer_named(one, "block.1.up").input == layer_named(one, "block.1.norm1").id);
  CHECK(layer_named(one, "block.1.relu").kind == LayerKind::relu);
  for (const std::string two : {"}", R"(, "num_ln_in_parallel_attn": 2})", R"(, "num_ln_in_parallel_attn": null})"}) {
    const LayerGraph graph = graph_of(falcon + two);
    CHECK(layer_named(graph, "block.1.up").input == layer_named(graph, "block.1.norm2").id);
  }
  CHECK(problems_in(R"({"model_type": "falcon", "new_decoder_architecture": true, "num_ln_in_parallel_attn": 3})") ==
        R"(config.json:1:87: num_ln_in_parallel_attn: 3 is neither 1 nor 2
  {"model_type": "falcon", "new_decoder_architecture": true, "num_ln_in_parallel_attn": 3}
                                                                                        ^)");
}

TEST_CASE("OLMo 2 normalises what a branch gives, and queries and keys over all heads") {
  const LayerGraph graph = graph_of(R"({"model_type": "olmo2", "num_hidden_layers": 2, "num_key_value_heads": 8})");
  CHECK(layer_named(graph, "block.2.query").input == layer_named(graph, "block.1.add2").id);
  CHECK(layer_named(graph, "block.2.up").input == layer_named(graph, "block.2.add1").id);
  CHECK(layer_named(graph, "block.2.add1").input == layer_named(graph, "block.2.post_norm1").id);
  CHECK(parameters(layer_named(graph, "block.1.query_norm")) == 4096);
  CHECK(parameters(layer_named(graph, "block.1.key_norm")) == 1024);
}

TEST_CASE("Longer samples than a row's own see through the windows of its style") {
  CHECK(layer_named(load_network("llama4-scout"), "block.1.attention").window == 0);
  Problems problems;
  for (TransformerRow& row : read_transformers(problems)) {
    if (row.shape.name != "llama4-scout") continue;
    row.shape.tokens = 16384;
    const LayerGraph graph = graph_of(row);
    CHECK(layer_named(graph, "block.3.attention").window == 8192);
    CHECK(layer_named(graph, "block.4.attention").window == 0);
  }
  CHECK(problems.empty());
}

TEST_CASE("A config.json and the row of the same model are the same network") {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"gemma2-2b", R"({"model_type": "gemma2"})"},
      {"gemma3-4b", R"({"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34,
                        "intermediate_size": 10240, "sliding_window": 1024})"},
      {"llama4-scout", R"({"model_type": "llama4_text"})"},
      {"olmo2-7b", R"({"model_type": "olmo2", "vocab_size": 100352})"},
      {"qwen1.5-moe-a2.7b", R"({"model_type": "qwen2_moe"})"},
  };
  for (const auto& [name, config] : pairs) {
    CAPTURE(name);
    const LayerGraph row = load_network(name), read = graph_of(config, row.input.height);
    REQUIRE(read.layers.size() == row.layers.size());
    for (std::size_t i = 0; i < row.layers.size(); ++i) {
      const Layer &a = row.layers[i], &b = read.layers[i];
      CAPTURE(a.name);
      CHECK((a.name == b.name && a.kind == b.kind && a.in == b.in && a.out == b.out));
      CHECK((a.input == b.input && a.skip == b.skip && a.window == b.window && parameters(a) == parameters(b)));
    }
  }
}

}  // namespace
}  // namespace orrery
