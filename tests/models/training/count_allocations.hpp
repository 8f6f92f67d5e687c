// How often this program has asked for memory.
#pragma once

#include <cstddef>

namespace orrery {

struct Allocations {
  std::size_t calls = 0, bytes = 0;
};

/// Calls of malloc, calloc, realloc, aligned_alloc and operator new by any thread since the program began, but for
/// those that the code of oneDNN's library makes. Under a sanitizer, which brings its own allocator: always 0.
std::size_t allocations();
/// Those that the code of oneDNN's library makes.
Allocations allocations_of_onednn();
/// Pieces of memory asked for and not yet given back.
std::ptrdiff_t live_allocations();

}  // namespace orrery
