// Tensors at the boundaries of blocks: on one device each is kept once, however many blocks need it.
#include "models/layouts/kept_again.hpp"

#include <algorithm>

#include "models/layouts/judge_state.hpp"
#include "tests/catch.hpp"
#include "tests/models/layouts/megatron.hpp"
#include "tests/models/layouts/pipeline_layout.hpp"

namespace orrery {
namespace {

using namespace testing;

TrainingJob job_of(const std::string& network, Precision precision = Precision::fp32) {
  TrainingJob job = megatron_job({2, 1024, 16}, 16, 8, "ideal");
  job.network = load_network(network);
  job.precision = precision;
  return job;
}

/// Numbers that each chunk keeps of a sample.
std::vector<double> kept_numbers(const TrainingJob& job, const Layout& layout) {
  LayoutJudge::State state(job);
  std::vector<double> numbers;
  for (const StageWork& chunk : state.chunks_of(state.plan_for(layout), layout)) {
    numbers.push_back(chunk.activations / bytes_in_memory(job.precision));
  }
  return numbers;
}

Layout recomputing(Recompute recompute) {
  Layout layout;
  layout.recompute = recompute;
  return layout;
}

std::vector<KeptAgain> shared_by_blocks(const std::string& network) {
  const TrainingJob job = job_of(network, Precision::bf16);
  return tensors_kept_again(job, blocks_of(job.network).blocks, marks_of(job.network, job.framework));
}

}  // namespace

// 2NN: 784 - 200 - 200 - 10, cut behind the first ReLU.
TEST_CASE("what a ReLU keeps the next block's product reads: once on one device, on both of two stages") {
  const TrainingJob job = job_of("2nn");
  CHECK(kept_numbers(job, {}) == std::vector<double>{784 + 200 + 200 + 10});
  CHECK(kept_numbers(job, pipeline(2)) == std::vector<double>{784 + 200, 200 + 200 + 10});
}

TEST_CASE("where blocks are computed again inputs are kept, which no other block has") {
  const TrainingJob job = job_of("2nn");
  // The first block keeps nothing but the network's input, which is always there; the last one is not done again.
  const double last = 200 + 200 + 10;
  CHECK(kept_numbers(job, recomputing(Recompute::full)) == std::vector<double>{last});
  CHECK(kept_numbers(job, recomputing(Recompute::operators)).front() >= last);
  CHECK(kept_numbers(job, recomputing(Recompute::selective)) == kept_numbers(job, {}));
  // Every second block: on the mean of both ways to begin.
  const double all = 784 + 200 + last - 200;
  CHECK(kept_numbers(job, recomputing(Recompute::alternate)) == std::vector<double>{(last + all) / 2});
}

TEST_CASE("VGG-16 keeps each of its tensors once, by hand") {
  // Image; ReLUs and pools of five sizes; two dense layers; probabilities.
  const double image = 224.0 * 224 * 3, dense = 2 * 4096 + 1000;
  const double relus =
      64.0 * 224 * 224 * 2 + 128.0 * 112 * 112 * 2 + 256.0 * 56 * 56 * 3 + 512.0 * 28 * 28 * 3 + 512.0 * 14 * 14 * 3;
  const double pools = 64.0 * 112 * 112 + 128.0 * 56 * 56 + 256.0 * 28 * 28 + 512.0 * 14 * 14 + 512.0 * 7 * 7;
  const TrainingJob job = job_of("vgg16");
  const double all = image + relus + pools + dense;
  REQUIRE(kept_numbers(job, {}).size() == 1);
  CHECK(kept_numbers(job, {})[0] == Approx(all).epsilon(1e-12));
  // Of two stages the second one is sent what the first one's last layer keeps, too.
  const std::vector<double> two = kept_numbers(job, pipeline(2));
  LayoutJudge::State state(job);
  const Block& second = state.sequence().blocks[state.plan_for(pipeline(2)).starts[1]];
  const auto sent = static_cast<double>(job.network.layers[second.first].in.count());
  CHECK(two[0] + two[1] == Approx(all + sent).epsilon(1e-12));
}

TEST_CASE("frozen networks keep once what is left to keep") {
  TrainingJob job = job_of("2nn");
  job.network.layers[1].frozen = true;  // the first product: its ReLU has no backward pass
  CHECK(kept_numbers(job, {}) == std::vector<double>{200 + 200 + 10});
  CHECK(kept_numbers(job, pipeline(2)) == std::vector<double>{0, 200 + 200 + 10});
}

TEST_CASE("blocks of decoders and encoders share nothing, those of a decoder behind an encoder its output") {
  for (const std::string network :
       {"gpt2", "bert-large", "llama3-8b", "gemma2-9b", "mixtral-8x7b", "deepseek-v2-lite", "gpt-oss-20b", "vit-b16"}) {
    INFO(network);
    CHECK(shared_by_blocks(network).empty());
  }
  const std::vector<KeptAgain> of_t5 = shared_by_blocks("t5-3b");
  CHECK(std::count_if(of_t5.begin(), of_t5.end(), [](const KeptAgain& tensor) {
          return tensor.before.block + 1 == tensor.here.block;
        }) >= 23);  // 24 blocks of the decoder
}

TEST_CASE("what fp8 casts for a product nobody else reads") {
  TrainingJob job = job_of("2nn", Precision::fp8);
  job.framework.kept_operand_bytes = Ranged(2);
  CHECK(tensors_kept_again(job, blocks_of(job.network).blocks, marks_of(job.network, job.framework)).size() == 1);
  job.framework.kept_operand_bytes = Ranged(1);
  CHECK(tensors_kept_again(job, blocks_of(job.network).blocks, marks_of(job.network, job.framework)).empty());
}

}  // namespace orrery
