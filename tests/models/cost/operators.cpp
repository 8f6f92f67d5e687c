// Kernels of layers counted by hand, and the two laws against published rates.
#include "models/cost/operators.hpp"

#include <cmath>
#include <numeric>

#include "models/cost/layer_cost.hpp"
#include "sim/base/files.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

Layer layer_of(LayerKind kind, Shape in, Shape out) {
  Layer layer;
  layer.id = LayerId(0);
  layer.kind = kind;
  layer.in = in;
  layer.out = out;
  return layer;
}

Device a100() {
  Device device;
  device.id = "a100-sxm-80";
  device.kind = "gpu";
  device.year = 2020;
  device.peak[static_cast<std::size_t>(Precision::fp16)] = FlopsPerSecond(312e12);
  device.memory_bandwidth = BytesPerSecond(2.039e12);
  return device;
}

DeviceLaw a100_law() {
  Problems problems;
  DeviceLaw law = DeviceLaws::read(data_directory() / "topologies" / "catalogue", problems).of(a100());
  problems.throw_if_any();
  return law;
}

Operator product(double m, double n, double k, double count = 1) {
  Operator op;
  op.kind = Operator::Kind::product;
  op.m = m, op.n = n, op.k = k, op.count = count;
  op.bytes = 2.0 * count * (m * k + k * n + m * n);
  return op;
}

double milliseconds(const Operator& op) {
  return operator_time(op, a100(), a100_law(), Precision::fp16).value() * 1e3;
}

double flops(const std::vector<Operator>& operators) {
  return std::accumulate(operators.begin(), operators.end(), 0.0,
                         [](double sum, const Operator& op) { return sum + flops_of(op).value(); });
}

double streamed(const std::vector<Operator>& operators) {
  return std::accumulate(operators.begin(), operators.end(), 0.0, [](double sum, const Operator& op) {
    return op.kind == Operator::Kind::streaming ? sum + op.bytes : sum;
  });
}

TEST_CASE("Products on an A100 take what was published, and what the law says by hand") {
  // 8192^3: 1,024 tiles of 256 x 128 each 2 x 256 x 128 x (8192 + 340) FLOPs at .845 x 312 / 108 TFLOP/s, and a launch.
  const double by_hand = 2048.0 / 108 * 2 * 256 * 128 * (8192 + 340) / (0.845 * 312e12 / 108) + 6e-6;
  CHECK(milliseconds(product(8192, 8192, 8192)) == Approx(by_hand * 1e3));
  CHECK(2 * std::pow(8192.0, 3) / milliseconds(product(8192, 8192, 8192)) * 1e-9 == Approx(253.7).epsilon(0.01));
  CHECK(2 * std::pow(1024.0, 3) / milliseconds(product(1024, 1024, 1024)) * 1e-9 == Approx(119.4).epsilon(0.03));
  CHECK(milliseconds(product(2048, 4608, 12288)) == Approx(0.910).epsilon(0.01));    // QKV of GPT-3 over 8
  CHECK(milliseconds(product(8192, 6144, 768)) == Approx(0.429).epsilon(0.01));      // projection of 22B over 8
  CHECK(milliseconds(product(2048, 2048, 128, 12)) == Approx(0.185).epsilon(0.01));  // scores of 12 heads
}

TEST_CASE("A product is never faster than its bytes, nor than its launch") {
  const double bytes = 2.0 * (1 * 8192.0 + 8192.0 * 8192.0 + 8192.0);
  CHECK(milliseconds(product(1, 8192, 8192)) >= bytes / (0.88 * 2.039e12) * 1e3);
  CHECK(milliseconds(product(1, 1, 1)) >= 6e-3);
}

TEST_CASE("Without a number of multiprocessors products follow K / (K + k0)") {
  DeviceLaw law = a100_law();
  law.multiprocessors = 0;
  const Operator op = product(4096, 4096, 1000);
  const double seconds = operator_time(op, a100(), law, Precision::fp16).value();
  CHECK(seconds == Approx(flops_of(op).value() * (1000 + 340) / 1000 / (0.845 * 312e12) + 6e-6));
}

TEST_CASE("Larger products take longer, whatever the dimension that grows") {
  for (const double size : {64.0, 109.0, 185.0, 314.0, 535.0, 909.0, 1545.0, 2627.0, 4465.0}) {
    const double now = milliseconds(product(size, size, size));
    CHECK(milliseconds(product(2 * size, size, size)) >= now);
    CHECK(milliseconds(product(size, 2 * size, size)) >= now);
    CHECK(milliseconds(product(size, size, 2 * size)) >= now);
  }
}

