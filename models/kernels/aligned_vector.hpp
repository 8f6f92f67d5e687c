// float32 vectors that start on a cache line, so that the widest SIMD loads never cross one.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace orrery {

inline constexpr std::size_t cache_line_bytes = 64;

template <class T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <class U>
  explicit CacheLineAllocator(const CacheLineAllocator<U>& /*other*/) {}

  // An allocator is where memory is managed by hand.
  // NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
  T* allocate(std::size_t count) {
    const std::size_t lines = (count * sizeof(T) + cache_line_bytes - 1) / cache_line_bytes;
    void* memory = std::aligned_alloc(cache_line_bytes, lines * cache_line_bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t /*count*/) noexcept { std::free(memory); }
  // NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
  bool operator==(const CacheLineAllocator&) const = default;
};

using AlignedVector = std::vector<float, CacheLineAllocator<float>>;

}  // namespace orrery
