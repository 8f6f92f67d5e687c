// Transformers by their dimensions: parameters against the published ones, shapes and connections.
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "models/cost/layer_cost.hpp"
#include "models/networks/transformer.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

TransformerShape gpt(std::int64_t layers, std::int64_t hidden, std::int64_t heads, std::int64_t vocabulary,
                     std::int64_t tokens) {
  TransformerShape shape;
  shape.layers = layers;
  shape.hidden = hidden;
  shape.heads = heads;
  shape.vocabulary = vocabulary;
  shape.tokens = tokens;
  return shape;
}

TransformerShape llama(std::int64_t layers, std::int64_t hidden, std::int64_t heads, std::int64_t kv_heads,
                       std::int64_t ffn, std::int64_t vocabulary) {
  TransformerShape shape = gpt(layers, hidden, heads, vocabulary, 4096);
  shape.kv_heads = kv_heads;
  shape.ffn = ffn;
  shape.feedforward = Feedforward::swiglu;
  shape.normalisation = Normalisation::rms_norm;
  shape.position = Positions::rotary;
  shape.biases = false;
  shape.tied = false;
  return shape;
}

const Layer& layer_named(const LayerGraph& graph, std::string_view name) {
  for (const Layer& layer : graph.layers) {
    if (layer.name == name) return layer;
  }
  throw std::runtime_error("no layer " + std::string(name));
}

std::string refusal(const TransformerShape& shape) {
  try {
    (void)transformer_graph(shape);
  } catch (const Infeasible& infeasible) {
    return infeasible.what();
  }
  return {};
}

TEST_CASE("GPT-2 by its dimensions is the network of the file, layer by layer") {
  const LayerGraph made = transformer_graph(gpt(12, 768, 12, 50257, 1024));
  const LayerGraph read = load_network("gpt2");
  CHECK(parameters(made) == 124439808);
  REQUIRE(made.layers.size() == read.layers.size());
  for (std::size_t i = 0; i < made.layers.size(); ++i) {
    const Layer& a = made.layers[i];
    const Layer& b = read.layers[i];
    CAPTURE(a.name);
    CHECK(a.name == b.name);
    CHECK(a.kind == b.kind);
    CHECK(a.id == b.id);
    CHECK(a.input == b.input);
    CHECK(a.skip == b.skip);
    CHECK(a.in == b.in);
    CHECK(a.out == b.out);
    CHECK(a.causal == b.causal);
    CHECK(parameters(a) == parameters(b));
  }
  CHECK(training_flops(made).value() == training_flops(read).value());
}

TEST_CASE("Megatron's GPTs have the parameters of 12 l h^2 (1 + 13 / (12 h) + (V + s) / (12 l h))") {
  struct Row {
    std::int64_t layers, hidden, heads;
    double billions;  // Narayanan et al. 2021, table 1
  };
  for (const Row& row :
       {Row{24, 2304, 24, 1.7}, Row{30, 3072, 32, 3.6}, Row{36, 4096, 32, 7.5}, Row{40, 6144, 48, 18.4},
        Row{48, 8192, 64, 39.1}, Row{60, 10240, 80, 76.1}, Row{80, 12288, 96, 145.6}, Row{96, 16384, 128, 310.1},
        Row{105, 20480, 128, 529.6}, Row{128, 25600, 160, 1008.0}}) {
    CAPTURE(row.hidden);
    const std::int64_t h = row.hidden,
                       count = parameters(transformer_graph(gpt(row.layers, h, row.heads, 51200, 2048)));
    // The paper's formula leaves out the last normalisation: 2 h.
    CHECK(count == 12 * row.layers * h * h + 13 * row.layers * h + (51200 + 2048) * h + 2 * h);
    CHECK(static_cast<double>(count) / 1e9 == Approx(row.billions).margin(0.05));
  }
}

TEST_CASE("GPT-3 175B: 174.6 G parameters") {  // 96 (12 h^2 + 13 h) + (50257 + 2048) h + 2 h, h = 12288
  CHECK(parameters(transformer_graph(gpt(96, 12288, 96, 50257, 2048))) == 174604259328);
}

TEST_CASE("Llama 2 and 3 have the published parameters") {
  CHECK(parameters(transformer_graph(llama(32, 4096, 32, 32, 11008, 32000))) == 6738415616);
  CHECK(parameters(transformer_graph(llama(40, 5120, 40, 40, 13824, 32000))) == 13015864320);
  CHECK(parameters(transformer_graph(llama(80, 8192, 64, 8, 28672, 32000))) == 68976648192);
  CHECK(parameters(transformer_graph(llama(32, 4096, 32, 8, 14336, 128256))) == 8030261248);
  CHECK(parameters(transformer_graph(llama(80, 8192, 64, 8, 28672, 128256))) == 70553706496);
  // 126 blocks, 16384 wide: twice 16384 x 128256 beside 126 (2 16384^2 + 2 16384 1024 + 3 16384 53248 + 2 16384) +
  // 16384
  CHECK(parameters(transformer_graph(llama(126, 16384, 128, 8, 53248, 128256))) == 405853388800);
}

