#include "tests/models/training/count_allocations.hpp"

#include <atomic>
#include <cstdlib>

namespace {
std::atomic<std::size_t> calls{0};
}

namespace orrery {

std::size_t allocations() {
  return calls;
}

}  // namespace orrery

#if !defined(__SANITIZE_ADDRESS__)
// The C library's own entry points stand behind the names that every allocation goes through.
// NOLINTBEGIN
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) {
  ++calls;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++calls;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  ++calls;
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++calls;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  ++calls;
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? 12 : 0;
}
}
// NOLINTEND
#endif
