// free() and realloc() that leave nothing behind.
#pragma once

#include <cstddef>

namespace mayfly {

// A token passes through many hands: strings, JSON, headers, buffers of TLS and of HTTP. Not each
// of them wipes what it held, so the memory itself is wiped when it goes back. For blocks of
// malloc().
void wiping_free(void* block) noexcept;
void* wiping_realloc(void* block, std::size_t size) noexcept;

}  // namespace mayfly