TEST_CASE("A dense layer is one product forward, two backward, and the sum of its bias") {
  Layer dense = layer_of(LayerKind::dense, {10, 1, 64}, {10, 1, 32});
  OperatorShare share;
  share.samples = 4;
  const LayerOperators whole = operators_of(dense, share, Precision::fp16);
  REQUIRE(whole.forward.size() == 1);
  CHECK(flops(whole.forward) == 2.0 * 40 * 64 * 32);
  CHECK(flops(whole.backward_input) == 2.0 * 40 * 64 * 32);
  CHECK(flops(whole.backward_weights) == 2.0 * 40 * 64 * 32);
  CHECK(streamed(whole.backward_weights) == 2.0 * 40 * 32);
  dense.frozen = true;
  CHECK(operators_of(dense, share, Precision::fp16).backward_weights.empty());
  share.input = 0.5;
  dense.frozen = false;
  const LayerOperators rows = operators_of(dense, share, Precision::fp16);
  CHECK(rows.forward[0].k == 32);
  CHECK(streamed(rows.backward_weights) == 0);  // added with the residual sum
}

TEST_CASE("Attention apart and as one kernel") {
  Layer attention = layer_of(LayerKind::attention, {128, 1, 3 * 64}, {128, 1, 64});
  attention.heads = attention.kv_heads = 4;
  OperatorShare share;
  share.samples = 2;
  const LayerOperators apart = operators_of(attention, share, Precision::fp16);
  CHECK(apart.is_attention_core);
  CHECK(flops(apart.forward) == 2 * 4 * 2 * 2.0 * 128 * 128 * 16);
  CHECK(flops(apart.backward_input) == 2 * flops(apart.forward));
  CHECK(streamed(apart.forward) == 2.0 * 4 * (4 * 128 * 128 + 4 * 128 * 16));
  attention.rate = 0.1;
  CHECK(streamed(operators_of(attention, share, Precision::fp16).forward) == 2.0 * 4 * (9 * 128 * 128 + 4 * 128 * 16));
  share.attention = AttentionKernel::flash;
  const LayerOperators fused = operators_of(attention, share, Precision::fp16);
  CHECK(fused.forward.size() == 1);
  CHECK(flops(fused.forward) == flops(apart.forward));
  CHECK(flops(fused.backward_input) == 2.5 * flops(fused.forward));
  attention.causal = true;
  CHECK(flops(operators_of(attention, share, Precision::fp16).forward) == 0.5 * flops(fused.forward));
}

TEST_CASE("Queries of the last tokens see a memory, and score it by distances, too") {
  Layer attention = layer_of(LayerKind::attention, {96, 1, 3 * 64}, {32, 1, 64});
  attention.heads = attention.kv_heads = 4;
  attention.queries = 32;
  OperatorShare share;
  share.samples = 2;
  const double one_product = 2.0 * 2 * 4 * 32 * 96 * 16;
  CHECK(flops(operators_of(attention, share, Precision::fp16).forward) == 2 * one_product);
  share.attention = AttentionKernel::flash;
  attention.causal = true;  // the last 32 of 96 see 80.5 on the mean; half of a key is left out
  CHECK(flops(operators_of(attention, share, Precision::fp16).forward) == 2 * one_product * 80 / 96);
  share.attention = AttentionKernel::unfused;
  attention.distance_size = 24;
  const LayerOperators by_distance = operators_of(attention, share, Precision::fp16);
  const double keys_of_distances = 2.0 * 96 * 64 * 24;  // once for both samples
  CHECK(flops(by_distance.forward) == 3 * one_product + keys_of_distances);
  CHECK(flops(by_distance.backward_input) == 6 * one_product);
  CHECK(flops(by_distance.backward_weights) == keys_of_distances);
  CHECK(layer_cost(attention).forward.value() * share.samples == 3 * one_product);
  CHECK(weights(attention) == 24 * 64);
}

TEST_CASE("Memory is copied before the tokens, and kept") {
  Layer memory = layer_of(LayerKind::memory, {32, 1, 64}, {96, 1, 64});
  memory.memory_tokens = 64;
  const LayerOperators copied = operators_of(memory, OperatorShare{}, Precision::fp16);
  CHECK(streamed(copied.forward) == 4.0 * 96 * 64);  // read and written, 2 bytes each
  CHECK(layer_cost(memory).stored_numbers == 64.0 * 64);
}

