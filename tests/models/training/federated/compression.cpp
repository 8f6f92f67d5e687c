#include "models/training/federated/compression.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "models/training/federated/sent_numbers.hpp"
#include "models/training/gradient_norm.hpp"
#include "tests/catch.hpp"
#include "tests/models/training/federated/line.hpp"
#include "tests/models/training/federated/perceptron.hpp"

namespace orrery {
namespace {

// 2 x 3 weights and 3 biases: 9 numbers, one layer.
LayerGraph small_dense() {
  return chain_network({1, 1, 2}, {{LayerKind::dense, {.channels = 3}}, {LayerKind::softmax_cross_entropy, {}}});
}

std::unique_ptr<Compressor> compressor(const CompressionOptions& options, const LayerGraph& graph) {
  return make_compressor(options, graph, sent_numbers(graph, {}).parameters);
}

std::vector<float> decoded(const CompressionOptions& options, std::vector<float> update, std::uint64_t seed = 1) {
  Random random(seed);
  compressor(options, small_dense())->compress(update, random);
  return update;
}

const std::vector<float>& nine() {
  static const std::vector<float> numbers = {0.5F, -3, 1, 2, -2, 0, 4, -0.25F, 1};
  return numbers;
}

TEST_CASE("top-k keeps the largest magnitudes, of equal ones the first") {
  const CompressionOptions three{.kind = CompressionKind::top_k, .keep = 3.0 / 9};
  CHECK(decoded(three, nine()) == std::vector<float>{0, -3, 0, 2, 0, 0, 4, 0, 0});
  CHECK(decoded({.kind = CompressionKind::top_k, .keep = 1e-9}, nine()) ==
        std::vector<float>{0, 0, 0, 0, 0, 0, 4, 0, 0});
  CHECK(decoded({.kind = CompressionKind::top_k, .keep = 1}, nine()) == nine());
  CHECK(decoded(three, std::vector<float>(9, 0.0F)) == std::vector<float>(9, 0.0F));
}

TEST_CASE("random-k keeps so many numbers, scaled up") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const auto sent = decoded({.kind = CompressionKind::random_k, .keep = 3.0 / 9}, std::vector<float>(9, 2.0F), seed);
    CHECK(std::count(sent.begin(), sent.end(), 6.0F) == 3);
    CHECK(std::count(sent.begin(), sent.end(), 0.0F) == 6);
  }
}

TEST_CASE("the sign of 0 counts as positive, and the scale is each layer's mean magnitude") {
  // 13.75 / 9
  const auto sent = decoded({.kind = CompressionKind::sign}, nine());
  for (std::size_t i = 0; i < 9; ++i) CHECK(sent[i] == Approx(nine()[i] < 0 ? -13.75 / 9 : 13.75 / 9));
}

TEST_CASE("qsgd gives levels of the norm on either side of each number") {
  // Norm of (3, 4): 5; 5 levels are whole numbers: exact. Of (1, 2, 2): 3; with 1 level each number is 0 or the norm.
  std::vector<float> exact(9, 0.0F), coarse(9, 0.0F);
  exact[0] = 3;
  exact[8] = -4;
  CHECK(decoded({.kind = CompressionKind::qsgd, .levels = 5}, exact)[0] == 3.0F);
  CHECK(decoded({.kind = CompressionKind::qsgd, .levels = 5}, exact)[8] == -4.0F);
  coarse[0] = 1;
  coarse[1] = coarse[2] = -2;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto sent = decoded({.kind = CompressionKind::qsgd, .levels = 1}, coarse, seed);
    CHECK((sent[0] == 0 || sent[0] == 3));
    CHECK((sent[1] == 0 || sent[1] == -3));
  }
}

TEST_CASE("int8 gives whole multiples of the largest magnitude / 127, no further off than one") {
  const auto sent = decoded({.kind = CompressionKind::int8}, nine());
  const double scale = 4.0 / 127;
  CHECK(sent[6] == 4.0F);
  for (std::size_t i = 0; i < 9; ++i) {
    const double code = sent[i] / scale;
    CHECK(code == Approx(std::round(code)).margin(1e-4));
    CHECK(std::abs(sent[i] - nine()[i]) < scale * 1.0001);
  }
}

// The error of a mean over independent draws is of normal shape: 5 deviations are beyond chance.
TEST_CASE("random-k, qsgd and int8 are right in the mean over many draws") {
  constexpr int draws = 20000;
  for (const CompressionOptions& options : {CompressionOptions{.kind = CompressionKind::random_k, .keep = 3.0 / 9},
                                            CompressionOptions{.kind = CompressionKind::qsgd},
                                            CompressionOptions{.kind = CompressionKind::qsgd, .levels = 1},
                                            CompressionOptions{.kind = CompressionKind::int8}}) {
    const auto method = compressor(options, small_dense());
    std::vector<double> sum(9), squares(9);
    Random random(5);
    for (int draw = 0; draw < draws; ++draw) {
      std::vector<float> sent = nine();
      method->compress(sent, random);
      for (std::size_t i = 0; i < 9; ++i) {
        sum[i] += sent[i];
        squares[i] += static_cast<double>(sent[i]) * sent[i];
      }
    }
    for (std::size_t i = 0; i < 9; ++i) {
      const double mean = sum[i] / draws, variance = std::max(0.0, squares[i] / draws - mean * mean);
      CAPTURE(static_cast<int>(options.kind), i);
      CHECK(std::abs(mean - nine()[i]) <= 5 * std::sqrt(variance / draws) + 1e-6);
    }
  }
}

