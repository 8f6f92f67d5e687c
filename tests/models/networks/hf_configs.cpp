// Networks from config.json: parameters against the published ones, defaults, and what is wrong with a file.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/models/networks/config_text.hpp"

namespace orrery {
namespace {

TEST_CASE("Published models have their published parameters") {
  struct Row {
    std::string config;
    std::int64_t parameters;
  };
  // The keys that the published files give and the defaults do not say already.
  const std::vector<Row> rows = {
      {R"({"model_type": "gpt2"})", 124439808},
      {R"({"model_type": "gpt2", "n_embd": 1600, "n_layer": 48, "n_head": 25})", 1557611200},
      {R"({"model_type": "llama", "max_position_embeddings": 4096})", 6738415616},
      {R"({"model_type": "llama", "hidden_size": 4096, "num_key_value_heads": 8, "intermediate_size": 14336,
           "vocab_size": 128256})",
       8030261248},
      {R"({"model_type": "llama", "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64,
           "num_key_value_heads": 8, "intermediate_size": 28672, "vocab_size": 128256})",
       70553706496},
      {R"({"model_type": "llama", "hidden_size": 16384, "num_hidden_layers": 126, "num_attention_heads": 128,
           "num_key_value_heads": 8, "intermediate_size": 53248, "vocab_size": 128256})",
       405853388800},
      {R"({"model_type": "mistral"})", 7241732096},
      {R"({"model_type": "mixtral"})", 46702792704},
      {R"({"model_type": "qwen2", "hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28,
           "num_key_value_heads": 4, "intermediate_size": 18944, "vocab_size": 152064})",
       7615616512},
      {R"({"model_type": "qwen3", "hidden_size": 4096, "num_hidden_layers": 36, "num_key_value_heads": 8,
           "intermediate_size": 12288, "head_dim": 128})",
       8190735360},
      {R"({"model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "head_dim": 128})", 30532122624},
      {R"({"model_type": "deepseek_v3"})", 671026404352},
      {R"({"model_type": "kimi_k2", "num_attention_heads": 64, "vocab_size": 163840, "n_routed_experts": 384,
           "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1})",
       1026408209408},
      {R"({"model_type": "gpt_oss"})", 116829156672},
      {R"({"model_type": "gpt_oss", "num_hidden_layers": 24, "num_local_experts": 32})", 20914757184},
      {R"({"model_type": "opt"})", 125239296},
      {R"({"model_type": "bloom", "n_embed": 1024, "n_layer": 24, "n_head": 16})", 559214592},
      {R"({"model_type": "falcon"})", 6921720704},
      {R"({"model_type": "gpt_neox", "hidden_size": 512, "num_hidden_layers": 6, "num_attention_heads": 8,
           "intermediate_size": 2048, "vocab_size": 50304})",
       70426624},
      {R"({"model_type": "phi", "hidden_size": 2560, "num_hidden_layers": 32, "intermediate_size": 10240})",
       2779683840},
      {R"({"model_type": "phi3"})", 3821079552},
      {R"({"model_type": "gemma"})", 8537680896},
      {R"({"model_type": "t5"})", 60506624},
      {R"({"model_type": "vit"})", 86567656},
      // BERT-base with its masked-language-model head; the model alone, with its pooler, is 109,482,240:
      // 109,514,298 - (768^2 + 768 + 2 768 + 30,522) + (768^2 + 768)
      {R"({"model_type": "bert"})", 109514298},
  };
  for (const Row& row : rows) {
    CAPTURE(row.config);
    CHECK(parameters(graph_of(row.config)) == row.parameters);
  }
  CHECK(109514298 - (768 * 768 + 768 + 2 * 768 + 30522) + (768 * 768 + 768) == 109482240);
}