TEST_CASE("A gated perceptron multiplies two halves of one product") {
  const LayerGraph graph = transformer_graph(llama(2, 64, 4, 2, 96, 100));
  CHECK(to_text(layer_named(graph, "block.1.qkv").out) == "4096x1x128");  // (4 + 2 2) 16
  CHECK(to_text(layer_named(graph, "block.1.attention").out) == "4096x1x64");
  CHECK(to_text(layer_named(graph, "block.2.up").out) == "4096x1x192");
  CHECK(to_text(layer_named(graph, "block.2.swiglu").out) == "4096x1x96");
  CHECK(layer_named(graph, "block.2.add2").skip == layer_named(graph, "block.2.add1").id);
  CHECK(layer_named(graph, "block.2.add1").skip == layer_named(graph, "block.1.add2").id);
}

TEST_CASE("Mixtral 8x7B: experts are one layer") {
  TransformerShape shape = llama(32, 4096, 32, 8, 14336, 32000);
  shape.experts = 8;
  shape.experts_per_token = 2;
  const LayerGraph graph = transformer_graph(shape);
  CHECK(parameters(graph) == 46702792704);
  const Layer& experts = layer_named(graph, "block.32.experts");
  CHECK(experts.in == experts.out);
  CHECK(parameters(experts) == 4096 * 8 + 8LL * 3 * 4096 * 14336);
}

TEST_CASE("DeepSeek-V3: latent attention, three dense layers, a shared expert") {
  TransformerShape shape = llama(61, 7168, 128, 0, 18432, 129280);
  shape.experts = 256;
  shape.experts_per_token = 8;
  shape.shared_experts = 1;
  shape.expert_ffn = 2048;
  shape.dense_layers = 3;
  shape.query_rank = 1536;
  shape.kv_rank = 512;
  shape.rope_size = 64;
  shape.nope_size = 128;
  shape.value_size = 128;
  const LayerGraph graph = transformer_graph(shape);
  // 671.0 G; the router's 256 correction numbers per layer are no weights of a product and are not counted.
  CHECK(parameters(graph) == 671026404352);
  CHECK(to_text(layer_named(graph, "block.3.swiglu").out) == "4096x1x18432");
  CHECK(to_text(layer_named(graph, "block.4.attention").out) == "4096x1x16384");
  CHECK(layer_named(graph, "block.4.qkv").out.channels == 128 * 192 + 128 * (128 + 128) + 64);
  std::int64_t attention = 0;
  for (const Layer& layer : graph.layers) {
    if (layer.name.starts_with("block.5.") && layer.kind == LayerKind::dense) attention += parameters(layer);
  }
  CHECK(attention == 7168 * 1536 + 1536 * 24576 + 7168 * 576 + 512 * 32768 + 16384 * 7168);
}

TEST_CASE("BERT-large by its dimensions is the network of the file") {
  TransformerShape shape = gpt(24, 1024, 16, 30522, 512);
  shape.family = TransformerFamily::encoder;
  shape.segments = 2;
  shape.norms = NormPlaces::after;
  shape.embedding_norm = true;
  const LayerGraph made = transformer_graph(shape), read = load_network("bert-large");
  CHECK(parameters(made) == 335174458);
  REQUIRE(made.layers.size() == read.layers.size());
  for (std::size_t i = 0; i < made.layers.size(); ++i) {
    CAPTURE(made.layers[i].name);
    CHECK(made.layers[i].name == read.layers[i].name);
    CHECK(made.layers[i].input == read.layers[i].input);
    CHECK(made.layers[i].skip == read.layers[i].skip);
    CHECK(made.layers[i].causal == read.layers[i].causal);
  }
}

TEST_CASE("T5-11B: two stacks, the second attends to the first") {
  TransformerShape shape = gpt(24, 1024, 128, 32128, 512);
  shape.family = TransformerFamily::encoder_decoder;
  shape.head_size = 128;
  shape.ffn = 65536;
  shape.feedforward = Feedforward::relu;
  shape.normalisation = Normalisation::rms_norm;
  shape.position = Positions::relative;
  shape.biases = false;
  const LayerGraph graph = transformer_graph(shape);
  CHECK(parameters(graph) == 11307321344);
  CHECK(layer_named(graph, "decoder.1.norm1").input == layer_named(graph, "embedding").id);
  CHECK(layer_named(graph, "decoder.7.cross_keys_values").input == layer_named(graph, "encoder_norm").id);
  CHECK(layer_named(graph, "decoder.7.attention").causal);
  CHECK_FALSE(layer_named(graph, "decoder.7.cross_attention").causal);
  CHECK_FALSE(layer_named(graph, "encoder.7.attention").causal);
}

