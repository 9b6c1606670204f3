// free() and realloc() that wipe the memory.
#pragma once

#include <cstddef>

namespace mayfly {

// A token is copied by strings, JSON, headers, and the buffers of TLS and HTTP, not all of which
// wipe their memory. These functions wipe it when it is freed. For blocks of malloc(). Portable:
// free() and realloc().
void wiping_free(void* block) noexcept;
void* wiping_realloc(void* block, std::size_t size) noexcept;

}  // namespace mayfly
