// Layers whose two operands are one value: both gradients go to the same place.
#include <string>

#include "tests/catch.hpp"
#include "tests/models/training/run_network.hpp"

namespace orrery {
namespace {

/// dense, the tanh "x" of it, `layers`, a head.
LayerGraph with_layers(const std::string& layers) {
  return small_network(
      "[network]\nname = \"small\"\ntitle = \"a value joined with itself\"\nsource = \"made for this test\"\n"
      "sample = \"vector\"\ninput = [1, 1, 4]\nclasses = 3\nlayers = [\n"
      "  { name = \"first\", kind = \"dense\", units = 6 },\n"
      "  { name = \"x\", kind = \"tanh\" },\n" +
      layers +
      "  { name = \"head\", kind = \"dense\", units = 3 },\n"
      "  { name = \"loss\", kind = \"softmax_cross_entropy\" },\n]\n");
}

TEST_CASE("the gradients of a value that a layer joins with itself agree with finite differences") {
  const std::string layers =
      GENERATE(as<std::string>{}, "kind = \"residual_add\"", "kind = \"add_vector\"", "kind = \"multiply\"",
               "kind = \"concatenate\"", "kind = \"dot_interaction\"",
               "kind = \"cross_attention\", heads = 3, head_size = 2, kv_heads = 1, value_size = 4");
  INFO(layers);
  const LayerGraph graph = with_layers("{ name = \"join\", " + layers + ", input = \"x\", skip = \"x\" },\n");
  CHECK(share_of_wrong_gradients(graph, 1.0F / 256, 1e-3) == 0.0);
}

TEST_CASE("a value is joined with itself where others read it too, and with a view of itself") {
  const std::string layers =
      GENERATE(as<std::string>{},
               "{ name = \"join\", kind = \"multiply\", skip = \"x\" },\n{ name = \"add\", kind = \"residual_add\", "
               "skip = \"x\" },\n",
               "{ name = \"view\", kind = \"flatten\" },\n{ name = \"add\", kind = \"residual_add\", skip = \"x\" },\n",
               "{ name = \"view\", kind = \"flatten\" },\n{ name = \"join\", kind = \"multiply\", input = \"x\", skip "
               "= \"view\" },\n");
  INFO(layers);
  CHECK(share_of_wrong_gradients(with_layers(layers), 1.0F / 256, 1e-3) == 0.0);
}

}  // namespace
}  // namespace orrery
