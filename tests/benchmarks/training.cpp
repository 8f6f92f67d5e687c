// Speed of really executed training: one step, one federated round, one evaluation, one matrix product.
#include <benchmark/benchmark.h>

#include <numeric>

#include "models/kernels/aligned_vector.hpp"
#include "models/kernels/gemm.hpp"
#include "models/training/central_trainer.hpp"
#include "models/training/network.hpp"
#include "models/training/synthetic.hpp"
#include "models/training/training.hpp"

namespace orrery {
namespace {

Samples images(std::size_t count) {
  return synthetic_samples({.samples = count}, 1, "benchmark");
}

// Forward, backward and SGD of one batch on one thread.
void training_step(benchmark::State& state, const char* network_name) {
  const LayerGraph graph = load_network(network_name);
  Random random(1);
  Network network(graph, random);
  Optimizer optimizer({.learning_rate = 0.01}, network.parameters().size());
  const Samples samples = images(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(network.forward_backward(samples.inputs, samples.labels));
    optimizer.step(network.parameters(), network.gradients());
  }
  const double flops = training_flops(graph).value() * static_cast<double>(state.range(0));
  state.counters["GFLOPS"] =
      benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}
BENCHMARK_CAPTURE(training_step, 2nn, "2nn")->Arg(10)->Arg(64)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(training_step, fedavg_cnn, "fedavg-cnn")->Arg(10)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(training_step, lenet5, "lenet5")->Arg(10)->Arg(64)->Unit(benchmark::kMillisecond);

// The same with the batch in shards on all threads.
void central_step(benchmark::State& state, const char* network_name) {
  const LayerGraph graph = load_network(network_name);
  const Samples samples = images(2560);
  CentralOptions options{.batch = state.range(0), .steps = 1};
  options.optimizer.learning_rate = 0.01;
  CentralTrainer trainer(graph, samples, options);
  for (auto _ : state) benchmark::DoNotOptimize(trainer.step());
}
BENCHMARK_CAPTURE(central_step, 2nn, "2nn")->Arg(64)->Arg(256)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(central_step, fedavg_cnn, "fedavg-cnn")->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond);

// McMahan et al. 2017, C = 0.1 of 100 clients: 10 clients x 600 samples, batch 10, one epoch, and the average.
void fedavg_round(benchmark::State& state, const char* network_name) {
  const LayerGraph graph = load_network(network_name);
  const Samples samples = images(6000);
  Random random(1);
  const auto parts = partition(samples, 10, PartitionKind::iid, 0.0, random);
  std::vector<std::size_t> clients(10);
  std::iota(clients.begin(), clients.end(), std::size_t{0});
  const LocalOptions options{.epochs = 1, .batch = 10, .optimizer = {.learning_rate = 0.05}};
  std::vector<float> weights = initial_weights(graph, 1);
  std::int64_t round = 0;
  for (auto _ : state) {
    weights = weighted_average(train_clients(graph, weights, samples, parts, clients, options, 1, ++round));
  }
}
BENCHMARK_CAPTURE(fedavg_round, 2nn, "2nn")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fedavg_round, fedavg_cnn, "fedavg-cnn")->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1);

void evaluate_test_set(benchmark::State& state) {
  const LayerGraph graph = load_network("2nn");
  const Samples samples = images(10000);
  const std::vector<float> weights = initial_weights(graph, 1);
  for (auto _ : state) benchmark::DoNotOptimize(evaluate(graph, weights, samples));
}
BENCHMARK(evaluate_test_set)->UseRealTime()->Unit(benchmark::kMillisecond);

void matrix_product(benchmark::State& state) {
  const Product product{.rows = state.range(0), .columns = state.range(1), .inner = state.range(2)};
  const auto vector = [](std::int64_t numbers) { return AlignedVector(static_cast<std::size_t>(numbers), 0.5F); };
  const AlignedVector left = vector(product.rows * product.inner), right = vector(product.inner * product.columns);
  AlignedVector result = vector(product.rows * product.columns);
  for (auto _ : state) gemm(product, left.data(), right.data(), result.data());
  const auto flops = 2.0 * static_cast<double>(product.rows * product.columns * product.inner);
  state.counters["GFLOPS"] =
      benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}
BENCHMARK(matrix_product)->Args({512, 512, 512})->Args({200, 10, 784})->Args({64, 196, 800});

}  // namespace
}  // namespace orrery
