// A network on one device by its kernels, on a device with round figures.
#include <cmath>
#include <numeric>

#include "models/cost/cost_model.hpp"
#include "tests/catch.hpp"
#include "tests/models/small_networks.hpp"

namespace orrery {
namespace {

/// 1 TFLOP/s in fp32, half of it reached; 100 GB/s, 80 reached; a microsecond to launch a product, two for others.
Device lab_device() {
  Device device;
  device.id = "lab";
  for (const Precision precision : {Precision::fp32, Precision::fp16, Precision::bf16}) {
    device.peak[static_cast<std::size_t>(precision)] = FlopsPerSecond(1e12);
  }
  device.memory_bandwidth = BytesPerSecond(100e9);
  return device;
}

DeviceLaw lab_law() {
  DeviceLaw law;
  law.gemm_share = law.gemm_share_tf32 = Ranged(0.5);
  law.memory_share = Ranged(0.8);
  law.gemm_launch_us = Ranged(1), law.kernel_launch_us = Ranged(2);
  return law;
}

LayerTimes priced(const FrameworkProfile& framework, const DeviceWork& work,
                  OptimizerKind optimizer = OptimizerKind::sgd, Precision precision = Precision::fp32) {
  const Device device = lab_device();
  const DeviceLaw law = lab_law();
  return operator_times(small_perceptron(), {framework, precision, optimizer, device, law}, work);
}

double micros(Seconds seconds) {
  return seconds.value() / micro;
}

double sum(const std::vector<Seconds>& times) {
  return micros(std::accumulate(times.begin(), times.end(), Seconds()));
}

}  // namespace

TEST_CASE("kernels of a perceptron, by hand") {
  const LayerTimes times = priced({}, {32});
  const std::vector<Seconds>&forward = times.of(Pass::forward), &backward = times.of(Pass::backward);
  CHECK(micros(forward[0]) == Approx(64 + 1));                   // 2 x 32 x 1000 x 500 FLOP / 0.5e12
  CHECK(micros(forward[1]) == Approx(32 * 500 * 8 / 80e3 + 2));  // read and written in fp32
  // Bound by memory: 32 x 500 in, 500 x 10 weights, 32 x 10 out, of 4 bytes.
  CHECK(micros(forward[2]) == Approx(4 * (16000 + 5000 + 320) / 80e3 + 1));
  // Input's gradient, weights' gradient, and the bias' sum over 32 x 500 gradients.
  CHECK(micros(backward[0]) == Approx(2 * (64 + 1) + 32 * 500 * 4 / 80e3 + 2));
  CHECK(micros(times.of(Pass::optimizer)[0]) == Approx(500500 * 12 / 80e3));
  CHECK(micros(times.of(Pass::optimizer)[1]) == 0);
  // One sample is bound by the weights that it reads: 4 bytes of 1000 x 500, of 1000 in and of 500 out.
  CHECK(micros(priced({}, {1}).of(Pass::forward)[0]) == Approx(4 * (500000 + 1000 + 500) / 80e3 + 1));
}

TEST_CASE("a device waits for its host: each pass by its calls, the update by what is left") {
  const double device = sum(priced({}, {32}).of(Pass::forward)), back = sum(priced({}, {32}).of(Pass::backward));
  FrameworkProfile software;
  software.host_forward_us = Ranged(1000);
  const LayerTimes slow = priced(software, {32});
  // dense 1, relu 1, dense 1, and the kernels of the loss.
  const double calls = sum(slow.of(Pass::forward)) / 1000;
  CHECK(calls == Approx(std::round(calls)));
  CHECK(calls >= 4);
  CHECK(sum(slow.of(Pass::backward)) == Approx(back));
  // Shared out by what the layers take.
  CHECK(slow.of(Pass::forward)[0] / slow.of(Pass::forward)[1] ==
        Approx(priced({}, {32}).of(Pass::forward)[0] / priced({}, {32}).of(Pass::forward)[1]));
  software.host_forward_us = Ranged(device / calls / 2);  // hidden whole
  CHECK(sum(priced(software, {32}).of(Pass::forward)) == Approx(device));

  FrameworkProfile once;
  once.host_microbatch_ms = Ranged(8), once.host_iteration_ms = Ranged(3);
  const double update = sum(priced({}, {32}).of(Pass::optimizer));
  for (const int hosts : {1, 4}) {
    const LayerTimes times = priced(once, {32, 1, hosts});
    CHECK(sum(times.of(Pass::forward)) == Approx(4000 * hosts));  // half of it in each pass
    CHECK(sum(times.of(Pass::backward)) == Approx(4000 * hosts));
    CHECK(sum(times.of(Pass::optimizer)) == Approx(update + 3000 * hosts));
  }
}

TEST_CASE("what a host is ahead after the passes it uses for the update") {
  FrameworkProfile software;
  software.host_sample_us = Ranged(100);  // 32 samples in two passes: 6.4 ms
  const double passes = sum(priced({}, {32}).of(Pass::forward)) + sum(priced({}, {32}).of(Pass::backward));
  CHECK(sum(priced(software, {32, 2}).of(Pass::optimizer)) == Approx(6400 - passes));
  software.host_sample_us = Ranged(1);
  CHECK(sum(priced(software, {32, 2}).of(Pass::optimizer)) == Approx(sum(priced({}, {32}).of(Pass::optimizer))));
}

TEST_CASE("updates that are not fused start a kernel for every operation on every tensor") {
  FrameworkProfile software;
  software.host_update_us = Ranged(1e-9);
  const auto [operations, bytes] = unfused_update(OptimizerKind::adam);
  // Four tensors, weights and biases of two layers; two of them in the first.
  const LayerTimes times = priced(software, {32}, OptimizerKind::adam);
  CHECK(micros(times.of(Pass::optimizer)[0]) == Approx(500500 * bytes / 80e3 + 2 * operations * 2));
  CHECK(micros(times.of(Pass::optimizer)[2]) == Approx(5010 * bytes / 80e3 + 2 * operations * 2));
}

TEST_CASE("bf16 pays for sums of gradients that are kept apart, fp16 does not") {
  FrameworkProfile software;
  software.bf16_sum_bytes = Ranged(8);
  const auto backward = [&](const FrameworkProfile& framework, Precision precision) {
    return micros(priced(framework, {32}, OptimizerKind::adam, precision).of(Pass::backward)[0]);
  };
  CHECK(backward(software, Precision::bf16) - backward({}, Precision::bf16) == Approx(500500 * 8 / 80e3));
  CHECK(backward(software, Precision::fp16) == backward({}, Precision::fp16));
}

}  // namespace orrery
