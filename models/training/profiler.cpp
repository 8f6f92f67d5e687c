#include "models/training/profiler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "models/kernels/gemm.hpp"
#include "models/kernels/parallel.hpp"
#include "models/training/gradient_sum.hpp"
#include "models/training/host.hpp"
#include "models/training/layer_stack.hpp"
#include "models/training/optimizer.hpp"
#include "models/training/quantile.hpp"
#include "models/training/sample_batch.hpp"
#include "models/training/training.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

constexpr std::size_t passes = 3;

std::size_t index_of(Pass pass) {
  return static_cast<std::size_t>(pass);
}

// Uniform pixels and labels: their values do not change how long a step takes.
Samples random_samples(const LayerGraph& graph, std::size_t count, std::uint64_t seed) {
  Random random = Random::derived(seed, "profile data");
  Samples samples;
  samples.inputs.resize(count * static_cast<std::size_t>(graph.input.count()));
  for (float& input : samples.inputs) input = static_cast<float>(random.uniform());
  for (std::size_t i = 0; i < count; ++i) {
    samples.labels.push_back(static_cast<std::int32_t>(random.below(static_cast<std::size_t>(graph.classes))));
  }
  return samples;
}

// One batch size on one number of threads.
class ProfiledCase {
 public:
  ProfiledCase(const LayerGraph& graph, int batch, int threads, const ProfileOptions& options)
      : graph_(graph),
        samples_(random_samples(graph, static_cast<std::size_t>(batch), options.seed)),
        optimizer_({.kind = options.optimizer, .learning_rate = 1e-3}, 0),
        seconds_(graph.layers.size()) {
    const std::vector<float> start = initial_weights(graph, options.seed);
    weights_.assign(start.begin(), start.end());
    optimizer_ = Optimizer({.kind = options.optimizer, .learning_rate = 1e-3}, start.size());
    const auto parts = static_cast<std::size_t>(std::min(threads, batch));
    for (std::size_t part = 0; part < parts; ++part) {
      parts_.push_back({LayerStack(graph), SampleBatch(), AlignedVector(start.size()), Times(graph.layers.size())});
    }
    order_.resize(samples_.count());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
  }

  void step() {
    compute_gradients();
    optimizer_.begin_step();
    for (std::size_t layer = 0; layer < graph_.layers.size(); ++layer) update(layer);
    for (std::size_t layer = 0; layer < graph_.layers.size(); ++layer) keep_slowest(layer);
  }
  void forget() { seconds_.assign(graph_.layers.size(), {}); }
  [[nodiscard]] const std::vector<double>& seconds(std::size_t layer, Pass pass) const {
    return seconds_[layer][index_of(pass)];
  }

 private:
  using Times = std::vector<std::array<double, passes>>;  // by layer
  struct Part {
    LayerStack stack;
    SampleBatch batch;
    AlignedVector gradient;
    Times times;
  };

  void compute_gradients() {
    for_each_task(parts_.size(), parts_.size(), [&](std::size_t index, std::size_t) {
      Part& part = parts_[index];
      const std::size_t first = order_.size() * index / parts_.size();
      const std::size_t last = order_.size() * (index + 1) / parts_.size();
      const Batch batch = part.batch.gather(samples_, std::span(order_).subspan(first, last - first));
      part.stack.set_timer(
          [&part](std::size_t layer, Pass pass, double seconds) { part.times[layer][index_of(pass)] = seconds; });
      part.stack.forward_backward(weights_, batch, static_cast<double>(order_.size()), part.gradient);
    });
  }

