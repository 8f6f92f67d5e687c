// The networks that ship with Orrery against their published figures.
#include <string>
#include <vector>

#include "models/cost/layer_cost.hpp"
#include "models/networks/layer_graph.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

double forward_gmac(const LayerGraph& graph) {
  double flops = 0.0;
  for (const Layer& layer : graph.layers) flops += layer_cost(layer).forward.value();
  return flops / 2e9;
}

struct Published {
  std::string name;
  std::int64_t parameters;
  double gmac, tolerance;  // forward, of one sample
  std::string runs;
};

// Parameters: the papers, torchvision and the released checkpoints. GMAC: counted by hand for the small ones; timm for
// ResNet-50 (4.09 in He's count of convolutions and dense layers) and VGG-16; for transformers T tokens and width h:
// blocks x (12 h^2 T + 2 T^2 h) + h T V, and h^2 T for BERT's head.
const std::vector<Published>& published() {
  static const std::vector<Published> rows = {
      {"2nn", 199210, 0.0001988, 1e-12, "executable"},           {"bert-large", 335174458, 184.0426, 1e-5, "described"},
      {"fedavg-cnn", 1663370, 0.012273152, 1e-12, "executable"}, {"gpt2", 124439808, 145.8242, 1e-5, "described"},
      {"gpt2-xl", 1557611200, 1753.352, 1e-5, "described"},      {"lenet5", 61706, 0.00041652, 1e-12, "executable"},
      {"resnet50", 25557032, 4.089, 1e-3, "described"},          {"vgg16", 138357544, 15.47, 1e-3, "executable"},
  };
  return rows;
}

TEST_CASE("Every network that ships has a published row here, and the other way round") {
  std::vector<std::string> names;
  for (const Published& row : published()) names.push_back(row.name);
  CHECK(network_names() == names);
}

TEST_CASE("Parameters and forward products of the shipped networks are the published ones") {
  for (const Published& row : published()) {
    CAPTURE(row.name);
    const LayerGraph graph = load_network(row.name);
    CHECK(graph.name == row.name);
    CHECK(parameters(graph) == row.parameters);
    CHECK(forward_gmac(graph) == Approx(row.gmac).epsilon(row.tolerance));
    CHECK(graph.executable == (row.runs == "executable"));
    CHECK(training_flops(graph).value() == Approx(3 * 2e9 * forward_gmac(graph)));
  }
}

TEST_CASE("Layers of the shipped networks are connected: each reads what an earlier one gives") {
  for (const std::string& name : network_names()) {
    CAPTURE(name);
    const LayerGraph graph = load_network(name);
    for (std::size_t i = 0; i < graph.layers.size(); ++i) {
      const Layer& layer = graph.layers[i];
      CAPTURE(layer.name);
      REQUIRE(layer.id == LayerId(i));
      REQUIRE(layer.input.valid() == (i > 0));
      if (i == 0) continue;
      REQUIRE(layer.input < layer.id);
      CHECK(graph.layers[layer.input.index()].out == layer.in);
      CHECK(layer.skip.valid() == (layer.kind == LayerKind::residual_add));
      if (layer.skip.valid()) CHECK(graph.layers[layer.skip.index()].out == layer.in);
    }
    CHECK(graph.layers.back().kind == LayerKind::softmax_cross_entropy);
  }
}

TEST_CASE("ResNet-50 has the shapes of the paper's table") {
  const LayerGraph graph = load_network("resnet50");
  const auto out_of = [&](const std::string& name) {
    for (const Layer& layer : graph.layers) {
      if (layer.name == name) return to_text(layer.out);
    }
    return std::string("missing");
  };
  CHECK(out_of("conv1") == "112x112x64");
  CHECK(out_of("pool1") == "56x56x64");
  CHECK(out_of("stage1.3.relu3") == "56x56x256");
  CHECK(out_of("stage2.4.relu3") == "28x28x512");
  CHECK(out_of("stage3.6.relu3") == "14x14x1024");
  CHECK(out_of("stage4.3.relu3") == "7x7x2048");
  CHECK(out_of("pool2") == "1x1x2048");
}

TEST_CASE("A mistyped network gets the nearest name; a path is read as a file") {
  const auto message = [](const std::string& name) {
    try {
      (void)load_network(name);
    } catch (const InvalidInput& invalid) {
      return std::string(invalid.what());
    }
    return std::string();
  };
  CHECK(message("resnet-50") == "network: unknown network \"resnet-50\" - did you mean \"resnet50\"?");
  CHECK(message("transformer") ==
        "network: unknown network \"transformer\" - known: 2nn, bert-large, fedavg-cnn, gpt2, gpt2-xl, lenet5, "
        "resnet50, vgg16");
  CHECK(message("nowhere/small.toml") == "nowhere/small.toml: cannot be read (No such file or directory)");
}

}  // namespace
}  // namespace orrery
