// Functions of libraries that are loaded when they are first used: most commands need none of them.
#pragma once

namespace mayfly {

// Returns the address of a function, or nullptr if the library or the function is absent; dlerror()
// says why. A library stays loaded: libcurl and the libraries below it must not be unloaded.
void* symbol_on_demand(const char* library, const char* function) noexcept;

template <typename Function>
Function* on_demand(const char* library, const char* function) noexcept {
  return reinterpret_cast<Function*>(symbol_on_demand(library, function));
}

}  // namespace mayfly
