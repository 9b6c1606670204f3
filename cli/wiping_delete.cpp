// The program's own operator delete: all that C++ code gives back is wiped (access/core/
// wiping_memory.hpp). The operators new stay the library's, which allocates with malloc().
#include <cstddef>
#include <new>

#include "access/system/wiping_memory.hpp"

void operator delete(void* block) noexcept {
  mayfly::wiping_free(block);
}
void operator delete[](void* block) noexcept {
  mayfly::wiping_free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  mayfly::wiping_free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  mayfly::wiping_free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  mayfly::wiping_free(block);
}
void operator delete[](void* block, std::align_val_t) noexcept {
  mayfly::wiping_free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  mayfly::wiping_free(block);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
  mayfly::wiping_free(block);
}
