#include <algorithm>
#include <array>

#include "models/networks/transformer_table.hpp"

namespace orrery {

namespace {

TransformerShape gpt() {
  return {};
}

TransformerShape opt() {  // ReLU
  TransformerShape shape;
  shape.feedforward = Feedforward::relu;
  return shape;
}

TransformerShape bloom() {  // linear biases instead of positions, a normalisation of the embedding
  TransformerShape shape;
  shape.position = Positions::alibi;
  shape.embedding_norm = true;
  return shape;
}

TransformerShape bert() {  // normalisation after each addition, token types
  TransformerShape shape;
  shape.family = TransformerFamily::encoder;
  shape.norms = NormPlaces::after;
  shape.embedding_norm = true;
  shape.segments = 2;
  return shape;
}

TransformerShape vit() {
  TransformerShape shape;
  shape.family = TransformerFamily::encoder;
  return shape;
}

TransformerShape llama() {  // gates, rms normalisation, rotary positions, no biases, a head of its own
  TransformerShape shape;
  shape.feedforward = Feedforward::swiglu;
  shape.normalisation = Normalisation::rms_norm;
  shape.position = Positions::rotary;
  shape.biases = shape.tied = false;
  return shape;
}

TransformerShape llama4() {  // three of four blocks see 8,192 tokens (in chunks, counted as a window)
  TransformerShape shape = llama();
  shape.window = 8192;
  shape.full_every = 4;
  return shape;
}

TransformerShape gemma() {
  TransformerShape shape = llama();
  shape.feedforward = Feedforward::geglu;
  shape.tied = true;
  return shape;
}

TransformerShape gemma2() {  // normalisations around every branch, every second block sees 4,096 tokens
  TransformerShape shape = gemma();
  shape.norms = NormPlaces::around;
  shape.window = 4096;
  return shape;
}

TransformerShape gemma3() {  // queries and keys normalised, five of six blocks see 1,024 tokens
  TransformerShape shape = gemma2();
  shape.query_norm = true;
  shape.window = 1024;
  shape.full_every = 6;
  return shape;
}

TransformerShape olmo2() {  // what a branch gives is normalised, queries and keys too, all heads together
  TransformerShape shape = llama();
  shape.norms = NormPlaces::after_branch;
  shape.query_norm = shape.norm_of_all_heads = true;
  return shape;
}

TransformerShape qwen2() {
  TransformerShape shape = llama();
  shape.qkv_bias = true;
  return shape;
}

TransformerShape qwen2_moe() {
  TransformerShape shape = qwen2();
  shape.shared_gate = true;
  return shape;
}

TransformerShape qwen3() {
  TransformerShape shape = llama();
  shape.query_norm = true;
  return shape;
}

TransformerShape gpt_oss() {  // biases everywhere but in the head, sinks, every second block sees 128 tokens
  TransformerShape shape = llama();
  shape.qkv_bias = shape.projection_bias = shape.expert_biases = shape.sinks = true;
  shape.window = 128;
  return shape;
}

TransformerShape falcon() {  // attention and perceptron side by side, each with a normalisation
  TransformerShape shape;
  shape.position = Positions::rotary;
  shape.biases = false;
  shape.order = BlockOrder::parallel;
  return shape;
}

TransformerShape falcon_one_norm() {
  TransformerShape shape = falcon();
  shape.order = BlockOrder::parallel_one_norm;
  return shape;
}

TransformerShape neox() {
  TransformerShape shape = falcon();
  shape.biases = true;
  shape.tied = false;
  return shape;
}

TransformerShape phi() {
  TransformerShape shape = neox();
  shape.order = BlockOrder::parallel_one_norm;
  shape.head_bias = true;
  return shape;
}

TransformerShape t5() {  // encoder and decoder, relative positions
  TransformerShape shape;
  shape.family = TransformerFamily::encoder_decoder;
  shape.feedforward = Feedforward::relu;
  shape.normalisation = Normalisation::rms_norm;
  shape.position = Positions::relative;
  shape.biases = false;
  return shape;
}

struct Style {
  std::string_view name;
  TransformerShape (*make)();
};

constexpr std::array styles = {Style{"bert", bert},
                               Style{"bloom", bloom},
                               Style{"deepseek", llama},
                               Style{"falcon", falcon},
                               Style{"falcon-one-norm", falcon_one_norm},
                               Style{"gemma", gemma},
                               Style{"gemma2", gemma2},
                               Style{"gemma3", gemma3},
                               Style{"gpt", gpt},
                               Style{"gpt-oss", gpt_oss},
                               Style{"llama", llama},
                               Style{"llama4", llama4},
                               Style{"neox", neox},
                               Style{"olmo2", olmo2},
                               Style{"opt", opt},
                               Style{"phi", phi},
                               Style{"qwen2", qwen2},
                               Style{"qwen2-moe", qwen2_moe},
                               Style{"qwen3", qwen3},
                               Style{"t5", t5},
                               Style{"vit", vit}};

}  // namespace

std::optional<TransformerShape> transformer_style(std::string_view style) {
  const auto found = std::find_if(styles.begin(), styles.end(), [&](const Style& at) { return at.name == style; });
  return found == styles.end() ? std::nullopt : std::optional(found->make());
}

std::vector<std::string> transformer_styles() {
  std::vector<std::string> names;
  for (const Style& style : styles) names.emplace_back(style.name);
  return names;
}

}  // namespace orrery
