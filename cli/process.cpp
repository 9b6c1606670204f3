#include "cli/process.hpp"

#include <openssl/crypto.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "access/core/spawn_settings.hpp"
#include "access/core/wiping_memory.hpp"

namespace mayfly::cli {
namespace {

void* allocate(std::size_t size, const char*, int) {
  return std::malloc(size);
}

void* reallocate(void* block, std::size_t size, const char*, int) {
  return wiping_realloc(block, size);
}

void release(void* block, const char*, int) {
  wiping_free(block);
}

bool names_secret(std::string_view flag) {
  if (!flag.starts_with('-')) return false;
  flag.remove_prefix(flag.starts_with("--") ? 2 : 1);
  return flag == "service-token-secret" || flag == "secret";
}

void hide(char* text) noexcept {
  std::fill_n(text, std::strlen(text), '*');
}

}  // namespace

void hide_secrets(int argc, char** argv) noexcept {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto equals = word.find('=');
    if (equals != word.npos && names_secret(word.substr(0, equals))) hide(argv[i] + equals + 1);
    if (names_secret(word) && i + 1 < argc) hide(argv[++i]);
  }
}

void harden_process() {
  ::CRYPTO_set_mem_functions(allocate, reallocate, release);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
#if !defined(MAYFLY_SANITIZED)  // the leak checker has to trace its own process
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
  for (const int number : ignored_signals) ::signal(number, SIG_IGN);
}

}  // namespace mayfly::cli