TEST_CASE("Every family is known by its name, sorted") {
  const Texts families = hf_families();
  CHECK(std::is_sorted(families.begin(), families.end()));
  for (const std::string& family : families) {
    CAPTURE(family);
    CHECK_FALSE(graph_of("{\"model_type\": \"" + family + "\"}", 64).layers.empty());
  }
}

TEST_CASE("What a file does not say is said: defaults, tokens, parts left out") {
  Texts assumed;
  const LayerGraph graph = graph_of(R"({"model_type": "mistral", "hidden_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100, "max_position_embeddings": 256,
    "sliding_window": 128, "intermediate_size": 96, "_name_or_path": "somebody/tiny-mistral"})",
                                    0, &assumed);
  CHECK(graph.name == "tiny-mistral");
  CHECK(graph.title == "mistral of config.json: 2 blocks, 64 wide");
  CHECK(to_text(graph.input) == "256x1x1");
  CHECK(layer_named(graph, "block.2.attention").window == 128);
  CHECK(assumed == Texts{"hidden_act = \"silu\" (default of mistral)",
                         "tie_word_embeddings = false (default of mistral)",
                         "head_dim = 16 (hidden_size / num_attention_heads)",
                         "tokens = 256 (the positions the model was made for)"});
}

TEST_CASE("null is the family's default: as many heads of keys as of queries") {
  const LayerGraph graph = graph_of(R"({"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 1,
    "num_attention_heads": 4, "num_key_value_heads": null, "head_dim": null, "intermediate_size": 96})");
  CHECK(layer_named(graph, "block.1.qkv").out.channels == 3 * 64);
  CHECK(layer_named(graph, "block.1.attention").kv_heads == 4);
}

TEST_CASE("The language part of a model of several kinds of data stands under text_config") {
  Texts assumed;
  const LayerGraph graph = graph_of(R"({"model_type": "llava", "vision_config": {"hidden_size": 7},
    "text_config": {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 1}})",
                                    32, &assumed);
  CHECK(graph.layers.front().out.channels == 64);
  REQUIRE(assumed.size() > 1);
  CHECK(assumed[0] == "text_config alone: the other parts of the model are left out");
  CHECK(assumed[1] == "text_config.intermediate_size = 11008 (default of llama)");
  CHECK(problems_in(R"({"text_config": {
  "model_type": "llama",
  "hidden_size": "wide"}})") == R"(config.json:3:18: text_config.hidden_size: "wide" is not a whole number
    "hidden_size": "wide"}}
                   ^)");
}

TEST_CASE("Dropouts of a family become layers") {
  const LayerGraph graph = graph_of(R"({"model_type": "gpt2", "n_layer": 1, "attn_pdrop": 0.2})");
  CHECK(layer_named(graph, "block.1.drop1").rate == 0.2);
  CHECK(layer_named(graph, "block.1.attention").rate == 0.2);
  CHECK(layer_named(graph_of(R"({"model_type": "llama", "num_hidden_layers": 1})"), "block.1.attention").rate == 0.0);
}

TEST_CASE("Wrong types and ranges are all told at once, with line and column") {
  CHECK(problems_in("{\n  \"model_type\": \"gpt2\",\n  \"n_layer\": 0,\n  \"n_embd\": 768.5,\n  \"n_head\": true,\n"
                    "  \"resid_pdrop\": 1.5,\n  \"activation_function\": \"mish\"\n}\n") ==
        R"(config.json:3:14: n_layer: 0 is out of range (must be at least 1 and at most 1000000000)
    "n_layer": 0,
               ^
config.json:4:13: n_embd: 768.5 is not a whole number
    "n_embd": 768.5,
              ^
config.json:5:13: n_head: true is not a whole number
    "n_head": true,
              ^
config.json:6:18: resid_pdrop: 1.5 is out of range (must be at least 0 and below 1)
    "resid_pdrop": 1.5,
                   ^
config.json:7:26: activation_function: activation "mish" is not known without a gate (known: relu, gelu and its forms)
    "activation_function": "mish"
                           ^)");
}

