// Rows made with known constants: the fit must give them back.
#include "analysis/validation/fit_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "analysis/validation/fit_trace.hpp"
#include "models/cost/operators.hpp"
#include "models/layouts/block_price.hpp"
#include "sim/collectives/library.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

const ValidationTables& tables() {
  static const ValidationTables read = read_validation_tables();
  return read;
}

std::vector<MeasuredRow> rows_of(const std::string& text) {
  Problems problems;
  std::vector<MeasuredRow> rows = parse_measured_rows(
      "id,model,device,devices,devices_per_node,intra_link,metric,value,unit\n" + text, "rows.csv", problems);
  problems.throw_if_any();
  return rows;
}

double found(const RowsToFit& fit, const FitResult& result, const std::string& constant) {
  for (std::size_t i = 0; i < result.constants.size(); ++i) {
    if (fit.problem.parameters[i].constant == constant) return result.constants[i].value;
  }
  FAIL("no constant " + constant);
  return 0;
}

Operator square(double side, double inner) {
  Operator op;
  op.kind = Operator::Kind::product;
  op.m = op.n = side;
  op.k = inner;
  op.bytes = 2 * (2 * side * inner + side * side);
  return op;
}

/// An A100 that reaches 0.7 of its peak and half of that at K = 200.
DeviceLaw made_up_law(const Device& device) {
  DeviceLaw law = tables().device_laws.of(device);
  law.gemm_share = Ranged(0.7);
  law.gemm_k0 = Ranged(200);
  return law;
}

TEST_CASE("Rates of products give back the device's constants that they were made with") {
  const Device& device = *tables().catalogue.device("a100-sxm-80");
  std::string text;
  int id = 0;
  for (const double side : {2048.0, 4096.0, 8192.0}) {
    for (const double inner : {256.0, 1024.0, 4096.0}) {
      const Operator op = square(side, inner);
      const Seconds time = operator_time(op, device, made_up_law(device), Precision::fp16);
      text += fmt::format("T-{},GEMM m{} n{} k{},A100-80GB-SXM fp16,1,,,gemm_tflops,{},TFLOP/s\n", ++id, side, side,
                          inner, flops_of(op).value() / time.value() / tera);
    }
  }
  const RowsToFit fit = problem_of_rows(rows_of(text), tables(), {FitTarget::Kind::device, "a100-sxm-80"}, {});
  REQUIRE(fit.problem.rows.size() == 9);
  const FitResult result = fit_constants(fit.problem, {3, 1});
  CHECK(found(fit, result, "gemm_share") == Approx(0.7).epsilon(0.01));
  CHECK(found(fit, result, "gemm_k0") == Approx(200).epsilon(0.01));
  CHECK(result.error_held_out < 0.01);
  CHECK(result.error_before > 0.05);
}

TEST_CASE("Products of a trace give back the constants that they were made with") {
  const Device& device = *tables().catalogue.device("a100-sxm-80");
  std::vector<TracedProduct> products;
  for (const double inner : {128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0}) {
    const Operator op = square(4096, inner);
    products.push_back({fmt::format("mm {}", inner), op, Precision::bf16,
                        operator_time(op, device, made_up_law(device), Precision::bf16), 1});
  }
  const RowsToFit fit = problem_of_products(products, tables(), {FitTarget::Kind::device, "a100-sxm-80"}, {});
  const FitResult result = fit_constants(fit.problem, {3, 1});
  CHECK(found(fit, result, "gemm_share") == Approx(0.7).epsilon(0.01));
  CHECK(found(fit, result, "gemm_k0") == Approx(200).epsilon(0.01));
}

