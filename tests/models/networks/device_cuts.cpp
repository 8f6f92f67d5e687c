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

TEST_CASE("recurrent encoders and decoders can be cut between all their layers, context and states going along") {
  for (const std::string name : {"gnmt", "gnmt-wmt16"}) {
    const LayerGraph graph = load_network(name);  // 4 + 4 layers
    INFO(name);
    std::vector<std::string> firsts;
    for (const NetworkCut& cut : device_cuts(graph)) firsts.push_back(graph.layers[cut.first].name);
    CHECK(firsts == std::vector<std::string>{"embedding", "encoder.1.forward", "encoder.2.lstm", "encoder.3.lstm",
                                             "encoder.4.lstm", "decoder.1.keys", "decoder.2.input", "decoder.3.input",
                                             "decoder.4.input", "classifier"});
    const std::int64_t output =
        graph.input.height * 1024;  // first decoder layer's beside its context, then the context
    CHECK(carried(graph) == std::vector<std::int64_t>{0, 0, 0, 0, 0, output, output, output, 0});
    CHECK(recompute_segments(graph).size() == 3);
  }
}

TEST_CASE("networks whose blocks hand on one output alone are cut where recomputation cuts them") {
  for (const std::string name :
       {"gpt2", "bert-large", "resnet50", "inception-v3", "mobilenet-v2", "unet", "yolov8n", "deepspeech2"}) {
    const LayerGraph graph = load_network(name);
    std::vector<std::size_t> firsts;
    for (const NetworkCut& cut : device_cuts(graph)) firsts.push_back(cut.first);
    INFO(name);
    CHECK(firsts == recompute_segments(graph));
  }
}

}  // namespace orrery
