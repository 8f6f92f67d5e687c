// Memory counted by hand and against published figures.
#include "models/cost/memory.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "models/networks/transformer.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

MemoryEstimate whole(const LayerGraph& graph, double samples, Precision precision, OptimizerKind optimizer) {
  return estimate_memory(graph, std::vector<double>(graph.layers.size(), 1.0), samples, precision, optimizer);
}

/// 1 for the layers whose name starts so, else 0.
std::vector<double> only(const LayerGraph& graph, const std::string& prefix) {
  std::vector<double> shares;
  for (const Layer& layer : graph.layers) shares.push_back(layer.name.starts_with(prefix) ? 1.0 : 0.0);
  return shares;
}

double sum(const BytesPerParameter& each) {
  return each.weights + each.gradients + each.optimizer;
}

TEST_CASE("Bytes per parameter are the published ones") {
  CHECK(sum(bytes_per_parameter(Precision::fp16, OptimizerKind::adam)) == 16.0);  // ZeRO, section 3.1
  CHECK(sum(bytes_per_parameter(Precision::bf16, OptimizerKind::sgd)) == 8.0);
  CHECK(sum(bytes_per_parameter(Precision::fp8, OptimizerKind::adam)) == 16.0);
  CHECK(sum(bytes_per_parameter(Precision::fp32, OptimizerKind::sgd)) == 8.0);
  CHECK(sum(bytes_per_parameter(Precision::tf32, OptimizerKind::momentum)) == 12.0);
  CHECK(sum(bytes_per_parameter(Precision::fp32, OptimizerKind::adam)) == 16.0);
  CHECK(sum(bytes_per_parameter(Precision::fp64, OptimizerKind::adam)) == 32.0);
}

TEST_CASE("Beside 16-bit weights bytes per parameter are those that a framework keeps") {
  FrameworkProfile software;
  software.gradient_bytes = Ranged(4), software.bf16_gradient_bytes = Ranged(6);
  software.master_bytes = Ranged(3), software.state_bytes = Ranged(2);
  const auto each = [&](Precision precision) { return bytes_per_parameter(precision, OptimizerKind::adam, software); };
  CHECK(each(Precision::fp16).weights == 2);
  CHECK(each(Precision::fp16).gradients == 4);
  CHECK(each(Precision::fp16).optimizer == 3 + 2 * 2);
  CHECK(each(Precision::bf16).gradients == 6);
  CHECK(each(Precision::fp8).gradients == 6);
  CHECK(sum(each(Precision::fp32)) == 16);
  CHECK(sum(each(Precision::fp64)) == 32);
}

TEST_CASE("Sent gradients are as wide as the framework says beside 16-bit weights, else as these") {
  FrameworkProfile software;
  software.gradient_wire_bytes = Ranged(3);
  for (const Precision precision : {Precision::fp16, Precision::bf16, Precision::fp8}) {
    CHECK(gradient_wire_bytes(software, precision) == 3);
  }
  CHECK(gradient_wire_bytes(software, Precision::fp32) == 4);
  CHECK(gradient_wire_bytes(software, Precision::tf32) == 4);
  CHECK(gradient_wire_bytes(software, Precision::fp64) == 8);
}

