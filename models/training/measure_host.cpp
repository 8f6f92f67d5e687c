#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <experimental/simd>

#include "models/kernels/aligned_vector.hpp"
#include "models/kernels/gemm.hpp"
#include "models/kernels/parallel.hpp"
#include "models/training/host.hpp"
#include "models/training/profiler.hpp"
#include "sim/base/contract.hpp"

namespace orrery {
namespace {

using Lanes = std::experimental::native_simd<float>;

/// Best rate of a few tries: others may disturb a try, nothing can make it faster than the machine. work(thread) runs
/// on all threads at once and does `amount` in each.
double best_rate(std::size_t threads, int tries, double amount, const std::function<void(std::size_t)>& work) {
  double best = 0;
  for (int i = 0; i < tries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    for_each_task(threads, threads, [&](std::size_t thread, std::size_t) { work(thread); });
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    best = std::max(best, amount * static_cast<double>(threads) / elapsed.count());
  }
  return best;
}

// Enough independent chains to hide the latency of a multiply-add on two pipes, few enough for 16 registers.
constexpr std::size_t chains = 12;

float multiply_add(std::int64_t rounds) {
  std::array<Lanes, chains> sums;
  for (std::size_t i = 0; i < chains; ++i) sums[i] = static_cast<float>(i);
  // Converges to 1: neither overflow nor denormals.
  const Lanes factor = 0.999F, term = 0.001F;
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (Lanes& sum : sums) sum = sum * factor + term;
  }
  Lanes all = 0.0F;
  for (const Lanes& sum : sums) all += sum;
  return std::experimental::reduce(all);
}

FlopsPerSecond measure_peak(std::size_t threads) {
  constexpr std::int64_t rounds = 4'000'000;
  const double flops = 2.0 * rounds * chains * static_cast<double>(Lanes::size());
  std::vector<float> results(threads);  // used, so that the loop is not removed
  const double rate = best_rate(threads, 5, flops, [&](std::size_t thread) { results[thread] = multiply_add(rounds); });
  for (const float result : results) ORRERY_EXPECT(result > 0.0F);
  return FlopsPerSecond(rate);
}

FlopsPerSecond measure_gemm(std::size_t threads) {
  constexpr std::int64_t size = 1024;
  constexpr std::size_t numbers = size * size;
  std::vector<AlignedVector> left(threads), right(threads), result(threads);
  for (std::size_t thread = 0; thread < threads; ++thread) {
    left[thread].assign(numbers, 0.5F);
    right[thread].assign(numbers, 0.25F);
    result[thread].assign(numbers, 0.0F);
  }
  const double rate = best_rate(threads, 8, 2.0 * size * size * size, [&](std::size_t thread) {
    gemm({.rows = size, .columns = size, .inner = size}, left[thread].data(), right[thread].data(),
         result[thread].data());
  });
  return FlopsPerSecond(rate);
}

double memory_bytes() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

// The update of plain SGD, w -= rate g, over two arrays that together are twice the last cache, but at least 64 MiB and
// at most 1 GiB and an eighth of the memory.
BytesPerSecond measure_bandwidth(std::size_t threads) {
  const double cache = std::max(0.0, static_cast<double>(sysconf(_SC_LEVEL3_CACHE_SIZE)));
  const double bytes = std::min({std::max(64 * mebi, 2 * cache), gibi, memory_bytes() / 8});
  const std::size_t numbers = static_cast<std::size_t>(bytes) / (2 * sizeof(float)) / threads;
  std::vector<AlignedVector> weights(threads), gradients(threads);
  for_each_task(threads, threads, [&](std::size_t thread, std::size_t) {
    weights[thread].assign(numbers, 1.0F);
    gradients[thread].assign(numbers, 1e-3F);
  });
  constexpr double bytes_per_number = 12;  // read w and g, write w
  const double moved = bytes_per_number * static_cast<double>(numbers);
  return BytesPerSecond(best_rate(threads, 4, moved, [&](std::size_t thread) {
    float* __restrict weight = weights[thread].data();
    const float* __restrict gradient = gradients[thread].data();
    for (std::size_t i = 0; i < numbers; ++i) weight[i] -= 0.01F * gradient[i];
  }));
}

}  // namespace

Device measure_host(int threads) {
  ORRERY_EXPECT(threads > 0);
  const auto count = static_cast<std::size_t>(threads);
  Device device;
  device.id = "host";
  device.name = fmt::format("{} ({} of {} cores)", processor_name(), threads, logical_cores());
  device.kind = "host";
  const FlopsPerSecond peak = measure_peak(count);
  device.peak[static_cast<std::size_t>(Precision::fp32)] = peak;
  device.gemm_fraction = std::min(1.0, measure_gemm(count).value() / peak.value());
  device.memory = Bytes(memory_bytes());
  device.memory_bandwidth = measure_bandwidth(count);
  const HostPower power = assumed_host_power(threads);
  device.idle = power.idle;
  device.typical = power.typical;
  device.maximum = power.maximum;
  device.source = fmt::format("measured by orrery profile --device, {}, products by {}", simd_level(), gemm_backend());
  device.assumed = "idle_W;typical_W;maximum_W";
  device.notes = "powers per core as of a Xeon Platinum 8480+";
  return device;
}

std::string host_csv(const Device& device) {
  return device_csv(device);
}

}  // namespace orrery
