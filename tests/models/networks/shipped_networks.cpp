// The networks that ship with Orrery as graphs: found by name, connected, in the shapes of their papers.
#include <stdexcept>
#include <string>
#include <vector>

#include "models/networks/layer_graph.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

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
      CHECK(layer.skip.valid() == has_second_operand(layer.kind));
      if (layer.kind == LayerKind::residual_add) CHECK(graph.layers[layer.skip.index()].out == layer.in);
      CHECK(is_loss(layer.kind) == (i + 1 == graph.layers.size()));
    }
  }
}

const Layer& layer_named(const LayerGraph& graph, const std::string& name) {
  for (const Layer& layer : graph.layers) {
    if (layer.name == name) return layer;
  }
  throw std::runtime_error("no layer " + name);
}

TEST_CASE("The shipped networks have the shapes of their papers' tables") {
  struct Row {
    std::string network, layer, out;
  };
  const std::vector<Row> rows = {
      {"resnet50", "conv1", "112x112x64"},
      {"resnet50", "pool1", "56x56x64"},
      {"resnet50", "stage1.3.relu3", "56x56x256"},
      {"resnet50", "stage2.4.relu3", "28x28x512"},
      {"resnet50", "stage3.6.relu3", "14x14x1024"},
      {"resnet50", "stage4.3.relu3", "7x7x2048"},
      {"resnet50", "pool2", "1x1x2048"},
      {"resnet18", "stage1.2.relu2", "28x28x64"},
      {"resnet18", "stage4.2.relu2", "4x4x512"},
      {"resnet-small", "stage3.relu2", "7x7x64"},
      {"mobilenet-small", "block5.relu2", "7x7x128"},
      {"yolo-tiny", "head", "7x7x8"},
      {"inception-v3", "mixed3", "35x35x288"},
      {"inception-v3", "mixed8", "17x17x768"},
      {"inception-v3", "mixed11", "8x8x2048"},
      {"mobilenet-v2", "block17.project.norm", "7x7x320"},
      {"unet", "join1", "256x256x128"},
      {"stable-diffusion-v1", "down3.1.text.tokens", "256x1x1280"},
      {"stable-diffusion-v1", "middle.2.add", "8x8x1280"},
      {"stable-diffusion-v1", "up3.3.join", "16x16x1920"},
      {"stable-diffusion-v1", "out", "64x64x4"},
      {"dlrm", "tables", "26x1x128"},
      {"dlrm", "interaction", "1x1x479"},
      {"yolo11n", "focus.1.qkv.norm", "20x20x256"},
      {"yolo11x", "focus.2.pixels", "20x20x384"},
      {"yolo11m", "out1", "80x80x144"},
      {"yolov5s", "out1", "80x80x255"},
      {"yolov8n", "out1", "80x80x144"},
      {"yolov8x", "out3", "20x20x144"},
      {"lstm-rows", "rows", "28x1x28"},
      {"lstm-rows", "lstm", "28x1x128"},
      {"gru-rows", "last", "1x1x128"},
      {"char-lstm", "lstm1", "80x1x256"},
      {"char-lstm", "dense", "80x1x90"},
      {"transformer-small", "positions", "28x1x128"},
      {"transformer-small", "pool", "1x1x128"},
      {"vit-tiny", "tokens", "49x1x64"},
      {"gpt-mini", "head", "128x1x1000"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.network, row.layer);
    CHECK(to_text(layer_named(load_network(row.network), row.layer).out) == row.out);
  }
}

TEST_CASE("A MobileNet's depthwise convolutions have a group for every channel") {
  const LayerGraph graph = load_network("mobilenet-small");
  const Layer depthwise = layer_named(graph, "block4.depthwise");
  CHECK(depthwise.groups == 64);
  CHECK(to_text(depthwise.out) == "7x7x64");
  CHECK(parameters(depthwise) == 9 * 64);
}

TEST_CASE("A mistyped network gets the nearest name, a path is read as a file") {
  const auto message = [](const std::string& name) {
    try {
      (void)load_network(name);
    } catch (const InvalidInput& invalid) {
      return std::string(invalid.what());
    }
    return std::string();
  };
  CHECK(message("resnet-50") == "network: unknown network \"resnet-50\" - did you mean \"resnet50\"?");
  CHECK(message("perceiver") ==
        "network: unknown network \"perceiver\" - known: 2nn, bert-base, bert-large, bloom-176b, char-lstm, "
        "deepseek-v2, deepseek-v2-lite, deepseek-v3, deepspeech2, digits-2nn, dlrm, dlrm-kaggle, ...");
  CHECK(message("nowhere/small.toml") == "nowhere/small.toml: cannot be read (No such file or directory)");
}

}  // namespace
}  // namespace orrery
