// Roofline and replay on devices with round figures, and on every shipped network.
#include "models/cost/cost_model.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

constexpr double microsecond = 1e-6;

FrameworkProfile one_microsecond() {
  FrameworkProfile framework;
  framework.id = "test";
  framework.kernel_overhead_us = Ranged(1);
  framework.memory_efficiency = Ranged(0.8);
  return framework;
}

/// 1 TFLOP/s fp32, 4 TFLOP/s bf16, half of it reached; 100 GB/s, 80 reached.
Device device_of(const std::string& id, double times_faster = 1.0) {
  Device device;
  device.id = id;
  device.peak[static_cast<std::size_t>(Precision::fp32)] = FlopsPerSecond(1e12 * times_faster);
  device.peak[static_cast<std::size_t>(Precision::bf16)] = FlopsPerSecond(4e12 * times_faster);
  device.memory_bandwidth = BytesPerSecond(100e9 * times_faster);
  device.gemm_fraction = 0.5;
  return device;
}

double micros(Seconds seconds) {
  return seconds.value() / microsecond;
}

ProfileRow row(const std::string& layer, Pass pass, int batch, double microseconds, int threads = 2) {
  const double seconds = microseconds * microsecond;
  return {layer, pass, batch, threads, seconds, seconds, seconds, 0.0, 0.0};
}

StepProfile recorded() {
  StepProfile profile;
  profile.network = "small";
  profile.rows = {row("dense1", Pass::forward, 32, 200),  row("dense1", Pass::forward, 8, 80),
                  row("dense1", Pass::backward, 16, 320), row("dense1", Pass::optimizer, 8, 50),
                  row("dense1", Pass::optimizer, 16, 90), row("dense1", Pass::optimizer, 32, 60),
                  row("relu", Pass::forward, 8, 10),      row("relu", Pass::forward, 32, 100),
                  row("loss", Pass::forward, 8, 100),     row("loss", Pass::forward, 32, 90),
                  row("dense1", Pass::forward, 8, 999, 1)};
  return profile;
}

CostModel replay() {
  return {one_microsecond(), Precision::fp32, OptimizerKind::sgd, recorded(), device_of("host"), 2};
}

