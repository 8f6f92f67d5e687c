// Speed of really executed training: steps of every executed network, federated rounds, evaluation, matrix products.
// compare_pytorch.py sets the rows step/ and fedavg_round/ beside the same networks in PyTorch.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <omp.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/kernels/gemm.hpp"
#include "models/training/dataset.hpp"
#include "models/training/execution_plan.hpp"
#include "models/training/federated/federated_training.hpp"
#include "models/training/partition.hpp"
#include "models/training/synthetic.hpp"
#include "models/training/training.hpp"
#include "models/training/training_step.hpp"
#include "sim/base/random.hpp"

namespace orrery {
namespace {

benchmark::Counter gflops_per_second(double flops) {
  return {flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000};
}

// Batches that a step takes in turn, as an epoch would: the caches do not hold the inputs of the next step.
constexpr std::size_t batches_in_turn = 8;

/// Inputs and targets in the shape of a network's, drawn at random: how fast a step is does not depend on them.
class RandomBatches {
 public:
  RandomBatches(const LayerGraph& graph, std::size_t batch) : batch_(batch), input_(count(graph.input)) {
    Random random(1);
    const Layer& first = graph.layers.front();
    const Layer& loss = graph.layers.back();
    const bool tokens = first.kind == LayerKind::embedding;
    const std::size_t samples = batch * batches_in_turn;
    inputs_.resize(samples * input_);
    for (float& number : inputs_) {
      number = static_cast<float>(tokens ? whole(random, first.vocabulary) : random.uniform(0.0, 1.0));
    }
    if (loss.kind == LayerKind::softmax_cross_entropy) {
      labels_per_sample_ = count(loss.in) / static_cast<std::size_t>(loss.in.channels);
    }
    labels_.resize(samples * labels_per_sample_);
    for (std::int32_t& label : labels_) label = static_cast<std::int32_t>(whole(random, graph.classes));
    if (loss.kind != LayerKind::softmax_cross_entropy) {
      target_ = count(loss.in);
      targets_.resize(samples * target_);
      for (float& number : targets_) number = static_cast<float>(random.uniform(0.0, 1.0));
    }
    if (loss.kind == LayerKind::detection_loss) {  // an object in every fourth cell
      const auto cell = static_cast<std::size_t>(loss.in.channels);
      for (std::size_t i = 0; i < targets_.size(); i += cell) targets_[i] = targets_[i] < 0.25F ? 1.0F : 0.0F;
    }
  }

  [[nodiscard]] Batch next() {
    const std::size_t first = at_ * batch_;
    at_ = (at_ + 1) % batches_in_turn;
    return {batch_,
            std::span<const float>(inputs_).subspan(first * input_, batch_ * input_),
            {std::span<const std::int32_t>(labels_).subspan(first * labels_per_sample_, batch_ * labels_per_sample_),
             std::span<const float>(targets_).subspan(first * target_, batch_ * target_)}};
  }

 private:
  static std::size_t count(const Shape& shape) { return static_cast<std::size_t>(shape.count()); }
  static double whole(Random& random, std::int64_t below) {
    return static_cast<double>(static_cast<std::int64_t>(random.uniform(0.0, static_cast<double>(below))));
  }

