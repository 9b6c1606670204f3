#include "access/system/wiping_memory.hpp"

#include <malloc.h>
#include <string.h>

#include <algorithm>
#include <cstdlib>

namespace mayfly {

void wiping_free(void* block) noexcept {
  if (block == nullptr) return;
  ::explicit_bzero(block, ::malloc_usable_size(block));
  std::free(block);
}

// Growing by realloc() itself may move the block, and leaves the old one as it was.
void* wiping_realloc(void* block, std::size_t size) noexcept {
  if (block == nullptr) return std::malloc(size);
  const std::size_t had = ::malloc_usable_size(block);
  if (size != 0 && size <= had && size >= had / 2) return block;
  void* moved = std::malloc(size);
  if (moved == nullptr && size != 0) return nullptr;
  if (moved != nullptr) ::memcpy(moved, block, std::min(had, size));
  wiping_free(block);
  return moved;
}

}  // namespace mayfly
