#include "tests/models/training/count_allocations.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace {
std::atomic<std::size_t> calls{0};
std::atomic<std::ptrdiff_t> live{0};
}  // namespace

namespace orrery {

std::size_t allocations() {
  return calls;
}

std::ptrdiff_t live_allocations() {
  return live;
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
void __libc_free(void*);
}

namespace {
void* counted(void* memory) {
  ++calls;
  if (memory != nullptr) ++live;
  return memory;
}
}  // namespace

extern "C" {
void* malloc(std::size_t bytes) {
  return counted(__libc_malloc(bytes));
}
void* calloc(std::size_t count, std::size_t bytes) {
  return counted(__libc_calloc(count, bytes));
}
void* realloc(void* memory, std::size_t bytes) {
  if (memory == nullptr) return counted(__libc_malloc(bytes));
  ++calls;
  if (bytes == 0) --live;
  return __libc_realloc(memory, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  return counted(__libc_memalign(alignment, bytes));
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return counted(__libc_memalign(alignment, bytes));
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  *memory = counted(__libc_memalign(alignment, bytes));
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  if (memory != nullptr) --live;
  __libc_free(memory);
}
}
// NOLINTEND
#endif
