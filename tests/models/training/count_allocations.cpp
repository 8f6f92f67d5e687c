#include "tests/models/training/count_allocations.hpp"

#include <link.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string_view>

namespace {

/// Where the code of a library lies; nowhere when it is not loaded.
struct Range {
  std::uintptr_t begin = 0, end = 0;
};

Range find_onednn() {
  Range found;
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* to) {
        if (std::string_view(object->dlpi_name).find("libdnnl") == std::string_view::npos) return 0;
        Range& range = *static_cast<Range*>(to);
        for (int i = 0; i < object->dlpi_phnum; ++i) {
          const ElfW(Phdr)& part = object->dlpi_phdr[i];
          if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
          range = {object->dlpi_addr + part.p_vaddr, object->dlpi_addr + part.p_vaddr + part.p_memsz};
        }
        return 1;
      },
      &found);
  return found;
}

// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): operator new has no other place to count in
std::atomic<std::size_t> calls{0}, onednn_calls{0}, onednn_bytes{0};
std::atomic<std::ptrdiff_t> live{0};
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)
const Range onednn = find_onednn();

}  // namespace

namespace orrery {

std::size_t allocations() {
  return calls;
}

Allocations allocations_of_onednn() {
  return {onednn_calls, onednn_bytes};
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
void count(std::size_t bytes, const void* caller) {
  const auto at = reinterpret_cast<std::uintptr_t>(caller);
  if (at >= onednn.begin && at < onednn.end) {
    ++onednn_calls;
    onednn_bytes += bytes;
  } else {
    ++calls;
  }
}

void* counted(void* memory, std::size_t bytes, const void* caller) {
  count(bytes, caller);
  if (memory != nullptr) ++live;
  return memory;
}

void* made(std::size_t bytes, const void* caller) {
  void* const memory = counted(__libc_malloc(bytes), bytes, caller);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

// Replaced, so that the caller is who wants an object, not the C++ library.
void* operator new(std::size_t bytes) {
  return made(bytes, __builtin_return_address(0));
}
void* operator new[](std::size_t bytes) {
  return made(bytes, __builtin_return_address(0));
}
void operator delete(void* memory) noexcept {
  free(memory);
}
void operator delete[](void* memory) noexcept {
  free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  free(memory);
}

extern "C" {
void* malloc(std::size_t bytes) {
  return counted(__libc_malloc(bytes), bytes, __builtin_return_address(0));
}
void* calloc(std::size_t count, std::size_t bytes) {
  return counted(__libc_calloc(count, bytes), count * bytes, __builtin_return_address(0));
}
void* realloc(void* memory, std::size_t bytes) {
  if (memory == nullptr) return counted(__libc_malloc(bytes), bytes, __builtin_return_address(0));
  count(bytes, __builtin_return_address(0));
  if (bytes == 0) --live;
  return __libc_realloc(memory, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  return counted(__libc_memalign(alignment, bytes), bytes, __builtin_return_address(0));
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return counted(__libc_memalign(alignment, bytes), bytes, __builtin_return_address(0));
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  *memory = counted(__libc_memalign(alignment, bytes), bytes, __builtin_return_address(0));
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  if (memory != nullptr) --live;
  __libc_free(memory);
}
}
// NOLINTEND
#endif
