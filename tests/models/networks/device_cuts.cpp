// Where networks can be cut between devices.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "models/networks/segments.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

/// Numbers that go along beside the stream, of every cut but the first.
std::vector<std::int64_t> carried(const LayerGraph& graph) {
  std::vector<std::int64_t> numbers;
  for (const NetworkCut& cut : device_cuts(graph)) {
    if (cut.first > 0) numbers.push_back(cut.carried);
  }
  return numbers;
}

}  // namespace

TEST_CASE("an encoder and a decoder can be cut between all their blocks, the encoder's output going along") {
  const LayerGraph graph = load_network("transformer-big");  // 6 + 6 blocks
  const std::vector<std::int64_t> numbers = carried(graph);
  const std::int64_t output = graph.layers[device_cuts(graph).back().first - 1].out.count();
  REQUIRE(numbers.size() == 13);
  CHECK(std::count(numbers.begin(), numbers.end(), 0) == 8);  // before 6 blocks, the decoder, and the head
  CHECK(std::count(numbers.begin(), numbers.end(), output) == 5);
  CHECK(recompute_segments(graph).size() == 3);  // of what is really computed again nothing goes along
}

TEST_CASE("networks whose blocks hand on one output alone are cut where recomputation cuts them") {
  for (const std::string name : {"gpt2", "bert-large", "resnet50", "inception-v3", "mobilenet-v2", "unet", "yolov8n"}) {
    const LayerGraph graph = load_network(name);
    std::vector<std::size_t> firsts;
    for (const NetworkCut& cut : device_cuts(graph)) firsts.push_back(cut.first);
    INFO(name);
    CHECK(firsts == recompute_segments(graph));
  }
}

}  // namespace orrery