  std::size_t batch_, input_, labels_per_sample_ = 1, target_ = 0, at_ = 0;
  AlignedVector inputs_, targets_;
  std::vector<std::int32_t> labels_;
};

// Forward, backward and plain SGD of one batch.
void training_step(benchmark::State& state, const std::string& network, std::size_t batch, std::size_t threads) {
  const auto plan = std::make_shared<const ExecutionPlan>(load_network(network));
  Random random(1);
  AlignedVector weights(plan->weight_count());
  plan->initialise(weights, random);
  TrainingOptions options{.workers = threads};
  options.optimizer.learning_rate = 0.001;
  TrainingStep step(plan, options);
  RandomBatches batches(plan->graph(), batch);
  step.run(weights, batches.next());  // memory is taken here
  for (auto _ : state) benchmark::DoNotOptimize(step.run(weights, batches.next()));
  state.counters["parameters"] = static_cast<double>(plan->parameter_count());
  state.counters["samples"] = static_cast<double>(batch);
  state.counters["GFLOPS"] = gflops_per_second(training_flops(plan->graph()).value() * static_cast<double>(batch));
}

std::vector<LocalJob> jobs_of(std::span<const std::size_t> clients, std::int64_t round, const Weights& received) {
  std::vector<LocalJob> jobs;
  for (const std::size_t client : clients) jobs.push_back({.client = client, .round = round, .received = received});
  return jobs;
}

// McMahan et al. 2017, C = 0.1 of 100 clients: 10 clients x 600 samples, batch 10, one epoch, and the average.
void federated_round(benchmark::State& state, const std::string& network, std::size_t threads) {
  constexpr std::size_t clients = 10, samples_each = 600;
  omp_set_num_threads(static_cast<int>(threads));
  const LayerGraph graph = load_network(network);
  const Samples samples = synthetic_samples({.samples = clients * samples_each}, 1, "benchmark");
  Random random(1);
  FederatedTraining training(graph, samples, partition(samples, clients, {.kind = PartitionKind::iid}, random),
                             {.local = {.batch = 10, .optimizer = {.learning_rate = 0.01}}});
  std::vector<std::size_t> everyone(clients);
  std::iota(everyone.begin(), everyone.end(), std::size_t{0});
  std::vector<float> weights = initial_weights(graph, 1);
  std::int64_t round = 0;
  for (auto _ : state) {
    const auto received = std::make_shared<const std::vector<float>>(weights);
    training.accept(weights, training.train(jobs_of(everyone, ++round, received)));
  }
  state.counters["parameters"] = static_cast<double>(weights.size());
  state.counters["samples"] = static_cast<double>(clients * samples_each);
}

// Logistic regression on MNIST's shape: 1,000 clients of 60 samples, 10 per round, batch 10, 100 rounds, the reading of
// the data and a test every ten rounds included. Without the data set: made-up samples, made before the clock starts.
void hundred_rounds(benchmark::State& state) {
  constexpr std::size_t clients = 1000, per_round = 10;
  constexpr std::int64_t rounds = 100;
  const bool real = std::filesystem::exists("/usr/share/datasets/fashion-mnist");
  DataSet made;
  if (!real) {
    made.train = synthetic_samples({.samples = 60000}, 1, "train");
    made.test = synthetic_samples({.samples = 10000}, 1, "test");
  }
  const LayerGraph graph = load_network("logistic");
  for (auto _ : state) {
    DataSet read;
    if (real) read = load_data_set("fashion-mnist", 1);
    const DataSet& data = real ? read : made;
    Random split = Random::derived(1, "partition"), draw = Random::derived(1, "selection");
    FederatedTraining training(graph, data.train, partition(data.train, clients, {.kind = PartitionKind::iid}, split),
                               {.local = {.batch = 10, .optimizer = {.learning_rate = 0.03}}});
    std::vector<std::size_t> order(clients);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::vector<float> weights = initial_weights(graph, 1);
    double accuracy = 0;
    for (std::int64_t round = 1; round <= rounds; ++round) {
      draw.shuffle(order);
      const auto received = std::make_shared<const std::vector<float>>(weights);
      training.accept(weights, training.train(jobs_of(std::span(order).first(per_round), round, received)));
      if (round % 10 == 0) accuracy = training.evaluate(weights, data.test).accuracy;
    }
    state.counters["accuracy"] = accuracy;
  }
  state.SetLabel(real ? "fashion-mnist, read each time" : "made-up data");
}
BENCHMARK(hundred_rounds)->Name("federated_logistic/rounds:100")->UseRealTime()->Unit(benchmark::kMillisecond);

struct Steps {
  std::string network;
  std::vector<std::size_t> batches;
};
const std::vector<Steps>& all_steps() {
  static const std::vector<Steps> steps{{"2nn", {10, 64, 256}},
                                        {"lenet5", {64}},
                                        {"fedavg-cnn", {10, 64}},
                                        {"resnet-small", {64}},
                                        {"resnet18", {32}},
                                        {"mobilenet-small", {64}},
                                        {"yolo-tiny", {32}},
                                        {"lstm-rows", {64}},
                                        {"gru-rows", {64}},
                                        {"char-lstm", {32}},
                                        {"transformer-small", {16, 64}},
                                        {"gpt-mini", {16, 32}},
                                        {"vit-tiny", {64}}};
  return steps;
}

/// `body` under `name`; a network that cannot be built is a failed row, not the end of all.
template <class Body>
void add_benchmark(const std::string& name, Body body) {
  const auto guarded = [body](benchmark::State& state) {
    try {
      body(state);
    } catch (const std::exception& error) {
      state.SkipWithError(error.what());
    }
  };
  benchmark::RegisterBenchmark(name.c_str(), guarded)->UseRealTime()->Unit(benchmark::kMillisecond);
}

[[maybe_unused]] const bool registered = [] {
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
    for (const Steps& steps : all_steps()) {
      for (const std::size_t batch : steps.batches) {
        add_benchmark(fmt::format("step/{}/batch:{}/threads:{}", steps.network, batch, threads),
                      [=](benchmark::State& state) { training_step(state, steps.network, batch, threads); });
      }
    }
    for (const std::string network : {"2nn", "fedavg-cnn"}) {
      add_benchmark(fmt::format("fedavg_round/{}/batch:10/threads:{}", network, threads),
                    [=](benchmark::State& state) { federated_round(state, network, threads); });
    }
  }
  return true;
}();

void evaluate_test_set(benchmark::State& state) {
  const LayerGraph graph = load_network("2nn");
  const Samples samples = synthetic_samples({.samples = 10000}, 1, "benchmark");
  const std::vector<float> weights = initial_weights(graph, 1);
  for (auto _ : state) benchmark::DoNotOptimize(evaluate(graph, weights, samples));
}
BENCHMARK(evaluate_test_set)->UseRealTime()->Unit(benchmark::kMillisecond);

// Arguments: rows, columns, inner; right and left as they lie in forward passes (plain) and gradients of weights and
// inputs.
void matrix_product(benchmark::State& state, Operand left_form, Operand right_form) {
  const Product product{.rows = state.range(0),
                        .columns = state.range(1),
                        .inner = state.range(2),
                        .left = left_form,
                        .right = right_form};
  const auto vector = [](std::int64_t numbers) { return AlignedVector(static_cast<std::size_t>(numbers), 0.5F); };
  const AlignedVector left = vector(product.rows * product.inner), right = vector(product.inner * product.columns);
  AlignedVector result = vector(product.rows * product.columns);
  for (auto _ : state) gemm(product, left.data(), right.data(), result.data());
  state.counters["GFLOPS"] =
      gflops_per_second(2.0 * static_cast<double>(product.rows * product.columns * product.inner));
  state.SetLabel(gemm_backend());
}
BENCHMARK_CAPTURE(matrix_product, forward, Operand::plain, Operand::plain)
    ->Args({512, 512, 512})
    ->Args({200, 10, 784})
    ->Args({64, 196, 800})
    ->Args({32, 28, 28});
BENCHMARK_CAPTURE(matrix_product, weight_gradient, Operand::plain, Operand::transposed)
    ->Args({200, 784, 10})
    ->Args({64, 800, 196});
BENCHMARK_CAPTURE(matrix_product, input_gradient, Operand::transposed, Operand::plain)
    ->Args({784, 10, 200})
    ->Args({3136, 10, 512})
    ->Args({800, 196, 64});

// What one core can do: 12 independent sums of products, so that every multiply-add unit is busy. For
// compare_pytorch.py to see whether the machine is quiet.
void multiply_add(benchmark::State& state) {
  constexpr std::size_t numbers = 192;  // 12 vectors of 16
  alignas(64) float sums[numbers] = {};
  float factor = 0.999F;
  benchmark::DoNotOptimize(factor);
  constexpr int rounds = 4096;
  for (auto _ : state) {
    for (int round = 0; round < rounds; ++round) {
      for (float& sum : sums) sum = sum * factor + factor;
    }
    benchmark::DoNotOptimize(sums);
  }
  state.counters["GFLOPS"] = gflops_per_second(2.0 * numbers * rounds);
}
BENCHMARK(multiply_add);

}  // namespace
}  // namespace orrery
