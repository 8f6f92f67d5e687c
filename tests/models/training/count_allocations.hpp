// How often this program has asked for memory.
#pragma once

#include <cstddef>

namespace orrery {

/// Calls of malloc, calloc, realloc and aligned_alloc (so of operator new as well) by any thread since the program
/// began. Under a sanitizer, which brings its own allocator: always 0.
std::size_t allocations();
/// Pieces of memory asked for and not yet given back.
std::ptrdiff_t live_allocations();

}  // namespace orrery
