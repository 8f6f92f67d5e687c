// What is taken where a config.json is silent or null is noted, each with why; what the family always is is not.
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"
#include "tests/models/networks/config_text.hpp"

namespace orrery {
namespace {

/// The notes of one key, as they stand.
Texts notes_of(const std::string& key, const std::string& config) {
  Texts assumed, found;
  (void)graph_of(config, 128, &assumed);
  for (const std::string& note : assumed) {
    if (note.starts_with(key + " = ")) found.push_back(note);
  }
  return found;
}

TEST_CASE("Dimensions that follow from others are noted") {
  const std::string as_many = " (as many as num_attention_heads)", divided = " (hidden_size / num_attention_heads)";
  const std::vector<std::pair<std::string, std::string>> notes = {
      {"llama", "num_key_value_heads = 32" + as_many},
      {"llama", "head_dim = 128" + divided},
      {"granite", "num_key_value_heads = 32" + as_many},
      {"phi", "num_key_value_heads = 32" + as_many},
      {"phi3", "num_key_value_heads = 32" + as_many},
      {"phi3", "head_dim = 96" + divided},
      {"olmo2", "num_key_value_heads = 32" + as_many},
      {"cohere", "num_key_value_heads = 64" + as_many},
      {"mistral", "num_key_value_heads = 8 (default of mistral)"},
      {"mistral", "head_dim = 128" + divided},
      {"qwen3_moe", "head_dim = 64" + divided},
      {"qwen3", "head_dim = 128 (default of qwen3)"},
      {"starcoder2", "head_dim = 128" + divided},
      {"gpt2", "n_inner = 3072 (4 x n_embd)"},
      {"falcon", "ffn_hidden_size = 18176 (4 x hidden_size)"},
      {"falcon", "activation = \"gelu\" (default of falcon)"},
      {"opt", "word_embed_proj_dim = 768 (as wide as hidden_size)"},
      {"t5", "num_decoder_layers = 6 (as many as num_layers)"},
      {"deepseek_v2", "num_experts_per_tok = 6 (of the released models; deepseek_v2 has no default)"},
      {"mixtral", "sliding_window = null (default of mixtral)"},
      {"phi3", "sliding_window = null (default of phi3)"},
      {"starcoder2", "sliding_window = null (default of starcoder2)"},
      {"qwen2_moe", "mlp_only_layers = [] (default of qwen2_moe)"},
  };
  for (const auto& [family, note] : notes) {
    CAPTURE(family);
    CHECK(notes_of(note.substr(0, note.find(' ')), "{\"model_type\": \"" + family + "\"}") == Texts{note});
  }
}

TEST_CASE("Falcon's newer blocks note their heads and normalisations, its older ones the heads they share") {
  const std::string newer = R"({"model_type": "falcon", "new_decoder_architecture": true})";
  CHECK(notes_of("num_kv_heads", newer) == Texts{"num_kv_heads = 71 (as many as num_attention_heads)"});
  CHECK(notes_of("num_ln_in_parallel_attn", newer) == Texts{"num_ln_in_parallel_attn = 2 (default of falcon)"});
  CHECK(notes_of("multi_query", newer).empty());
  const std::string older = R"({"model_type": "falcon"})";
  CHECK(notes_of("num_kv_heads", older).empty());
  CHECK(notes_of("multi_query", older) == Texts{"multi_query = true (default of falcon)"});
}

TEST_CASE("null is noted where it leaves the choice to the family, and not where it is one") {
  const std::string none = R"(, "num_key_value_heads": null, "sliding_window": null})";
  const Texts as_many = {"num_key_value_heads = 32 (as many as num_attention_heads)"};
  for (const std::string family : {"llama", "mistral", "mixtral"}) {
    const std::string config = "{\"model_type\": \"" + family + "\"" + none;
    CAPTURE(family);
    CHECK(notes_of("num_key_value_heads", config) == as_many);
    CHECK(notes_of("sliding_window", config).empty());
    CHECK(layer_named(graph_of(config), "block.1.attention").kv_heads == 32);
  }
}

TEST_CASE("What a file says, and what its family has not, is not noted") {
  CHECK(notes_of("num_key_value_heads", R"({"model_type": "llama", "num_key_value_heads": 8})").empty());
  CHECK(notes_of("head_dim", R"({"model_type": "llama", "head_dim": 64})").empty());
  CHECK(notes_of("n_inner", R"({"model_type": "gpt2", "n_inner": 64})").empty());
  for (const std::string family : {"deepseek_v2", "deepseek_v3"}) {  // latent attention
    const std::string config = "{\"model_type\": \"" + family + "\"}";
    CHECK(notes_of("num_key_value_heads", config).empty());
    CHECK(notes_of("head_dim", config).empty());
  }
}

TEST_CASE("Notes of the text part say where the key would stand") {
  CHECK(notes_of("text_config.num_key_value_heads", R"({"text_config": {"model_type": "llama"}})") ==
        Texts{"text_config.num_key_value_heads = 32 (as many as num_attention_heads)"});
}

}  // namespace
}  // namespace orrery
