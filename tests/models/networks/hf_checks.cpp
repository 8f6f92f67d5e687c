// Dimensions of a config.json that contradict one another, and keys that stand twice: each with its place.
#include "tests/catch.hpp"
#include "tests/models/networks/config_text.hpp"

namespace orrery {
namespace {

TEST_CASE("Dimensions that do not divide are told at the key that is most to blame") {
  CHECK(
      problems_in(R"({"model_type": "llama", "hidden_size": 4096,
  "num_attention_heads": 33,
  "num_key_value_heads": 32})") ==
      R"(config.json:2:26: num_attention_heads: 33 does not divide hidden_size 4096 (every head is as wide as the others) - use 32 or 64
    "num_attention_heads": 33,
                           ^)");
  CHECK(
      problems_in(R"({"model_type": "llama",
  "num_key_value_heads": 5})") ==
      R"(config.json:2:26: num_key_value_heads: 5 does not divide num_attention_heads 32, the default of llama (as many heads of queries share each of keys and values) - use 4 or 8
    "num_key_value_heads": 5}
                           ^)");
  CHECK(
      problems_in(R"({"model_type": "llama", "num_attention_heads": 32,
  "num_key_value_heads": 64})") ==
      R"(config.json:2:26: num_key_value_heads: 64 does not divide num_attention_heads 32 (as many heads of queries share each of keys and values) - use 32
    "num_key_value_heads": 64}
                           ^)");
  // What the file leaves to the default is not to blame.
  CHECK(
      problems_in(R"({"model_type": "gpt2", "n_embd": 100})") ==
      R"(config.json:1:34: n_embd: 100 is no multiple of n_head 12, the default of gpt2 (every head is as wide as the others) - use 96 or 108
  {"model_type": "gpt2", "n_embd": 100}
                                   ^)");
}

TEST_CASE("More than there is is told at its key, all contradictions at once and beside other problems") {
  CHECK(
      problems_in(R"({"model_type": "deepseek_v3", "num_hidden_layers": 61,
  "first_k_dense_replace": 100,
  "vocab_size": "many"})") ==
      R"(config.json:2:28: first_k_dense_replace: 100 is more than num_hidden_layers 61 (the first blocks have no experts) - use at most 61
    "first_k_dense_replace": 100,
                             ^
config.json:3:17: vocab_size: "many" is not a whole number
    "vocab_size": "many"}
                  ^)");
  CHECK(
      problems_in(R"({"model_type": "mixtral", "num_local_experts": 8, "num_attention_heads": 5,
  "num_experts_per_tok": 9})") ==
      R"(config.json:1:74: num_attention_heads: 5 does not divide hidden_size 4096, the default of mixtral (every head is as wide as the others) - use 4 or 8
  {"model_type": "mixtral", "num_local_experts": 8, "num_attention_heads": 5,
                                                                           ^
config.json:2:26: num_experts_per_tok: 9 is more than num_local_experts 8 (a token goes to different experts) - use at most 8
    "num_experts_per_tok": 9}
                           ^)");
  CHECK(
      problems_in(R"({"model_type": "mixtral", "num_local_experts": 1})") ==
      R"(config.json:1:48: num_local_experts: 1 is less than num_experts_per_tok 2, the default of mixtral (a token goes to different experts) - use at least 2
  {"model_type": "mixtral", "num_local_experts": 1}
                                                 ^)");
  CHECK(problems_in(R"({"model_type": "vit", "image_size": 8, "patch_size": 16})") ==
        R"(config.json:1:54: patch_size: 16 is more than image_size 8 (patches are cut out of it) - use at most 8
  {"model_type": "vit", "image_size": 8, "patch_size": 16}
                                                       ^)");
}

TEST_CASE("A dimension that is wrong itself is not compared with others") {
  CHECK(problems_in(R"({"model_type": "llama", "hidden_size": true, "num_attention_heads": 33})") ==
        R"(config.json:1:40: hidden_size: true is not a whole number
  {"model_type": "llama", "hidden_size": true, "num_attention_heads": 33}
                                         ^)");
  CHECK(
      problems_in(R"({"text_config": {"model_type": "llama", "hidden_size": 10, "num_attention_heads": 4}})") ==
      R"(config.json:1:83: text_config.num_attention_heads: 4 does not divide hidden_size 10 (every head is as wide as the others) - use 2 or 5
  {"text_config": {"model_type": "llama", "hidden_size": 10, "num_attention_heads": 4}}
                                                                                    ^)");
}

TEST_CASE("A key that stands twice is told with both places, in every object") {
  CHECK(problems_in(R"({"model_type": "llama",
  "hidden_size": 4096,
  "vision": [{"a": 1, "b": "a", "a": 2}, {"a": 1, "c": {"d": 1}, "a": 1}],
  "hidden_size": 1000})") ==
        R"(config.json:3:33: vision.a: stands twice (first in line 3) - keep one of them
    "vision": [{"a": 1, "b": "a", "a": 2}, {"a": 1, "c": {"d": 1}, "a": 1}],
                                  ^
config.json:3:66: vision.a: stands twice (first in line 3) - keep one of them
    "vision": [{"a": 1, "b": "a", "a": 2}, {"a": 1, "c": {"d": 1}, "a": 1}],
                                                                   ^
config.json:4:3: hidden_size: stands twice (first in line 2) - keep one of them
    "hidden_size": 1000}
    ^)");
}

}  // namespace
}  // namespace orrery
