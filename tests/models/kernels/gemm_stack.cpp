// Products by Eigen on threads of little stack.
#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/kernels/gemm_eigen.hpp"
#include "tests/catch.hpp"

namespace orrery {
namespace {

struct Work {
  Product product;
  std::vector<float> left, right, result;
};

void* multiply(void* argument) {
  Work& work = *static_cast<Work*>(argument);
  eigen_gemm(work.product, work.left.data(), work.right.data(), work.result.data());
  return nullptr;
}

/// Bytes of its stack that a thread changes while it multiplies.
std::ptrdiff_t stack_of(Work& work) {
  constexpr std::size_t page = 4096, size = 2048 * page;
  constexpr unsigned char untouched = 0xA5;
  std::vector<unsigned char> memory(size + page, untouched);
  unsigned char* stack = memory.data();
  while (reinterpret_cast<std::uintptr_t>(stack) % page != 0) ++stack;
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstack(&attributes, stack, size) == 0);
  pthread_t thread{};
  REQUIRE(pthread_create(&thread, &attributes, multiply, &work) == 0);
  REQUIRE(pthread_join(thread, nullptr) == 0);
  pthread_attr_destroy(&attributes);
  return stack + size - std::find_if(stack, stack + size, [](unsigned char byte) { return byte != untouched; });
}

TEST_CASE("a product takes less than half of the 2 MiB of stack that a thread may have") {
  for (const std::int64_t inner : {288, 400, 624, 680, 2000}) {
    for (const Operand left : {Operand::plain, Operand::transposed}) {
      Work work{{.rows = 1315, .columns = 307, .inner = inner, .left = left}, {}, {}, {}};
      work.left.assign(static_cast<std::size_t>(work.product.rows * inner), 1.0F);
      work.right.assign(static_cast<std::size_t>(work.product.columns * inner), 1.0F);
      work.result.resize(static_cast<std::size_t>(work.product.rows * work.product.columns));
      INFO(inner);
      CHECK(stack_of(work) < 1024 * 1024);
      CHECK(std::all_of(work.result.begin(), work.result.end(),
                        [&](float sum) { return sum == static_cast<float>(inner); }));
    }
  }
}

}  // namespace
}  // namespace orrery