TEST_CASE("Vision transformers have the parameters of torchvision's") {
  TransformerShape base = gpt(12, 768, 12, 0, 0), large = gpt(24, 1024, 16, 0, 0);
  CHECK(parameters(vision_transformer_graph(base, {})) == 86567656);
  CHECK(parameters(vision_transformer_graph(large, {})) == 304326632);
  const LayerGraph graph = vision_transformer_graph(base, {});
  CHECK(to_text(layer_named(graph, "positions").out) == "197x1x768");
  CHECK(to_text(layer_named(graph, "class").out) == "1x1x768");
}

TEST_CASE("Queries and keys normalised per head share one scale") {
  TransformerShape shape = llama(36, 2560, 32, 8, 9728, 151936);  // Qwen3-4B
  shape.head_size = 128;
  shape.query_norm = true;
  shape.tied = true;
  const LayerGraph graph = transformer_graph(shape);
  CHECK(parameters(graph) == 4022468096);
  CHECK(parameters(layer_named(graph, "block.1.query_norm")) == 128);
  CHECK(to_text(layer_named(graph, "block.1.qkv").out) == "4096x1x6144");
}

TEST_CASE("Dropout adds its layers and drops scores") {
  TransformerShape shape = gpt(2, 64, 4, 100, 16);
  shape.dropout = 0.1;
  const LayerGraph graph = transformer_graph(shape);
  CHECK(layer_named(graph, "embedding_drop").rate == 0.1);
  CHECK(layer_named(graph, "block.2.attention").rate == 0.1);
  CHECK(layer_named(graph, "block.2.drop1").input == layer_named(graph, "block.2.projection").id);
  CHECK(layer_named(graph, "block.2.add2").input == layer_named(graph, "block.2.drop2").id);
}

TEST_CASE("A parallel block's perceptron reads what attention reads") {
  TransformerShape shape = gpt(32, 4544, 71, 65024, 2048);  // Falcon-7B
  shape.kv_heads = 1;
  shape.biases = false;
  shape.position = Positions::rotary;
  shape.order = BlockOrder::parallel_one_norm;
  const LayerGraph graph = transformer_graph(shape);
  CHECK(parameters(graph) == 6921720704);
  CHECK(layer_named(graph, "block.2.up").input == layer_named(graph, "block.2.norm1").id);
  CHECK(layer_named(graph, "block.2.add1").skip == layer_named(graph, "block.2.projection").id);
  CHECK(layer_named(graph, "block.2.add2").skip == layer_named(graph, "block.1.add2").id);
}

TEST_CASE("Names are unique, whatever a transformer is made of") {
  TransformerShape shape = llama(3, 64, 4, 2, 96, 100);
  shape.query_norm = true;
  shape.dropout = 0.1;
  shape.experts = 4;
  shape.experts_per_token = 1;
  shape.dense_layers = 1;
  const LayerGraph graph = transformer_graph(shape);
  std::set<std::string> names;
  for (const Layer& layer : graph.layers) names.insert(layer.name);
  CHECK(names.size() == graph.layers.size());
}

TEST_CASE("What does not divide is named, all of it at once") {
  TransformerShape shape = gpt(0, 100, 12, 50257, 2048);
  shape.name = "wrong";
  shape.kv_heads = 5;
  shape.positions = 1024;
  CHECK(
      refusal(shape) ==
      "transformer \"wrong\": layers is 0, but must be at least 1; 12 heads do not divide hidden 100; 5 heads of keys "
      "and values do not divide heads 12; 2048 tokens are more than 1024 learned positions");
  TransformerShape experts = llama(2, 64, 4, 2, 96, 100);
  experts.experts = 4;
  experts.experts_per_token = 8;
  CHECK(refusal(experts) == "transformer \"transformer\": 8 experts per token are more than 4 experts");
  experts.experts = 16, experts.expert_groups = 4, experts.groups_per_token = 1;
  CHECK(refusal(experts) ==
        "transformer \"transformer\": 8 experts per token are more than 4 experts in the groups of a token");
  experts.groups_per_token = 2;
  CHECK(refusal(experts).empty());
  experts.expert_groups = 3, experts.groups_per_token = 5;
  CHECK(refusal(experts) ==
        "transformer \"transformer\": 3 groups of experts do not divide experts 16; 5 groups per token are more than 3 "
        "groups of experts");
}

}  // namespace
}  // namespace orrery
