// Queries and keys that are normalised over all heads together (OLMo 2) leave attention split by heads.
#include <map>
#include <string>

#include "models/layouts/tensor_split.hpp"
#include "models/networks/transformer_table.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

std::map<std::string, SplitMode> modes_of(const std::string& style, int devices) {
  TransformerShape shape = *transformer_style(style);
  shape.name = style, shape.layers = 1, shape.hidden = 1024, shape.heads = 16, shape.ffn = 4096;
  shape.vocabulary = 51200, shape.tokens = 128;
  const LayerGraph graph = transformer_graph(shape);
  const TensorSplit split = split_tensor(graph, devices);
  std::map<std::string, SplitMode> modes;
  for (const Layer& layer : graph.layers) modes[layer.name] = split.layers[layer.id.index()].mode;
  return modes;
}

TEST_CASE("attention stays split by heads behind a normalisation of each head or of all together") {
  for (const std::string style : {"llama", "qwen3", "olmo2"}) {
    CAPTURE(style);
    auto modes = modes_of(style, 4);
    CHECK(modes.at("block.1.attention") == SplitMode::channelwise);
    CHECK(modes.at("block.1.projection") == SplitMode::row);
    CHECK(modes.at("block.1.down") == SplitMode::row);
  }
}

}  // namespace
}  // namespace orrery