TEST_CASE("a matrix of the rank that is asked for comes through, and biases always do") {
  // Rows (1, 2, 3) and (2, 4, 6): rank 1; in the layer's order the weights of one input lie beside each other.
  const std::vector<float> rank_one = {1, 2, 3, 2, 4, 6, 7, 8, 9};
  const LayerGraph wide =
      chain_network({1, 1, 6}, {{LayerKind::dense, {.channels = 5}}, {LayerKind::softmax_cross_entropy, {}}});
  std::vector<float> update;
  for (int row = 1; row <= 6; ++row) {
    for (int column = 1; column <= 5; ++column) update.push_back(static_cast<float>(row * column));
  }
  for (int bias = 0; bias < 5; ++bias) update.push_back(static_cast<float>(bias));
  const std::vector<float> before = update;
  Random random(1);
  compressor({.kind = CompressionKind::low_rank, .rank = 1}, wide)->compress(update, random);
  for (std::size_t i = 0; i < update.size(); ++i) CHECK(update[i] == Approx(before[i]).margin(1e-4));
  // 2 x 3 at rank 2 would take 10 numbers instead of 6: sent as it is.
  CHECK(decoded({.kind = CompressionKind::low_rank, .rank = 2}, rank_one) == rank_one);
}

TEST_CASE("scales and shifts of a normalisation are no matrix and are sent whole") {
  for (const LayerKind kind : {LayerKind::group_norm, LayerKind::layer_norm}) {
    CAPTURE(name_of(kind));
    const LayerGraph graph = chain_network(
        {1, 1, 8}, {{kind, {}}, {LayerKind::dense, {.channels = 3}}, {LayerKind::softmax_cross_entropy, {}}});
    // 8 scales, 8 shifts, 8 + 3 numbers of the dense layer's 8 x 3, and 3 biases.
    CHECK(compressor({.kind = CompressionKind::low_rank, .rank = 1}, graph)->bytes().value() == 4 * (16 + 11 + 3));
  }
}

TEST_CASE("relative positions and sinks of attention are rows of a number per head") {
  LayerGraph graph = chain_network({4, 1, 24}, {{LayerKind::attention, {.channels = 8}},
                                                {LayerKind::dense, {.channels = 3}},
                                                {LayerKind::softmax_cross_entropy, {}}});
  Layer& attention = graph.layers.front();
  attention.heads = 2;
  attention.positions = 16;
  attention.sinks = true;
  // 17 + 2 numbers of 17 x 2, 8 + 3 of 8 x 3, and 3 biases.
  CHECK(compressor({.kind = CompressionKind::low_rank, .rank = 1}, graph)->bytes().value() == 4 * (19 + 11 + 3));
}

TEST_CASE("a better rank leaves less behind") {
  const LayerGraph graph = perceptron();
  Random draw(7);
  std::vector<float> update(static_cast<std::size_t>(parameters(graph)));
  for (float& number : update) number = static_cast<float>(draw.normal());
  double before = std::sqrt(sum_of_squares(update));
  for (const int rank : {1, 2, 4, 8}) {
    std::vector<float> left = update;
    Random random(1);
    compressor({.kind = CompressionKind::low_rank, .rank = rank}, graph)->compress(left, random);
    for (std::size_t i = 0; i < left.size(); ++i) left[i] -= update[i];
    const double norm = std::sqrt(sum_of_squares(left));
    CHECK(norm < before);
    before = norm;
  }
}

TEST_CASE("bytes are exact by arithmetic") {
  const LayerGraph graph = load_network("2nn");  // 199,210 numbers in three layers
  const auto bytes = [&](const CompressionOptions& options) { return compressor(options, graph)->bytes().value(); };
  CHECK(bytes({.kind = CompressionKind::top_k, .keep = 0.01}) == 8.0 * 1993);  // ceil(1992.1)
  CHECK(bytes({.kind = CompressionKind::random_k, .keep = 0.01}) == 8 + 4.0 * 1993);
  CHECK(bytes({.kind = CompressionKind::qsgd}) == 69728);                // ceil((2.8 x 199,210 + 32) / 8)
  CHECK(bytes({.kind = CompressionKind::qsgd, .levels = 7}) == 99609);   // 4 bits each and the norm
  CHECK(bytes({.kind = CompressionKind::qsgd, .levels = 8}) == 124511);  // 17 values: 5 bits; 124,510.25
  CHECK(bytes({.kind = CompressionKind::int8}) == 199210 + 12);
  CHECK(bytes({.kind = CompressionKind::sign}) == 24902 + 12);  // ceil(199,210 / 8)
  // (784 + 200) + (200 + 200) + (200 + 10) numbers per rank, and 410 biases.
  CHECK(bytes({.kind = CompressionKind::low_rank, .rank = 2}) == 4 * (2 * 1594 + 410));
}