TEST_CASE("Times of collectives give back the link's constants that they were made with") {
  const Link& link = *tables().catalogue.link("nvswitch2");
  TrainingJob job;
  job.cluster.device = *tables().catalogue.device("a100-sxm-80");
  job.cluster.nodes = 1;
  job.cluster.devices_per_node = 8;
  job.cluster.node_link = link;
  job.node_law = tables().fabric_laws.of(link);
  job.node_law.bus_GBps = Ranged(200);
  job.node_law.base_us = Ranged(50);
  std::string text;
  for (int i = 0; i < 8; ++i) {
    const double bytes = 1048576.0 * (1 << (2 * i));
    const Paths paths = paths_of(job);
    const Seconds time =
        library_cost(CollectiveKind::all_reduce, {8, 8}, Bytes(bytes), paths.node, paths.network).total();
    text += fmt::format("T-{},all_reduce {} B,A100-80GB-SXM,8,8,NVLink3+NVSwitch 600GB/s,time,{},us\n", i, bytes,
                        time.value() / micro);
  }
  const RowsToFit fit =
      problem_of_rows(rows_of(text), tables(), {FitTarget::Kind::link, "nvswitch2"}, {"bus_GBps", "base_us"});
  REQUIRE(fit.problem.rows.size() == 8);
  const FitResult result = fit_constants(fit.problem, {4, 1});
  CHECK(found(fit, result, "bus_GBps") == Approx(200).epsilon(0.01));
  CHECK(found(fit, result, "base_us") == Approx(50).epsilon(0.01));
}

std::string refusal(const std::string& text, const FitTarget& target, const std::vector<std::string>& constants) {
  try {
    (void)problem_of_rows(rows_of(text), tables(), target, constants);
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return {};
}

TEST_CASE("Constants of the precision that the rows name, however they spell it") {
  const auto constants = [](const std::string& device) {
    const std::string row = "GEMM m1024 n1024 k1024," + device + ",1,,,gemm_tflops,100,TFLOP/s\n";
    const RowsToFit fit =
        problem_of_rows(rows_of("T-1," + row + "T-2," + row), tables(), {FitTarget::Kind::device, "h100-sxm"}, {});
    return fit.problem.parameters.front().constant;
  };
  CHECK(constants("H100-80GB-SXM half") == "gemm_share");
  CHECK(constants("H100-80GB-SXM float8") == "gemm_share_fp8");
  CHECK(constants("H100-80GB-SXM float32") == "gemm_share_tf32");
}

TEST_CASE("What cannot be fitted is told with what could") {
  const std::string row = "T-1,GEMM m1024 n1024 k1024,A100-80GB-SXM fp16,1,,,gemm_tflops,100,TFLOP/s\n";
  CHECK(refusal(row, {FitTarget::Kind::device, "a100-sxm-8"}, {}) ==
        "unknown device \"a100-sxm-8\" - did you mean \"a100-sxm-80\"?");
  CHECK(refusal(row, {FitTarget::Kind::device, "a100-sxm-80"}, {"gemm_shar"}) ==
        "unknown constant \"gemm_shar\" of a device - did you mean \"gemm_share\"?");
  CHECK(refusal(row, {FitTarget::Kind::device, "h100-sxm"}, {}) ==
        "no row tells anything of device \"h100-sxm\" - the rows tell of a100-sxm-80");
  CHECK(refusal("T-1,ResNet-50,A100,8,8,,avg_gpu_power,100,W\n", {FitTarget::Kind::device, "h100-sxm"}, {}) ==
        "no row tells anything of device \"h100-sxm\" (none has a metric that depends on it) - a device is told by "
        "gemm_tflops, a link by time, busbw or algbw, a framework by times and rates of steps");
  const std::string exchange = "T-1,all_reduce 1 GiB,A100-80GB-SXM,8,8,NVLink3+NVSwitch 600GB/s,busbw,229,GB/s\n";
  CHECK(refusal(exchange, {FitTarget::Kind::link, "nvlink3"}, {}) ==
        "no row tells anything of link \"nvlink3\" - the rows tell of nvswitch2");
}

}  // namespace
}  // namespace orrery