TEST_CASE("A convolution is an implicit product, a depthwise one moves its numbers") {
  Layer convolution = layer_of(LayerKind::convolution, {8, 8, 16}, {8, 8, 32});
  convolution.kernel = 3, convolution.padding = 1;
  OperatorShare share;
  share.samples = 4;
  const LayerOperators whole = operators_of(convolution, share, Precision::fp16);
  CHECK(flops(whole.forward) == 2.0 * 4 * 64 * 9 * 16 * 32);
  CHECK(flops(whole.backward_input) == flops(whole.forward));
  CHECK(flops(whole.backward_weights) == flops(whole.forward));
  Layer depthwise = layer_of(LayerKind::convolution, {8, 8, 16}, {8, 8, 16});
  depthwise.kernel = 3, depthwise.padding = 1, depthwise.groups = 16;
  CHECK(streamed(operators_of(depthwise, share, Precision::fp16).forward) == 4.0 * 2 * (1024 + 1024));
}

TEST_CASE(
    "A transposed convolution works on the pixels it reads, a frozen recurrent layer has no gradients of weights") {
  Layer up = layer_of(LayerKind::transposed_convolution, {4, 4, 16}, {8, 8, 8});
  up.kernel = 2, up.stride = 2;
  CHECK(flops(operators_of(up, {}, Precision::fp16).forward) == layer_cost(up).forward.value());
  Layer lstm = layer_of(LayerKind::lstm, {5, 1, 12}, {5, 1, 8});
  CHECK_FALSE(operators_of(lstm, {}, Precision::fp16).backward_weights.empty());
  lstm.frozen = true;
  CHECK(operators_of(lstm, {}, Precision::fp16).backward_weights.empty());
}

TEST_CASE("Experts work on the visits they get") {
  Layer experts = layer_of(LayerKind::mixture_of_experts, {64, 1, 32}, {64, 1, 32});
  experts.experts = 8, experts.experts_per_token = 2, experts.expert_units = 16, experts.gated = true;
  OperatorShare share;
  share.experts = 4, share.expert_visits = 128;
  const LayerOperators here = operators_of(experts, share, Precision::bf16);
  CHECK(flops(here.forward) == 2.0 * 64 * 32 * 8 + 2.0 * 128 * 32 * 32 + 2.0 * 128 * 16 * 32);
  // Into the order of the experts and back, the gate between: 4, 4 and 6 bytes a number.
  CHECK(streamed(here.forward) == 2 * 4.0 * 128 * 32 + 6.0 * 128 * 16);
  share.reorders = 2;
  CHECK(streamed(operators_of(experts, share, Precision::bf16).forward) == 4 * 4.0 * 128 * 32 + 6.0 * 128 * 16);
}

TEST_CASE("Fused attention of a narrow window takes as long as its queries, keys, values and outputs through memory") {
  Layer attention = layer_of(LayerKind::attention, {128, 1, (4 + 2 + 2) * 16}, {128, 1, 64});
  attention.heads = 4, attention.kv_heads = 2, attention.causal = true, attention.window = 1;
  OperatorShare share;
  share.samples = 2, share.attention = AttentionKernel::flash;
  const LayerOperators narrow = operators_of(attention, share, Precision::bf16);
  const double bytes = 2.0 * 2 * 128 * (4 + 2) * (16 + 16);
  CHECK(narrow.forward[0].bytes == bytes);
  CHECK(narrow.backward_input[0].bytes == 2 * bytes);
  DeviceLaw law;
  law.memory_share = Ranged(0.5), law.kernel_launch_us = Ranged(4), law.attention_forward_share = Ranged(1);
  CHECK(operator_time(narrow.forward[0], a100(), law, Precision::bf16).value() ==
        Approx(4e-6 + bytes / (0.5 * 2.039e12)));
}

TEST_CASE("Streaming kernels take their launch and their bytes, fp32 numbers are twice as wide") {
  const Layer norm = layer_of(LayerKind::layer_norm, {100, 1, 64}, {100, 1, 64});
  const LayerOperators half = operators_of(norm, {}, Precision::fp16), whole = operators_of(norm, {}, Precision::fp32);
  CHECK(streamed(half.forward) == 4.0 * 6400);
  CHECK(streamed(half.backward_input) == 10.0 * 6400);
  CHECK(streamed(whole.forward) == 8.0 * 6400);
  CHECK(milliseconds(half.forward[0]) == Approx((4e-6 + 25600 / (0.88 * 2.039e12)) * 1e3));
}