TEST_CASE("running statistics go uncompressed and are counted") {
  const LayerGraph graph = load_network("resnet-small");
  const ExecutionPlan plan(graph);
  const auto statistics = static_cast<double>(plan.weight_count() - plan.parameter_count());
  const auto numbers = static_cast<double>(plan.parameter_count());
  CHECK(compressor({.kind = CompressionKind::top_k, .keep = 1}, graph)->bytes().value() ==
        8 * numbers + 4 * statistics);
}

TEST_CASE("every method counts its work, more for more numbers, and none beyond a hundred operations per number") {
  for (const CompressionEntry& entry : compressions()) {
    if (entry.kind == CompressionKind::none) continue;
    CAPTURE(entry.name);
    const auto small = compressor({.kind = entry.kind}, load_network("2nn"));
    const auto large = compressor({.kind = entry.kind}, load_network("fedavg-cnn"));
    CHECK(small->client_flops() < large->client_flops());
    CHECK(small->server_flops() < large->server_flops());
    CHECK(small->client_flops().value() >= 199210);
    CHECK(small->client_flops().value() < 199210 * 100);
  }
}

TEST_CASE("what compression leaves out is sent later: nothing is lost") {
  const LayerGraph graph = perceptron();
  for (const CompressionKind kind : {CompressionKind::top_k, CompressionKind::sign, CompressionKind::low_rank}) {
    FederatedTraining compressed = training_of(graph, {.compression = {.kind = kind, .keep = 0.05, .rank = 1}}, 6);
    FederatedTraining plain = training_of(graph, {}, 6);
    const Weights start = shared(initial_weights(graph, 1));
    std::vector<double> sent(start->size()), meant(start->size());
    std::vector<float> unused = *start, residual;
    for (std::int64_t round = 0; round < 6; ++round) {  // from the same weights each time: the changes are the same
      const auto update = compressed.train(jobs({0}, round, start));
      const auto whole = plain.train(jobs({0}, round, start));
      compressed.accept(unused, update);
      residual = update[0].kept.residual;
      for (std::size_t i = 0; i < sent.size(); ++i) {
        sent[i] += update[0].delta[i];
        meant[i] += whole[0].delta[i];
      }
    }
    for (std::size_t i = 0; i < sent.size(); ++i) REQUIRE(sent[i] + residual[i] == Approx(meant[i]).margin(1e-4));
  }
}

TEST_CASE("unbiased methods keep no residual, and feedback can be turned off") {
  const LayerGraph graph = perceptron();
  const Weights start = shared(initial_weights(graph, 1));
  const auto residual = [&](const CompressionOptions& compression) {
    FederatedTraining training = training_of(graph, {.compression = compression}, 6);
    return training.train(jobs({0}, 0, start))[0].kept.residual;
  };
  CHECK(!residual({.kind = CompressionKind::top_k}).empty());
  CHECK(residual({.kind = CompressionKind::top_k, .error_feedback = ErrorFeedback::off}).empty());
  for (const CompressionKind kind : {CompressionKind::random_k, CompressionKind::qsgd, CompressionKind::int8}) {
    CHECK(residual({.kind = kind}).empty());
  }
}

TEST_CASE("every kind of compression stands in the table once") {
  std::set<std::string> names;
  std::size_t kind = 0;
  for (const CompressionEntry& entry : compressions()) {
    CHECK(names.insert(entry.name).second);
    CHECK(static_cast<std::size_t>(entry.kind) == kind++);
  }
  CHECK(kind == static_cast<std::size_t>(CompressionKind::low_rank) + 1);
}

TEST_CASE("control variates take 4 bytes a number however the model is stored") {
  // 1,810 weights: 2 bytes each in the model, 4 in the control variate.
  FederatedTrainingOptions options{.algorithm = {.kind = AlgorithmKind::scaffold}};
  options.local.storage = Storage::bf16;
  CHECK(update_bytes(perceptron(), options).up == Bytes(1810 * (2 + 4)));
  CHECK(update_bytes(perceptron(), options).down == Bytes(1810 * (2 + 4)));
}

TEST_CASE("the loss of the received weights is a forward pass over the local set, of qfedavg alone") {
  CHECK(update_flops(perceptron(), {.algorithm = {.kind = AlgorithmKind::qfedavg}}).forward_epochs == 1);
  CHECK(update_flops(perceptron(), {}).forward_epochs == 0);
}

}  // namespace
}  // namespace orrery