TEST_CASE("Of layers each seen alone, two keep the tensor that both need") {
  const LayerGraph graph = small_network(network_text("[6, 1, 8]", "4",
                                                      "{ name = \"first\", kind = \"dense\", units = 4 },\n"
                                                      "{ name = \"second\", kind = \"relu\" },\n"
                                                      "{ name = \"third\", kind = \"dense\", units = 4 },\n"
                                                      "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
  const std::vector<Bytes> kept = kept_by_layers(graph, {}, Precision::bf16);
  REQUIRE(kept.size() == 4);
  CHECK(kept[0].value() == 2 * 6 * 8);
  CHECK(kept[1].value() == 2 * 6 * 4);  // its output
  CHECK(kept[2].value() == 2 * 6 * 4);  // its input: the same tensor
  CHECK(kept[3].value() == 4 * 6 * 4);  // probabilities in fp32
}

TEST_CASE("Layers of a transformer keep together what memory counts, with scores or without") {
  const LayerGraph graph = load_network("gpt2");
  FrameworkProfile software;
  software.flash_attention = Ranged(2);
  InFlight one{1};
  const double scores = 12 * 2.0 * 12 * 1024 * 1024;  // of 12 layers with 12 heads
  double before = 0;
  for (const FrameworkProfile* each : {static_cast<const FrameworkProfile*>(nullptr), &std::as_const(software)}) {
    one.software = each;
    double all = 0;
    for (const Bytes kept : kept_by_layers(graph, one, Precision::bf16)) all += kept.value();
    const std::vector<Share> whole(graph.layers.size());
    const double counted = estimate_memory(graph, whole, one, Precision::bf16, OptimizerKind::sgd).activations.value();
    CHECK(all >= counted);
    CHECK(all <= 1.25 * counted);
    if (each != nullptr) CHECK(before - all == scores);
    before = all;
  }
}

TEST_CASE("A small perceptron, tensor by tensor") {
  const LayerGraph graph = small_perceptron();  // 505,510 parameters
  const MemoryEstimate memory = whole(graph, 8, Precision::fp32, OptimizerKind::adam);
  CHECK(memory.weights.value() == 4.0 * 505510);
  CHECK(memory.gradients.value() == 4.0 * 505510);
  CHECK(memory.optimizer.value() == 8.0 * 505510);
  // input of dense1, output of relu (also the input of dense2: once), probabilities
  CHECK(memory.activations.value() == 8 * 4.0 * (1000 + 500 + 10));
  CHECK(memory.peak().value() == 16.0 * 505510 + 8 * 4.0 * 1510);
  // 16 bits: the probabilities stay fp32
  CHECK(whole(graph, 1, Precision::bf16, OptimizerKind::sgd).activations.value() == 2.0 * 1500 + 4.0 * 10);
}

TEST_CASE("A flattened tensor is its input: kept once") {
  const LayerGraph graph = small_network(network_text("[4, 4, 3]", "5",
                                                      "{ name = \"relu\", kind = \"relu\" },\n"
                                                      "{ name = \"flatten\", kind = \"flatten\" },\n"
                                                      "{ name = \"dense\", kind = \"dense\", units = 5 },\n"
                                                      "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
  CHECK(whole(graph, 1, Precision::fp32, OptimizerKind::sgd).activations.value() == 4.0 * (48 + 5));
}

TEST_CASE("A GPT-2 block keeps 32 T h + 2 a T^2 bytes in 16 bits, as Korthikanti et al. without dropout") {
  const LayerGraph graph = load_network("gpt2");
  const double tokens = 1024, hidden = 768, heads = 12;
  const MemoryEstimate block = estimate_memory(graph, only(graph, "block.5."), 1, Precision::fp16, OptimizerKind::adam);
  CHECK(block.activations.value() == 32 * tokens * hidden + 2 * heads * tokens * tokens);
  CHECK(block.weights.value() == 2.0 * 7087872);
}

TEST_CASE("Dropouts after attention and perceptron add two masks of T h bytes: 34 T h, as Korthikanti et al.") {
  const std::string layers =
      "{ name = \"words\", kind = \"embedding\", units = 8, vocabulary = 4 },\n"
      "{ name = \"norm1\", kind = \"layer_norm\" },\n"
      "{ name = \"qkv\", kind = \"dense\", units = 24 },\n"
      "{ name = \"attention\", kind = \"attention\", heads = 2 },\n"
      "{ name = \"projection\", kind = \"dense\", units = 8 },\n"
      "{ name = \"drop1\", kind = \"dropout\", rate = 0.1 },\n"
      "{ name = \"add1\", kind = \"residual_add\", skip = \"words\" },\n"
      "{ name = \"norm2\", kind = \"layer_norm\" },\n"
      "{ name = \"up\", kind = \"dense\", units = 32 },\n"
      "{ name = \"gelu\", kind = \"gelu\" },\n"
      "{ name = \"down\", kind = \"dense\", units = 8 },\n"
      "{ name = \"drop2\", kind = \"dropout\", rate = 0.1 },\n"
      "{ name = \"add2\", kind = \"residual_add\", skip = \"add1\" },\n"
      "{ name = \"head\", kind = \"dense\", units = 4 },\n"
      "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n";
  const LayerGraph graph = small_network(network_text("[6, 1, 1]", "4", layers));
  std::vector<double> block(graph.layers.size(), 1.0);
  block.front() = block[13] = block.back() = 0.0;
  const MemoryEstimate memory = estimate_memory(graph, block, 1, Precision::fp16, OptimizerKind::adam);
  CHECK(memory.activations.value() == 34 * 6 * 8 + 2 * 2 * 6 * 6);
}

TEST_CASE("Products in fp8 keep their inputs as they were cast: a block 27 T h instead of 32") {
  const LayerGraph graph = load_network("gpt2");
  const double tokens = 1024, hidden = 768, heads = 12, classes = 50257;
  const auto shares = [&](const std::string& prefix) {
    std::vector<Share> result;
    for (const double share : only(graph, prefix)) result.push_back({share, share});
    return result;
  };
  InFlight one{1};
  one.operand_bytes = 1;
  const auto kept = [&](const std::string& prefix) {
    return estimate_memory(graph, shares(prefix), one, Precision::fp8, OptimizerKind::adam).activations.value();
  };
  // The normalisations' inputs 2 + 2, queries, keys and values 6, attention's output 2, the gate's input 8 as they are;
  // casts of what comes into the products 1 + 1 + 1 + 4.
  CHECK(kept("block.5.") == (20 + 7) * tokens * hidden + 2 * heads * tokens * tokens);
  // The product of the logits is not cast; the loss keeps them in fp32.
  CHECK(kept("head") == 2 * tokens * hidden);
  CHECK(kept("loss") == 4 * tokens * classes);
}

TEST_CASE("Experts keep what their products read as it was cast") {
  const LayerGraph graph = load_network("mixtral-8x7b");
  const double tokens = 4096, hidden = 4096, units = 14336, visits = 2;
  std::vector<Share> experts(graph.layers.size(), Share{0, 0});
  for (const Layer& layer : graph.layers) {
    if (layer.name == "block.3.experts") experts[layer.id.index()] = Share{};
  }
  InFlight cast{1}, whole{1};
  cast.operand_bytes = 1;
  const auto kept = [&](const InFlight& in_flight) {
    return estimate_memory(graph, experts, in_flight, Precision::fp8, OptimizerKind::adam).activations.value();
  };
  // Per visit the copy of the input and what the gate writes: one byte less each.
  CHECK(kept(whole) > 0);
  CHECK(kept(whole) - kept(cast) == tokens * visits * (hidden + units));
}

TEST_CASE("With dropout of the scores a block keeps 34 T h + 5 a T^2 bytes: Korthikanti et al., equation 1") {
  TransformerShape shape;
  shape.layers = 2, shape.hidden = 768, shape.heads = 12;
  shape.vocabulary = 50257, shape.tokens = 1024;
  shape.dropout = 0.1;
  const LayerGraph graph = transformer_graph(shape);
  const double tokens = 1024, hidden = 768, heads = 12;
  const MemoryEstimate block = estimate_memory(graph, only(graph, "block.2."), 1, Precision::fp16, OptimizerKind::adam);
  CHECK(block.activations.value() == 34 * tokens * hidden + 5 * heads * tokens * tokens);
}

TEST_CASE("Factors and what is attended to are kept, once") {
  const LayerGraph product = small_network(network_text("[4, 1, 6]", "6",
                                                        "{ name = \"a\", kind = \"layer_norm\" },\n"
                                                        "{ name = \"b\", kind = \"gelu\" },\n"
                                                        "{ name = \"c\", kind = \"multiply\", skip = \"a\" },\n"
                                                        "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
  // inputs of a, b and c; the second operand of c is the input of b
  CHECK(whole(product, 1, Precision::fp32, OptimizerKind::sgd).activations.value() == 4.0 * (24 + 24 + 24 + 24));
  const LayerGraph across =
      small_network(network_text("[4, 1, 6]", "6",
                                 "{ name = \"kv\", kind = \"dense\", units = 12 },\n"
                                 "{ name = \"q\", kind = \"dense\", units = 6 },\n"
                                 "{ name = \"x\", kind = \"cross_attention\", heads = 2, skip = \"kv\" },\n"
                                 "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
  // inputs of kv and q (kv's output, the keys and values too), queries, scores, probabilities
  CHECK(whole(across, 1, Precision::fp32, OptimizerKind::sgd).activations.value() ==
        4.0 * (24 + 48 + 24 + 2 * 16 + 24));
}

TEST_CASE("Frozen layers are held, but have no gradients, no optimizer state, no fp32 copy and keep nothing") {
  LayerGraph graph = small_perceptron();  // 500,500 + 5,010 parameters
  graph.layers[0].frozen = true;
  const MemoryEstimate memory = whole(graph, 8, Precision::bf16, OptimizerKind::adam);
  CHECK(memory.weights.value() == 2.0 * 505510);
  CHECK(memory.gradients.value() == 2.0 * 5010);
  CHECK(memory.optimizer.value() == 12.0 * 5010);
  CHECK(memory.activations.value() == 8 * (2.0 * 500 + 4.0 * 10));  // the input of dense2, the probabilities
  graph.layers[0].frozen = false;
  graph.layers[2].frozen = true;
  const MemoryEstimate upper = whole(graph, 8, Precision::fp32, OptimizerKind::momentum);
  CHECK(upper.gradients.value() == 4.0 * 500500);
  CHECK(upper.optimizer.value() == 4.0 * 500500);
  CHECK(upper.activations.value() == 8 * 4.0 * (1000 + 500 + 10));  // relu keeps its output all the same
}

TEST_CASE("The copy of frozen tied weights has no gradient") {
  LayerGraph graph = load_network("gpt-mini");
  const std::vector<double> head = only(graph, "head");
  const double table = 4.0 * 1000 * 256;
  CHECK(estimate_memory(graph, head, 0, Precision::fp32, OptimizerKind::sgd).gradients.value() == table);
  for (Layer& layer : graph.layers) layer.frozen = layer.frozen || layer.tied || layer.kind == LayerKind::embedding;
  const MemoryEstimate memory = estimate_memory(graph, head, 0, Precision::fp32, OptimizerKind::sgd);
  CHECK(memory.weights.value() == table);
  CHECK(memory.gradients.value() == 0.0);
}

TEST_CASE("Tied weights are held once with the embedding, and copied where the embedding is not") {
  const LayerGraph graph = load_network("gpt2");
  CHECK(whole(graph, 0, Precision::fp32, OptimizerKind::sgd).weights.value() == 4.0 * 124439808);
  const MemoryEstimate last = estimate_memory(graph, only(graph, "head"), 0, Precision::fp32, OptimizerKind::sgd);
  CHECK(last.weights.value() == 4.0 * 50257 * 768);
}

TEST_CASE("A split layer holds its share of the weights and what it reads") {
  const LayerGraph graph = small_perceptron();
  const std::vector<Share> shares = {{0.5, 1.0}, {0.5, 0.5}, {0.5, 0.5}, {1.0, 1.0}};
  const MemoryEstimate memory = estimate_memory(graph, shares, 2, Precision::fp32, OptimizerKind::sgd);
  CHECK(memory.weights.value() == 4.0 * 505510 / 2);
  CHECK(memory.activations.value() == 2 * 4.0 * (1000 + 250 + 10));
}

TEST_CASE("What is gathered for one reader is kept whole, though its own layer keeps a part") {
  const LayerGraph graph =
      small_network(network_text("[4, 4, 3]", "2",
                                 "{ name = \"conv1\", kind = \"convolution\", filters = 8, kernel = 3, padding = 1 },\n"
                                 "{ name = \"relu\", kind = \"relu\" },\n"
                                 "{ name = \"conv2\", kind = \"convolution\", filters = 2, kernel = 3, padding = 1 },\n"
                                 "{ name = \"flatten\", kind = \"flatten\" },\n"
                                 "{ name = \"dense\", kind = \"dense\", units = 2 },\n"
                                 "{ name = \"loss\", kind = \"softmax_cross_entropy\" },\n"));
  // Both convolutions by output channels over two devices, dense by rows.
  const std::vector<Share> shares = {{0.5, 1.0}, {0.5, 0.5}, {0.5, 1.0}, {0.5, 0.5}, {0.5, 0.5, 1.0}, {}};
  const MemoryEstimate memory = estimate_memory(graph, shares, 1, Precision::fp32, OptimizerKind::sgd);
  // The image, the whole output of relu (conv2 reads all of it, relu itself needs its half), half of conv2's output
  // (for dense), the probabilities.
  CHECK(memory.activations.value() == 4.0 * (48 + 128 + 16 + 2));
  CHECK(whole(graph, 1, Precision::fp32, OptimizerKind::sgd).activations.value() == 4.0 * (48 + 128 + 32 + 2));
}

TEST_CASE("ResNet-50: states are 12 bytes per parameter, activations about twice the convolutions' outputs") {
  const MemoryEstimate memory = whole(load_network("resnet50"), 1, Precision::fp32, OptimizerKind::momentum);
  CHECK((memory.weights + memory.gradients + memory.optimizer).value() == 12.0 * 25557032);
  // timm counts 11.11 million convolution outputs per image. Each is kept for its normalisation, and most once more,
  // activated, for the next convolution: between 1.5 and 2 times 44.4 MB.
  CHECK(memory.activations.value() > 1.5 * 44.44e6);
  CHECK(memory.activations.value() < 2.0 * 44.44e6);
}

TEST_CASE("Stages hold together what the whole holds, and memory grows with samples") {
  for (const std::string& name : network_names()) {
    CAPTURE(name);
    const LayerGraph graph = load_network(name);
    const MemoryEstimate all = whole(graph, 4, Precision::bf16, OptimizerKind::adam);
    for (const std::size_t cut : {graph.layers.size() / 3, graph.layers.size() / 2}) {
      std::vector<double> first(graph.layers.size(), 0.0), second(graph.layers.size(), 1.0);
      std::fill_n(first.begin(), cut, 1.0);
      std::fill_n(second.begin(), cut, 0.0);
      const MemoryEstimate a = estimate_memory(graph, first, 4, Precision::bf16, OptimizerKind::adam);
      const MemoryEstimate b = estimate_memory(graph, second, 4, Precision::bf16, OptimizerKind::adam);
      CHECK(a.activations + b.activations >= all.activations);
      CHECK(a.weights + b.weights >= all.weights);
    }
    const MemoryEstimate more = whole(graph, 8, Precision::bf16, OptimizerKind::adam);
    CHECK(more.activations.value() == Approx(2 * all.activations.value()));
    CHECK(more.weights == all.weights);
  }
}

}  // namespace
}  // namespace orrery
