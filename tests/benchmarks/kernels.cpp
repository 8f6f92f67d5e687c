// Speed of single layers and losses: forward and backward, one thread. Shapes: those of lstm-rows, char-lstm and
// gpt-mini.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/kernels/aligned_vector.hpp"
#include "models/kernels/layer_kernel.hpp"
#include "models/kernels/loss.hpp"

namespace orrery {
namespace {

AlignedVector random_numbers(std::int64_t count, Random& random) {
  AlignedVector numbers(static_cast<std::size_t>(count));
  for (float& number : numbers) number = static_cast<float>(random.normal());
  return numbers;
}

void report(benchmark::State& state, double items) {
  state.counters["items"] =
      benchmark::Counter(items, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

/// Both passes of a layer that is not the first: the input's gradient is wanted too.
void layer_passes(benchmark::State& state, const Layer& layer) {
  const std::int64_t samples = state.range(0);
  const std::unique_ptr<LayerKernel> kernel = make_layer_kernel(layer);
  const ParameterCount count = kernel->parameter_count();
  Random random(1);
  AlignedVector parameters = random_numbers(count.weights + count.biases, random);
  kernel->initialise(parameters, random);
  const AlignedVector input = random_numbers(samples * layer.in.count(), random);
  const AlignedVector output_gradient = random_numbers(samples * layer.out.count(), random);
  AlignedVector output(output_gradient.size()), input_gradient(input.size()), parameter_gradient(parameters.size());
  AlignedVector kept(static_cast<std::size_t>(samples * kernel->kept_count()));
  AlignedVector scratch(static_cast<std::size_t>(kernel->scratch_count(samples)));
  BackwardData backward{samples, parameters, {}, input, output, {}, kept, scratch, output_gradient};
  backward.parameter_gradient = parameter_gradient;
  backward.input_gradient = input_gradient;
  for (auto _ : state) {
    kernel->forward({samples, parameters, {}, input, output, {}, kept, scratch});
    kernel->backward(backward);
    benchmark::ClobberMemory();
  }
  report(state, static_cast<double>(samples * layer.in.height));  // tokens
}

Layer recurrent(LayerKind kind, std::int64_t tokens, std::int64_t in, std::int64_t hidden) {
  Layer layer;
  layer.name = std::string(name_of(kind));
  layer.kind = kind;
  layer.in = {tokens, 1, in};
  layer.out = {tokens, 1, hidden};
  return layer;
}
BENCHMARK_CAPTURE(layer_passes, lstm_rows, recurrent(LayerKind::lstm, 28, 28, 128))
    ->Arg(32)
    ->Arg(64)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(layer_passes, gru_rows, recurrent(LayerKind::gru, 28, 28, 128))
    ->Arg(32)
    ->Arg(64)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(layer_passes, char_lstm, recurrent(LayerKind::lstm, 80, 8, 256))
    ->Arg(10)
    ->Unit(benchmark::kMillisecond);

/// Value and gradient of the loss of a language model: 16 sequences of 128 tokens.
void softmax_cross_entropy(benchmark::State& state) {
  constexpr std::int64_t tokens = 128, sequences = 16;
  Layer layer;
  layer.kind = LayerKind::softmax_cross_entropy;
  layer.in = layer.out = {tokens, 1, state.range(0)};
  const std::unique_ptr<Loss> loss = make_loss(layer);
  Random random(1);
  const AlignedVector scores = random_numbers(sequences * layer.in.count(), random);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(sequences * tokens));
  for (std::int32_t& label : labels)
    label = static_cast<std::int32_t>(random.below(static_cast<std::size_t>(state.range(0))));
  AlignedVector gradient(scores.size());
  const Targets targets{labels, {}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(loss->value(scores, targets));
    loss->gradient(scores, targets, 1.0, gradient);
    benchmark::ClobberMemory();
  }
  report(state, static_cast<double>(scores.size()));
}
BENCHMARK(softmax_cross_entropy)->Arg(64)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace orrery