template <class Call>
std::string message(const Call& call) {
  try {
    call();
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return {};
}

TEST_CASE("Roofline: the slower of products and memory, and the kernel overhead") {
  const CostModel model(one_microsecond(), Precision::fp32, OptimizerKind::sgd);
  const LayerGraph graph = small_perceptron();
  const Layer& dense = graph.layers[0];
  const Layer& relu = graph.layers[1];
  const Device device = device_of("gpu");
  CHECK(micros(model.roofline(dense, Pass::forward, 32, device)) == Approx(64 + 1));      // 32e6 FLOP / 0.5e12
  CHECK(micros(model.roofline(dense, Pass::forward, 1, device)) == Approx(25.075 + 1));   // 2.006e6 B / 80e9
  CHECK(micros(model.roofline(dense, Pass::backward, 1, device)) == Approx(50.125 + 1));  // 4.01e6 B
  CHECK(micros(model.roofline(relu, Pass::forward, 32, device)) == Approx(1.6 + 1));      // 128,000 B, no gemm_fraction
  CHECK(micros(model.roofline(dense, Pass::optimizer, 32, device)) == Approx(75.075 + 1));  // 500,500 x 12 B
  CHECK(micros(model.roofline(relu, Pass::optimizer, 32, device)) == 0.0);
  CHECK(micros(model.roofline(dense, Pass::forward, 1, device, {0.5, 1.0})) == Approx(12.5625 + 1));
  CHECK(micros(model.roofline(dense, Pass::forward, 0.5, device)) == Approx(25.0375 + 1));
  CHECK(model.time(dense, Pass::forward, 32, device) == model.roofline(dense, Pass::forward, 32, device));
}

TEST_CASE("Precision and optimizer choose peak and bytes") {
  const Layer dense = small_perceptron().layers[0];
  const Device device = device_of("gpu");
  const CostModel mixed(one_microsecond(), Precision::bf16, OptimizerKind::adam);
  CHECK(micros(mixed.roofline(dense, Pass::forward, 320, device)) == Approx(160 + 1));  // 320e6 FLOP / 2e12
  CHECK(micros(mixed.roofline(dense, Pass::optimizer, 1, device)) == Approx(500500 * 28 / 80e9 / microsecond + 1));
  const CostModel momentum(one_microsecond(), Precision::fp32, OptimizerKind::momentum);
  CHECK(micros(momentum.roofline(dense, Pass::optimizer, 1, device)) == Approx(500500 * 20 / 80e9 / microsecond + 1));
  const CostModel fp64(one_microsecond(), Precision::fp64, OptimizerKind::sgd);
  CHECK_THROWS_AS(fp64.roofline(dense, Pass::forward, 1, device), Infeasible);
}

TEST_CASE("A flatten takes no time and a device of unknown bandwidth is judged by its FLOPs") {
  const CostModel model(one_microsecond(), Precision::fp32, OptimizerKind::sgd);
  Layer flatten;
  flatten.kind = LayerKind::flatten;
  flatten.in = {4, 4, 2};
  flatten.out = {1, 1, 32};
  Device device = device_of("gpu");
  CHECK(model.roofline(flatten, Pass::forward, 8, device).value() == 0.0);
  device.memory_bandwidth = BytesPerSecond(0);
  CHECK(micros(model.roofline(small_perceptron().layers[0], Pass::forward, 1, device)) == Approx(2 + 1));
}

TEST_CASE("Replay on the host gives the measured time, linear between batches") {
  const CostModel model = replay();
  const LayerGraph graph = small_perceptron();
  const Device host = device_of("host");
  const auto at = [&](std::size_t layer, Pass pass, double samples) {
    return micros(model.time(graph.layers[layer], pass, samples, host));
  };
  CHECK(at(0, Pass::forward, 8) == Approx(80));
  CHECK(at(0, Pass::forward, 20) == Approx(140));
  CHECK(at(0, Pass::forward, 32) == Approx(200));
  CHECK(at(0, Pass::forward, 2) == Approx(50));  // along the line: 40 + 5 per sample
  CHECK(at(0, Pass::forward, 64) == Approx(360));
  CHECK(at(0, Pass::backward, 8) == Approx(160));  // one batch measured: in proportion
  CHECK(at(0, Pass::optimizer, 8) == Approx(60));  // the median, whatever the batch
  CHECK(at(1, Pass::optimizer, 8) == 0.0);
  CHECK(at(1, Pass::forward, 4) == Approx(5));    // the line says -5; in proportion it is 5
  CHECK(at(3, Pass::forward, 64) == Approx(90));  // the line falls; never below the largest batch
}

TEST_CASE("Replay on another device scales by the rooflines and adds the kernel overhead") {
  const CostModel model = replay();
  const LayerGraph graph = small_perceptron();
  const Device twice = device_of("gpu", 2.0);
  CHECK(micros(model.time(graph.layers[0], Pass::forward, 20, twice)) == Approx(70 + 1));
  CHECK(micros(model.time(graph.layers[0], Pass::optimizer, 20, twice)) == Approx(30 + 1));
  // Half the columns: at 8 samples the host moves 4 (8 x 1500 + 500,000) bytes, half the columns 4 (8 x 1250 +
  // 250,000).
  CHECK(micros(model.time(graph.layers[0], Pass::forward, 8, device_of("host"), {0.5, 1.0})) ==
        Approx(80.0 * 260000 / 512000));
}

TEST_CASE("Replay in a narrower precision compares with the host's fp32, in which it was measured") {
  const CostModel model(one_microsecond(), Precision::bf16, OptimizerKind::sgd, recorded(), device_of("host"), 2);
  // 2000 samples are bound by products on both: 0.5e12 against 2e12 FLOP/s.
  const double measured = 80.0 + 5.0 * (2000 - 8);
  CHECK(micros(model.time(small_perceptron().layers[0], Pass::forward, 2000, device_of("gpu"))) ==
        Approx(measured / 4 + 1));
}

TEST_CASE("What a profile lacks is named with layer and network") {
  const CostModel model = replay();
  const LayerGraph graph = small_perceptron();
  CHECK(message([&] { (void)model.time(graph.layers[2], Pass::backward, 8, device_of("host")); }) ==
        "workload.profile: the profile of network \"small\" lacks the backward pass of layer \"dense2\" with 2 threads "
        "(replay needs the time of every layer) - record it again with `orrery profile small`, or use compute = "
        "\"roofline\"");
  CHECK(
      message([] {
        (void)CostModel(one_microsecond(), Precision::fp32, OptimizerKind::sgd, recorded(), device_of("host"), 4);
      }) ==
      "workload.profile: the profile of network \"small\" has no rows with 4 threads (recorded threads: 1, 2) - choose "
      "one of them, or record with `orrery profile small --threads 4`");
  Device blind = device_of("host");
  blind.memory_bandwidth = BytesPerSecond(0);
  CHECK(
      message([&] { (void)CostModel(one_microsecond(), Precision::fp32, OptimizerKind::sgd, recorded(), blind, 2); }) ==
      "workload.host: the memory bandwidth of device \"host\" is unknown (replay scales layers that are bound by "
      "memory by it) - measure it with `orrery profile --device`");
}

TEST_CASE("More work never takes less, a faster device never longer, on every layer of every network") {
  const CostModel model(one_microsecond(), Precision::bf16, OptimizerKind::adam);
  const Device device = device_of("gpu"), faster = device_of("faster", 1.7);
  for (const std::string& name : network_names()) {
    const LayerGraph graph = load_network(name);
    for (const Layer& layer : graph.layers) {
      CAPTURE(name, layer.name);
      for (const Pass pass : {Pass::forward, Pass::backward, Pass::optimizer}) {
        const Seconds few = model.roofline(layer, pass, 3.5, device);
        CHECK(few <= model.roofline(layer, pass, 7, device));
        CHECK(model.roofline(layer, pass, 3.5, device, {0.25, 1.0}) <= few);
        CHECK(model.roofline(layer, pass, 3.5, faster) <= few);
        CHECK(few.value() >= 0.0);
      }
    }
  }
}

}  // namespace
}  // namespace orrery