TEST_CASE("Groups of experts that cannot be are told with their place, a missing choice with what is taken") {
  CHECK(problems_in(R"({"model_type": "deepseek_v3", "n_group": 7})") ==
        R"(config.json:1:42: n_group: 7 does not divide 256 routed experts (groups have equally many)
  {"model_type": "deepseek_v3", "n_group": 7}
                                           ^)");
  CHECK(problems_in(R"({"model_type": "deepseek_v3", "topk_group": 9})") ==
        R"(config.json:1:45: topk_group: 9 is more than n_group 8
  {"model_type": "deepseek_v3", "topk_group": 9}
                                              ^)");
  CHECK(problems_in(R"({"model_type": "deepseek_v3", "n_routed_experts": 8, "topk_group": 2})") ==
        R"(config.json:1:68: topk_group: 8 experts of a token are more than the 2 in 2 of 8 groups
  {"model_type": "deepseek_v3", "n_routed_experts": 8, "topk_group": 2}
                                                                     ^)");
  CHECK(
      problems_in(R"({"model_type": "deepseek_v3", "n_routed_experts": 100})") ==
      R"(config.json:1:51: n_routed_experts: 100 is no multiple of n_group 8, the default of deepseek_v3 (groups have equally many)
  {"model_type": "deepseek_v3", "n_routed_experts": 100}
                                                    ^)");
}

TEST_CASE("An unknown family gets the nearest and the list") {
  const std::string known =
      "bert, bloom, cohere, deepseek_v2, deepseek_v3, falcon, gemma, gemma2, gemma3, gemma3_text, glm4, gpt2, "
      "gpt_neox, "
      "gpt_oss, granite, kimi_k2, llama, llama4, llama4_text, mistral, mixtral, olmo2, opt, phi, phi3, phimoe, qwen2, "
      "qwen2_moe, qwen3, qwen3_moe, starcoder2, t5, vit";
  CHECK(problems_in(R"({"model_type": "lama"})") ==
        "config.json:1:16: model_type: unknown family \"lama\" - did you mean \"llama\"? known: " + known +
            "\n  {\"model_type\": \"lama\"}\n                 ^");
  CHECK(problems_in("{}") ==
        "config.json: model_type: is missing (required) (it says which keys there are) - known: " + known);
}