TEST_CASE(
    "Without matrix units less of a product's time is spent on ends of tiles, convolutions have a share of their own") {
  Device v100 = a100();
  v100.peak[static_cast<std::size_t>(Precision::fp16)] = FlopsPerSecond(125e12);
  v100.peak[static_cast<std::size_t>(Precision::tf32)] = FlopsPerSecond(62.5e12);
  v100.peak[static_cast<std::size_t>(Precision::fp32)] = FlopsPerSecond(15.625e12);
  DeviceLaw law;
  law.gemm_share = Ranged(0.5), law.gemm_share_tf32 = Ranged(0.8), law.gemm_k0 = Ranged(100);
  law.convolution_share = Ranged(0.4), law.convolution_share_fp32 = Ranged(1.25), law.memory_share = Ranged(1);
  Operator op = product(4096, 4096, 100);
  const double flops = 2.0 * 4096 * 4096 * 100;
  const auto rate = [&](Precision precision) { return flops / operator_time(op, v100, law, precision).value(); };
  CHECK(rate(Precision::fp16) == Approx(0.5 * 125e12 / 2));        // k0 = K
  CHECK(rate(Precision::tf32) == Approx(0.8 * 62.5e12 / 2));       // twice the bytes at half the rate
  CHECK(rate(Precision::fp32) == Approx(0.8 * 15.625e12 / 1.25));  // twice the bytes at an eighth: k0 = 25
  op.kind = Operator::Kind::convolution;
  CHECK(rate(Precision::tf32) == Approx(0.4 * 62.5e12 / 2));
  CHECK(rate(Precision::fp32) == Approx(1.25 * 15.625e12 / 1.25));
  op.kind = Operator::Kind::dense_window, law.dense_window_gain = Ranged(1.5);
  CHECK(rate(Precision::fp32) == Approx(1.5 * 1.25 * 15.625e12 / 1.25));
  CHECK(rate(Precision::tf32) == Approx(0.4 * 62.5e12 / 2));
  CHECK(rate(Precision::fp16) == Approx(0.4 * 125e12 / 2));
}

TEST_CASE("a product in a format that the device has not takes what it takes in the one that does its work") {
  Device board = a100();
  board.peak = {};
  board.peak[static_cast<std::size_t>(Precision::fp32)] = FlopsPerSecond(48e9);
  DeviceLaw law;
  law.gemm_share = Ranged(0.7), law.gemm_share_fp8 = Ranged(0.2), law.gemm_share_tf32 = Ranged(0.5);
  law.convolution_share = Ranged(0.4), law.convolution_share_fp32 = Ranged(0.3), law.memory_share = Ranged(1);
  Operator op = product(4096, 4096, 100);
  const double flops = 2.0 * 4096 * 4096 * 100;
  const auto rate = [&](Precision precision) { return flops / operator_time(op, board, law, precision).value(); };
  for (const Precision precision : {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp8}) {
    CHECK(rate(precision) == Approx(0.5 * 48e9));
  }
  op.kind = Operator::Kind::convolution;
  CHECK(rate(Precision::tf32) == Approx(0.3 * 48e9));
  CHECK(rate(Precision::fp16) == Approx(0.3 * 48e9));
}

TEST_CASE("windows of 3 x 3 that move by one place, of one group, need fewer multiplications") {
  const auto kind_of = [](std::int64_t kernel, std::int64_t stride, std::int64_t groups) {
    Layer layer;
    layer.kind = LayerKind::convolution;
    layer.in = layer.out = {16, 16, 64};
    layer.kernel = kernel, layer.stride = stride, layer.groups = groups;
    return operators_of(layer, OperatorShare{}, Precision::fp32).forward.front().kind;
  };
  CHECK(kind_of(3, 1, 1) == Operator::Kind::dense_window);
  CHECK(kind_of(1, 1, 1) == Operator::Kind::convolution);
  CHECK(kind_of(3, 2, 1) == Operator::Kind::convolution);
  CHECK(kind_of(3, 1, 2) == Operator::Kind::convolution);
  CHECK(kind_of(5, 1, 1) == Operator::Kind::convolution);
}

}  // namespace
}  // namespace orrery
