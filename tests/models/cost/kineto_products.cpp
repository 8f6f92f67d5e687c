#include "models/cost/kineto_products.hpp"

#include <string>

#include "tests/catch.hpp"

namespace orrery {
namespace {

std::string product(const std::string& name, double duration, const std::string& dims, int external) {
  return R"({"ph":"X","cat":"cpu_op","name":")" + name + R"(","pid":1,"tid":1,"ts":0,"dur":)" +
         std::to_string(duration) + R"(,"args":{"External id":)" + std::to_string(external) + R"(,"Input Dims":)" +
         dims + R"(,"Input type":["c10::BFloat16","c10::BFloat16"]}})";
}

std::string kernel(double duration, int external) {
  return R"({"ph":"X","cat":"kernel","name":"gemm","pid":0,"tid":7,"ts":0,"dur":)" + std::to_string(duration) +
         R"(,"args":{"External id":)" + std::to_string(external) + "}}";
}

std::vector<TracedProduct> read(const std::string& events) {
  Problems problems;
  const Trace trace = parse_trace(R"({"traceEvents":[)" + events + "]}", "t.json", problems);
  std::vector<TracedProduct> products = traced_products(trace, "t.json", problems);
  problems.throw_if_any();
  return products;
}

std::string refusal(const std::string& events) {
  try {
    (void)read(events);
  } catch (const InvalidInput& invalid) {
    return invalid.what();
  }
  return {};
}

TEST_CASE("Products of a trace: shapes of their inputs, median time of the kernels they start") {
  const auto products =
      read(product("aten::mm", 900, "[[64,32],[32,16]]", 1) + "," + kernel(10, 1) + "," +
           product("aten::mm", 900, "[[64,32],[32,16]]", 2) + "," + kernel(30, 2) + "," +
           product("aten::mm", 900, "[[64,32],[32,16]]", 3) + "," + kernel(12, 3) + "," +
           product("aten::addmm", 900, "[[16],[8,4],[4,16]]", 4) + "," + kernel(2, 4) + "," + kernel(3, 4) + "," +
           product("aten::bmm", 900, "[[5,8,4],[5,4,16]]", 5) + "," + kernel(7, 5));
  REQUIRE(products.size() == 3);
  CHECK(products[0].name == "aten::mm 64 x 16 x 32 bf16");
  CHECK(products[0].calls == 3);
  CHECK(products[0].seconds.value() == Approx(12e-6));
  CHECK(products[0].precision == Precision::bf16);
  CHECK(products[0].op.m == 64);
  CHECK(products[0].op.n == 16);
  CHECK(products[0].op.k == 32);
  CHECK(products[0].op.bytes == 2 * (64 * 32 + 32 * 16 + 64 * 16));
  CHECK(products[1].name == "aten::addmm 8 x 16 x 4 bf16");
  CHECK(products[1].seconds.value() == Approx(5e-6));  // of both of its kernels
  CHECK(products[2].op.count == 5);
  CHECK(products[2].name == "aten::bmm 5 x 8 x 16 x 4 bf16");
}

TEST_CASE("On a machine without accelerator the operator's own time counts") {
  CHECK(read(product("aten::mm", 900, "[[64,32],[32,16]]", 1))[0].seconds.value() == Approx(900e-6));
}

TEST_CASE("A trace without products, or without their shapes, says what is missing") {
  CHECK(refusal(kernel(3, 1)) ==
        "t.json: has no matrix products (aten::mm, addmm, bmm or baddbmm are wanted) - record it with "
        "torch.profiler.profile(record_shapes=True) and export_chrome_trace()");
  CHECK(
      refusal(product("aten::mm", 9, "[]", 1)) ==
      "t.json: does not give the shapes of its matrix products (\"Input Dims\" and \"Input type\" are wanted) - record "
      "it with torch.profiler.profile(record_shapes=True) and export_chrome_trace()");
}

}  // namespace
}  // namespace orrery