TEST_CASE("What is no JSON, or no object, is told with its place") {
  CHECK(problems_in("{\n  \"model_type\": \"gpt2\",\n  \"n_layer\" 3\n}") ==
        R"(config.json:3:13: is not JSON (the text goes wrong here)
    "n_layer" 3
              ^)");
  CHECK(problems_in("{\"model_type\": ") == R"(config.json:1:16: is not JSON (the text ends too early)
  {"model_type": 
                 ^)");
  CHECK(problems_in("[1, 2]") == "config.json:1:1: holds no object (a config.json is { \"model_type\": ... })");
  CHECK(problems_in("{\"a\": " + std::string(300, '[') + std::string(300, ']') + "}") ==
        "config.json:1:1: is nested deeper than 256 levels");
  CHECK(problems_in("").starts_with("config.json:1:1: is not JSON (the text ends too early)"));
}

TEST_CASE("Dimensions beyond what can be made are told") {
  CHECK(problems_in(R"({"model_type": "gpt2", "n_layer": 1})", 2048) ==
        "config.json: tokens: 2048 tokens are more than the 1024 positions that the model has learned - use at most "
        "1024");
  CHECK(problems_in(R"({"model_type": "llama", "num_hidden_layers": 9999999})") ==
        "config.json:1:46: num_hidden_layers: is out of range (networks have at most 10000 blocks)\n"
        "  {\"model_type\": \"llama\", \"num_hidden_layers\": 9999999}\n"
        "                                               ^");
  CHECK(problems_in(R"({"model_type": "t5", "num_decoder_layers": 1000000000})") ==
        "config.json:1:44: num_decoder_layers: is out of range (networks have at most 10000 blocks)\n"
        "  {\"model_type\": \"t5\", \"num_decoder_layers\": 1000000000}\n"
        "                                             ^");
  CHECK(problems_in(R"({"model_type": "opt", "word_embed_proj_dim": 512})") ==
        "config.json:1:46: word_embed_proj_dim: is not hidden_size (embeddings of another width are not made)\n"
        "  {\"model_type\": \"opt\", \"word_embed_proj_dim\": 512}\n"
        "                                               ^");
}

TEST_CASE("Dimensions that are allowed and too large together are refused before they are multiplied") {
  const std::string wide = R"({"model_type": "llama", "num_hidden_layers": 1, "num_attention_heads": 1, )";
  CHECK(
      problems_in(wide + R"("hidden_size": 1000000000})", 1000000) ==
      "config.json: layer \"embedding\" (embedding) does not fit: it would give 1000000x1x1000000000, but a dimension "
      "has at most 1000000000, all together have at most 1e+14 numbers");
  CHECK(
      problems_in(wide + R"("hidden_size": 1000000000, "vocab_size": 1000000})", 1) ==
      "config.json: layer \"embedding\" (embedding) does not fit: with it the network has more than 1e+14 parameters");
  CHECK(problems_in(R"({"model_type": "vit", "image_size": 1000000000, "patch_size": 1000000000})") ==
        "config.json: 1000000000x1000000000x3 is larger than any sample: a dimension has at most 1000000000, all "
        "together have at most 1e+14 numbers");
  // lists of blocks are not made of more than there may be
  CHECK(problems_in(R"({"model_type": "qwen2_moe", "num_hidden_layers": 1000000000, "decoder_sparse_step": 7})")
            .starts_with("config.json:1:50: num_hidden_layers: is out of range"));
}

TEST_CASE("Of a key that is wrong already nothing more is said") {
  const auto only = [](const std::string& text, const std::string& error) {
    const std::string problems = problems_in(text, 2048);
    CHECK(problems.substr(0, problems.find('\n')) == "config.json:1:" + error);
    CHECK(problems.find("config.json", 1) == std::string::npos);
  };
  only(R"({"model_type": ["llama"]})", "16: model_type: [\"llama\"] is not a text");
  only(R"({"model_type": "opt", "word_embed_proj_dim": "x"})", "46: word_embed_proj_dim: \"x\" is not a whole number");
  only(R"({"model_type": "opt", "hidden_size": "x", "word_embed_proj_dim": 512})",
       "38: hidden_size: \"x\" is not a whole number");
  only(R"({"model_type": "gpt2", "n_positions": "x"})", "39: n_positions: \"x\" is not a whole number");
  only(R"({"model_type": "gemma2", "num_hidden_layers": "x", "layer_types": ["full_attention"]})",
       "47: num_hidden_layers: \"x\" is not a whole number");
  only(R"({"model_type": "qwen2_moe", "num_hidden_layers": "x", "mlp_only_layers": [40]})",
       "50: num_hidden_layers: \"x\" is not a whole number");
  only(R"({"model_type": "llama4_text", "num_hidden_layers": "x", "no_rope_layers": [1]})",
       "52: num_hidden_layers: \"x\" is not a whole number");
  only(R"({"model_type": "deepseek_v3", "n_routed_experts": "x", "n_group": 7})",
       "51: n_routed_experts: \"x\" is not a whole number");
  only(R"({"model_type": "qwen2_moe", "moe_intermediate_size": "x", "shared_expert_intermediate_size": 1500})",
       "54: moe_intermediate_size: \"x\" is not a whole number");
}

TEST_CASE("A config.json that is not there is told as any file") {
  CHECK_THROWS_WITH(load_network("nowhere/config.json"),
                    "nowhere/config.json: cannot be read (No such file or directory)");
}

}  // namespace
}  // namespace orrery
