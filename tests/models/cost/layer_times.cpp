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

TEST_CASE("the host's calls stand beside what the device takes") {
  FrameworkProfile software;
  software.host_forward_us = Ranged(1000), software.host_backward_us = Ranged(10);
  const LayerTimes alone = priced({}, {32}), both = priced(software, {32});
  CHECK(both.of(Pass::forward) == alone.of(Pass::forward));
  CHECK(both.of(Pass::backward) == alone.of(Pass::backward));
  const std::vector<Seconds>&forward = of(both.host, Pass::forward), &backward = of(both.host, Pass::backward);
  CHECK(micros(forward[0]) == Approx(1000));  // one product
  CHECK(micros(forward[1]) == Approx(1000));
  CHECK(micros(backward[0]) == Approx(3 * 10));  // two products, the bias' sum
  CHECK(micros(of(both.launches, Pass::forward)[0]) == Approx(1));
  CHECK(micros(of(both.launches, Pass::forward)[1]) == Approx(2));
}

TEST_CASE("a pass takes the longer of device and host, of a part of the layers by those") {
  FrameworkProfile software;
  software.host_forward_us = Ranged(1000), software.host_microbatch_ms = Ranged(8);
  const LayerTimes times = priced(software, {32});
  const double device = sum(times.of(Pass::forward)), back = sum(times.of(Pass::backward));
  const double calls = sum(of(times.host, Pass::forward)) / 1000;
  CHECK(calls == Approx(std::round(calls)));
  CHECK(calls >= 4);  // dense 1, relu 1, dense 1, and the kernels of the loss
  const std::size_t layers = times.of(Pass::forward).size();
  const ProcessTimes whole = process_times(times, 0, layers, {});
  CHECK(micros(whole.forward) == Approx(device));
  CHECK(micros(whole.forward + whole.late_forward) == Approx(calls * 1000 + 4000));  // half of 8 ms in each pass
  CHECK(micros(whole.backward + whole.late_backward) == Approx(4000));
  CHECK(micros(whole.backward) == Approx(back));
  // Two stages have a host each: the first starts two kernels, and has 4 ms of its own in each pass.
  const ProcessTimes first = process_times(times, 0, 2, {});
  CHECK(micros(first.forward + first.late_forward) == Approx(2 * 1000 + 4000));
  CHECK(micros(first.backward + first.late_backward) == Approx(4000));
  // Recomputation: the host starts the kernels of the forward pass again, the backward pass being its own.
  std::vector<bool> again(layers, false);
  again[0] = again[1] = true;
  const ProcessTimes twice = process_times(times, 0, layers, again);
  CHECK(twice.again == times.of(Pass::forward)[0] + times.of(Pass::forward)[1]);
  CHECK(micros(twice.again + twice.backward + twice.late_backward) == Approx(2 * 1000 + 4000));
  CHECK(micros(twice.forward + twice.late_forward) == Approx(calls * 1000 + 4000));
  software.host_forward_us = Ranged(device / calls / 2), software.host_microbatch_ms = Ranged(0);  // hidden whole
  CHECK(process_times(priced(software, {32}), 0, layers, {}).late_forward == Seconds());
}

TEST_CASE("what a host is ahead after the passes it uses for the update, and works between steps besides") {
  FrameworkProfile software;
  software.host_sample_us = Ranged(100);  // 32 samples in two passes: 6.4 ms
  const auto process = [&] {
    const LayerTimes times = priced(software, {32, 2});
    return process_times(times, 0, times.of(Pass::forward).size(), {});
  };
  const double passes = sum(priced({}, {32}).of(Pass::forward)) + sum(priced({}, {32}).of(Pass::backward));
  CHECK(micros(process().update + process().late_update) == Approx(6400 - passes));
  software.host_sample_us = Ranged(1);
  CHECK(process().late_update == Seconds());
  CHECK(micros(process().update) == Approx(sum(priced({}, {32}).of(Pass::optimizer))));
  software.host_iteration_ms = Ranged(3);
  CHECK(micros(process().late_update) == Approx(3000));
  // A host that the forward pass waits for is not ahead by what the backward pass gives it less than it lost.
  software.host_sample_us = Ranged(100), software.host_iteration_ms = Ranged(0), software.host_forward_us = Ranged(1e5);
  CHECK(micros(process().update + process().late_update) == Approx(6400 - sum(priced({}, {32}).of(Pass::backward))));
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
