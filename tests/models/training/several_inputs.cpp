// Networks whose samples are several things in one vector: their gradients against differences.
#include <algorithm>
#include <cmath>

#include "models/training/random_samples.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/run_network.hpp"

namespace orrery {
namespace {

/// A picture of 2 x 2 x 4, a text of 3 x 4, a step of 2.
const std::string diffusion_network = network_text("[1, 1, 30]", "3", R"(
  { name = "sample", kind = "flatten" },
  { name = "step", kind = "slice", first = 28, channels = 2 },
  { name = "time", kind = "dense", units = 4 },
  { name = "text.numbers", kind = "slice", first = 16, channels = 12, input = "sample" },
  { name = "text", kind = "reshape", height = 3, width = 1 },
  { name = "picture.numbers", kind = "slice", channels = 16, input = "sample" },
  { name = "picture", kind = "reshape", height = 2, width = 2 },
  { name = "conv", kind = "convolution", filters = 4, kernel = 3, padding = 1 },
  { name = "with_time", kind = "add_vector", skip = "time" },
  { name = "tokens", kind = "pixels_to_tokens" },
  { name = "qkv", kind = "dense", units = 8 },
  { name = "attention", kind = "attention", heads = 2, kv_heads = 1, head_size = 2, value_size = 2 },
  { name = "keys_values", kind = "dense", units = 6, input = "text" },
  { name = "across", kind = "cross_attention", heads = 2, kv_heads = 1, value_size = 4, input = "attention", skip = "keys_values" },
  { name = "pixels", kind = "tokens_to_pixels" },
  { name = "narrow", kind = "convolution", filters = 4 },
  { name = "add", kind = "residual_add", skip = "with_time" },
  { name = "mean", kind = "global_average_pool" },
  { name = "head", kind = "dense", units = 3 },
  { name = "loss", kind = "softmax_cross_entropy" },
)");

/// Two numbers and three categories.
const std::string recommender = network_text("[1, 1, 5]", "2", R"(
  { name = "sample", kind = "flatten" },
  { name = "categories", kind = "slice", first = 2, channels = 3 },
  { name = "tables", kind = "embedding_tables", units = 3, rows = [4, 2, 5] },
  { name = "numbers", kind = "slice", channels = 2, input = "sample" },
  { name = "bottom", kind = "dense", units = 3 },
  { name = "tanh", kind = "tanh" },
  { name = "pairs", kind = "dot_interaction", skip = "tables" },
  { name = "top", kind = "dense", units = 2 },
  { name = "loss", kind = "softmax_cross_entropy" },
)");

TEST_CASE("the gradients of a network of picture, text and step agree with finite differences in every parameter") {
  CHECK(share_of_wrong_gradients(small_network(diffusion_network), 1.0F / 256, 1e-3) == 0.0);
}

TEST_CASE("the gradients of a recommender agree with finite differences in every row and weight") {
  RunNetwork network(small_network(recommender));
  const Samples samples = random_samples(network.plan(), 6, 3);
  const std::vector<float> gradients = network.gradients(samples);
  CHECK(share_of_wrong_gradients(network, samples, 1.0F / 256, 1e-3) == 0.0);
  CHECK(std::any_of(gradients.begin(), gradients.begin() + 33, [](float slope) { return std::abs(slope) > 1e-3F; }));
}

TEST_CASE("random samples name rows that every table has") {
  const RunNetwork network(small_network(recommender));
  const Samples samples = random_samples(network.plan(), 200, 3);
  std::vector<float> largest(5);
  for (std::size_t i = 0; i < samples.inputs.size(); ++i) {
    largest[i % 5] = std::max(largest[i % 5], samples.inputs[i]);
    if (i % 5 >= 2) CHECK(samples.inputs[i] == std::floor(samples.inputs[i]));
  }
  CHECK(std::vector<float>(largest.begin() + 2, largest.end()) == std::vector<float>{3, 1, 4});
}

}  // namespace
}  // namespace orrery
