#include "access/core/on_demand.hpp"

#include <dlfcn.h>

namespace mayfly {

void* symbol_on_demand(const char* library, const char* function) noexcept {
  void* const loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  return loaded == nullptr ? nullptr : dlsym(loaded, function);
}

}  // namespace mayfly
