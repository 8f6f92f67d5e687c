// Which blocks of a config.json see a window and which have experts, and what is wrong with a file that says it.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/models/networks/config_text.hpp"

namespace orrery {
namespace {

using Numbers = std::vector<std::int64_t>;

/// The blocks, counted from 1, whose attention sees all.
Numbers full_blocks(const LayerGraph& graph) {
  Numbers blocks;
  std::int64_t block = 0;
  for (const Layer& layer : graph.layers) {
    if (layer.kind != LayerKind::attention) continue;
    ++block;
    if (layer.window == 0) blocks.push_back(block);
  }
  return blocks;
}

/// The blocks, counted from 1, that have experts.
Numbers sparse_blocks(const LayerGraph& graph) {
  Numbers blocks;
  for (const Layer& layer : graph.layers) {
    if (layer.kind == LayerKind::mixture_of_experts) blocks.push_back(std::stoll(layer.name.substr(6)));
  }
  return blocks;
}

TEST_CASE("Windows stand where the file or the family's code says, and not where they hold the whole sample") {
  const std::string gemma3 = R"({"model_type": "gemma3_text", "num_hidden_layers": 8, "sliding_window": 64)";
  CHECK(full_blocks(graph_of(gemma3 + "}")) == Numbers{6});
  CHECK(full_blocks(graph_of(gemma3 + R"(, "sliding_window_pattern": 3})")) == Numbers{3, 6});
  CHECK(full_blocks(graph_of(gemma3 + R"(, "layer_types": ["full_attention", "sliding_attention", "full_attention",
    "sliding_attention", "sliding_attention", "sliding_attention", "sliding_attention", "sliding_attention"]})")) ==
        Numbers{1, 3});
  CHECK(full_blocks(graph_of(gemma3 + "}", 64)).size() == 8);
  const std::string two = R"(, "num_hidden_layers": 2, "sliding_window": 64)";
  CHECK(full_blocks(graph_of(R"({"model_type": "mistral")" + two + "}")).empty());
  CHECK(full_blocks(graph_of(R"({"model_type": "mistral", "num_hidden_layers": 2, "sliding_window": null})")) ==
        Numbers{1, 2});
  CHECK(full_blocks(graph_of(R"({"model_type": "starcoder2")" + two + "}")).empty());
  CHECK(full_blocks(graph_of(R"({"model_type": "qwen2")" + two + "}")) == Numbers{1, 2});
  CHECK(full_blocks(graph_of(R"({"model_type": "qwen2", "use_sliding_window": true, "max_window_layers": 1)" + two +
                             "}")) == Numbers{1});
  CHECK(full_blocks(graph_of(R"({"model_type": "qwen2_moe", "use_sliding_window": true, "num_hidden_layers": 4,
    "sliding_window": 64, "max_window_layers": 3})")) == Numbers{2, 4});
  const std::string llama4 = R"({"model_type": "llama4_text", "num_hidden_layers": 8, "attention_chunk_size": 64)";
  CHECK(full_blocks(graph_of(llama4 + "}")) == Numbers{4, 8});
  CHECK(full_blocks(graph_of(llama4 + R"(, "no_rope_layers": [1, 0, 1, 1, 1, 1, 0, 1]})")) == Numbers{2, 7});
  CHECK(full_blocks(graph_of(llama4 + R"(, "no_rope_layers": [], "no_rope_layer_interval": 3})")) == Numbers{3, 6});
}

TEST_CASE("Llama 4's layer_types stand above no_rope_layers, and nothing is assumed beside either") {
  const std::string llama4 = R"({"model_type": "llama4_text", "num_hidden_layers": 2, "attention_chunk_size": 64)";
  const std::string rotated = R"(, "no_rope_layers": [0, 1])";
  const std::string types = R"(, "layer_types": ["chunked_attention", "full_attention"])";
  const auto read = [](const std::string& text, const Numbers& full) {
    Texts assumed;
    CHECK(full_blocks(graph_of(text, 128, &assumed)) == full);
    return std::count(assumed.begin(), assumed.end(), "no_rope_layer_interval = 4 (default of llama4_text)");
  };
  CHECK(read(llama4 + rotated + types + "}", {2}) == 0);
  CHECK(read(llama4 + rotated + "}", {1}) == 0);
  CHECK(read(llama4 + "}", {}) == 1);
}

TEST_CASE("Experts stand in the blocks that the file says") {
  const std::string moe = R"({"model_type": "qwen2_moe", "num_hidden_layers": 6)";
  CHECK(sparse_blocks(graph_of(moe + "}")) == Numbers{1, 2, 3, 4, 5, 6});
  CHECK(sparse_blocks(graph_of(moe + R"(, "decoder_sparse_step": 2, "mlp_only_layers": [3, 0]})")) == Numbers{2, 6});
  const std::string llama4 = R"({"model_type": "llama4_text", "num_hidden_layers": 6)";
  CHECK(sparse_blocks(graph_of(llama4 + R"(, "interleave_moe_layer_step": 3})")) == Numbers{3, 6});
  CHECK(sparse_blocks(graph_of(llama4 + R"(, "moe_layers": [0, 5]})")) == Numbers{1, 6});
  CHECK(layer_named(graph_of(llama4 + R"(, "moe_layers": [0, 5]})"), "block.2.swiglu").out.channels == 16384);
  CHECK(sparse_blocks(graph_of(R"({"model_type": "deepseek_v2", "num_hidden_layers": 6, "first_k_dense_replace": 1,
    "moe_layer_freq": 2})")) == Numbers{3, 5});
}

TEST_CASE("A shared expert as wide as four has the weights of four and a gate") {
  const LayerGraph graph = graph_of(R"({"model_type": "qwen2_moe", "num_hidden_layers": 1})");
  const Layer experts = layer_named(graph, "block.1.experts");
  CHECK(experts.shared_experts == 4);
  CHECK(router_outputs(experts) == 61);
  CHECK(router_parameters(experts) == 2048 * 61);
  CHECK(parameters(experts) == 2048 * 60 + 60LL * 3 * 2048 * 1408 + 3 * 2048 * 5632 + 2048);
  CHECK(weight_tensors(experts) == 1 + 60 * 3 + 4 * 3 + 1);
}

TEST_CASE("Groups limit a token's experts only where the file chooses so") {
  const std::string v2 = R"({"model_type": "deepseek_v2", "num_hidden_layers": 1, "n_group": 8, "topk_group": 3)";
  CHECK(layer_named(graph_of(v2 + "}"), "block.1.experts").expert_groups == 1);
  const LayerGraph graph = graph_of(v2 + R"(, "topk_method": "group_limited_greedy"})");
  CHECK(layer_named(graph, "block.1.experts").expert_groups == 8);
  CHECK(layer_named(graph, "block.1.experts").groups_per_token == 3);
}

TEST_CASE("Lists that name no blocks or not all of them are told with their place") {
  CHECK(problems_in(R"({"model_type": "gemma2", "layer_types": ["full_attention"]})") ==
        R"(config.json:1:41: layer_types: names 1 blocks of 26
  {"model_type": "gemma2", "layer_types": ["full_attention"]}
                                          ^)");
  CHECK(problems_in(R"({"model_type": "gemma2", "num_hidden_layers": 1, "layer_types": ["chunked_attention"]})") ==
        R"(config.json:1:65: layer_types: "chunked_attention" is not known - known: full_attention, sliding_attention
  {"model_type": "gemma2", "num_hidden_layers": 1, "layer_types": ["chunked_attention"]}
                                                                  ^)");
  CHECK(problems_in(R"({"model_type": "gemma2", "num_hidden_layers": 1, "layer_types": [2]})") ==
        R"(config.json:1:65: layer_types: 2 is not a text
  {"model_type": "gemma2", "num_hidden_layers": 1, "layer_types": [2]}
                                                                  ^)");
  CHECK(problems_in(R"({"model_type": "qwen2_moe", "mlp_only_layers": [3, 24]})") ==
        R"(config.json:1:48: mlp_only_layers: 24 is no block (they are 0 to 23)
  {"model_type": "qwen2_moe", "mlp_only_layers": [3, 24]}
                                                 ^)");
  CHECK(problems_in(R"({"model_type": "qwen2_moe", "mlp_only_layers": 3})") ==
        R"(config.json:1:48: mlp_only_layers: 3 is not a list
  {"model_type": "qwen2_moe", "mlp_only_layers": 3}
                                                 ^)");
  CHECK(problems_in(R"({"model_type": "llama4_text", "no_rope_layers": [1, 0]})") ==
        R"(config.json:1:49: no_rope_layers: names 2 blocks of 48
  {"model_type": "llama4_text", "no_rope_layers": [1, 0]}
                                                  ^)");
}

TEST_CASE("What these families have and networks have not is told, with what networks have") {
  CHECK(
      problems_in(R"({"model_type": "qwen2_moe", "shared_expert_intermediate_size": 1500})") ==
      R"(config.json:1:64: shared_expert_intermediate_size: 1500 is no multiple of moe_intermediate_size 1408 (networks have shared experts as wide as the others)
  {"model_type": "qwen2_moe", "shared_expert_intermediate_size": 1500}
                                                                 ^)");
  CHECK(problems_in(R"({"model_type": "deepseek_v2", "attention_bias": true})") ==
        R"(config.json:1:49: attention_bias: is true (networks have no biases in latent attention)
  {"model_type": "deepseek_v2", "attention_bias": true}
                                                  ^)");
  CHECK(
      problems_in(R"({"model_type": "granite", "mlp_bias": true})") ==
      R"(config.json:1:39: mlp_bias: is true where attention_bias is not (networks have biases in both or in attention)
  {"model_type": "granite", "mlp_bias": true}
                                        ^)");
  CHECK(problems_in(R"({"model_type": "gemma3_text", "use_bidirectional_attention": true})") ==
        R"(config.json:1:62: use_bidirectional_attention: is true (tokens of this family look back only)
  {"model_type": "gemma3_text", "use_bidirectional_attention": true}
                                                               ^)");
  CHECK(problems_in(R"({"model_type": "starcoder2", "hidden_act": "silu"})") ==
        R"(config.json:1:44: hidden_act: activation "silu" is not known without a gate (known: relu, gelu and its forms)
  {"model_type": "starcoder2", "hidden_act": "silu"}
                                             ^)");
}

TEST_CASE("Keys of the text part are told with where they stand") {
  CHECK(problems_in(R"({"model_type": "llama4", "text_config": {"model_type": "llama4_text", "moe_layers": [50]}})") ==
        R"(config.json:1:85: text_config.moe_layers: 50 is no block (they are 0 to 47)
  {"model_type": "llama4", "text_config": {"model_type": "llama4_text", "moe_layers": [50]}}
                                                                                      ^)");
}

}  // namespace
}  // namespace orrery