  // Adds the parts' gradients of one layer and updates its weights, a block per thread.
  void update(std::size_t layer) {
    const LayerStack& stack = parts_.front().stack;
    const std::span<float> weights = stack.part_of(layer, std::span<float>(weights_));
    const auto offset = static_cast<std::size_t>(weights.data() - weights_.data());
    const auto start = std::chrono::steady_clock::now();
    for_each_task(parts_.size(), parts_.size(), [&](std::size_t index, std::size_t) {
      const std::size_t first = weights.size() * index / parts_.size();
      const std::size_t count = weights.size() * (index + 1) / parts_.size() - first;
      const auto block = [&](AlignedVector& all) { return std::span<float>(all).subspan(offset + first, count); };
      for (std::size_t i = 1; i < parts_.size(); ++i) add(block(parts_[i].gradient), block(parts_[0].gradient));
      optimizer_.update(offset + first, block(weights_), block(parts_[0].gradient));
    });
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    parts_.front().times[layer][index_of(Pass::optimizer)] = elapsed.count();
  }

  void keep_slowest(std::size_t layer) {
    for (std::size_t pass = 0; pass < passes; ++pass) {
      double slowest = 0;
      for (const Part& part : parts_) slowest = std::max(slowest, part.times[layer][pass]);
      seconds_[layer][pass].push_back(slowest);
    }
  }

  const LayerGraph& graph_;
  Samples samples_;
  AlignedVector weights_;
  Optimizer optimizer_;
  std::vector<Part> parts_;
  std::vector<std::size_t> order_;
  std::vector<std::array<std::vector<double>, passes>> seconds_;  // by layer and pass, one per step
};

double flops_of(const Layer& layer, Pass pass, int batch, OptimizerKind optimizer) {
  const LayerCost cost = layer_cost(layer);
  if (pass == Pass::optimizer) return cost.parameters * optimizer_flops(optimizer);
  return (pass == Pass::forward ? cost.forward : cost.backward).value() * batch;
}

void add_rows(const LayerGraph& graph, const ProfiledCase& measured, int batch, int threads, OptimizerKind optimizer,
              StepProfile& profile) {
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& layer = graph.layers[i];
    for (const Pass pass : {Pass::forward, Pass::backward, Pass::optimizer}) {
      if (pass == Pass::optimizer && parameters(layer) == 0) continue;
      const std::vector<double>& seconds = measured.seconds(i, pass);
      ProfileRow row{.layer = layer.name, .pass = pass, .batch = batch, .threads = threads};
      row.seconds = quantile(seconds, 0.5);
      row.seconds_low = quantile(seconds, 0.1);
      row.seconds_high = quantile(seconds, 0.9);
      row.flops = flops_of(layer, pass, batch, optimizer);
      row.achieved_GFLOPS = row.seconds > 0 ? row.flops / row.seconds / giga : 0.0;
      profile.rows.push_back(row);
    }
  }
}

std::vector<std::string> notes_of(const ProfileOptions& options) {
  return {fmt::format("machine: {}, {} logical cores", processor_name(), logical_cores()),
          fmt::format("build: {} {}, {}", "gcc-compatible compiler", __VERSION__, simd_level()),
          fmt::format("each row: median, 10th and 90th percentile of {} steps after {} for warming up", options.repeats,
                      options.warm_up),
          fmt::format("optimizer: {}", name_of(options.optimizer))};
}

}  // namespace

StepProfile measure_profile(const LayerGraph& graph, const ProfileOptions& options) {
  ORRERY_EXPECT(options.repeats > 0 && options.warm_up >= 0);
  StepProfile profile{.network = graph.name, .notes = notes_of(options), .rows = {}};
  const int steps = options.warm_up + options.repeats;
  const double all = static_cast<double>(options.batches.size() * options.threads.size()) * steps;
  double done = 0;
  for (const int threads : options.threads) {
    for (const int batch : options.batches) {
      ORRERY_EXPECT(batch > 0 && threads > 0);
      ProfiledCase measured(graph, batch, threads, options);
      for (int step = 0; step < steps; ++step) {
        if (step == options.warm_up) measured.forget();
        measured.step();
        if (options.progress) options.progress(++done / all);
      }
      add_rows(graph, measured, batch, threads, options.optimizer, profile);
    }
  }
  return profile;
}

}  // namespace orrery
