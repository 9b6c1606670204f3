#include "cli/process.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/platform.hpp"
#include "access/system/spawn_settings.hpp"
#include "access/system/wiping_memory.hpp"
#include "access/tls/pkcs11_uri.hpp"

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

// A word of argv, or the end of one, that can be overwritten.
using Text = std::span<char>;

std::string_view view(Text text) {
  return {text.data(), text.size()};
}

void hide(Text text) noexcept {
  std::fill(text.begin(), text.end(), '*');
}

enum class Holds { nothing, secret, header };

struct Flag {
  Holds holds = Holds::nothing;
  std::size_t value = 0;  // where in the word its value begins; 0: it is the next word
};

Holds holds(std::string_view name) {
  if (name == "service-token-secret" || name == "secret") return Holds::secret;
  return name == "header" || name == "H" ? Holds::header : Holds::nothing;
}

// One dash or two mean the same. A value follows "=" or a blank, or a letter at once, which may
// stand behind other letters ("-vHName: value").
Flag read_flag(std::string_view word) {
  if (!word.starts_with('-')) return {};
  const std::size_t dashes = word.starts_with("--") ? 2 : 1;
  const auto equals = word.find('=');
  const Holds named = holds(word.substr(dashes, equals - dashes));
  if (named != Holds::nothing) return {named, equals == word.npos ? 0 : equals + 1};
  const auto letter = word.find_first_not_of("vqh", dashes);
  if (dashes != 1 || letter == word.npos || word[letter] != 'H') return {};
  return {Holds::header, letter + 1 == word.size() ? 0 : letter + 1};
}

// Leaves the name of a header.
void hide_header(Text text) {
  const auto colon = view(text).find(':');
  hide(colon == std::string_view::npos ? text : text.subspan(colon + 1));
}

// A PIN ends at the next attribute of the query (RFC 7512 section 2.3).
void hide_pin(Text text) {
  constexpr std::string_view attribute = "pin-value=";
  const std::string lower = to_lower(view(text));
  for (auto at = lower.find(attribute); at != lower.npos; at = lower.find(attribute, at + 1)) {
    const auto begin = at + attribute.size();
    const auto end = std::min(lower.find(query_attribute_separator, begin), lower.size());
    hide(text.subspan(begin, end - begin));
  }
}

// Hides user and password of a URL, or of a proxy without scheme: all up to the last "@".
void hide_user(Text text) {
  const auto at = view(text).rfind('@');
  if (at == std::string_view::npos) return;
  const auto scheme = view(text).find("://");
  const auto option = view(text).starts_with('-') ? view(text).find('=') : std::string_view::npos;
  std::size_t begin = option == std::string_view::npos ? 0 : option + 1;
  if (scheme < at) begin = scheme + 3;
  if (begin < at) hide(text.subspan(begin, at - begin));
}

void hide_in(Text text, Holds what) {
  if (what == Holds::secret) return hide(text);
  if (what == Holds::header) return hide_header(text);
  hide_pin(text);
  hide_user(text);
}

}  // namespace

void hide_secrets(int argc, char** argv) {
  Holds next = Holds::nothing;
  bool is_for_curl = false;
  for (int i = 1; i < argc; ++i) {
    const Text word(argv[i], std::strlen(argv[i]));
    if (is_for_curl) {
      hide(word);  // any of curl's options may hold a secret
      continue;
    }
    if (next != Holds::nothing) {
      hide_in(word, std::exchange(next, Holds::nothing));
      continue;
    }
    is_for_curl = view(word) == "curl";
    const Flag flag = read_flag(view(word));
    if (flag.holds != Holds::nothing && flag.value == 0) next = flag.holds;
    hide_in(word.subspan(flag.value), flag.value == 0 ? Holds::nothing : flag.holds);
  }
}

void open_standard_descriptors() {
  constexpr int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};
  for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard) {
    if (::fcntl(standard, F_GETFD) != -1) continue;
    // The kernel gives the lowest free number. A container without /dev has at least a root.
    // cppcheck-suppress leakReturnValNotUsed
    if (::open("/dev/null", modes[standard]) < 0) ::open("/", O_RDONLY);
  }
}

void harden_process() {
  if (::CRYPTO_set_mem_functions(allocate, reallocate, release) != 1)
    throw Error(ErrorKind::failed, "OpenSSL was used before its memory could be wiped");
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
#if !defined(MAYFLY_SANITIZED)  // the leak checker has to trace its own process
  forbid_tracing();
#endif
  for (const int number : ignored_signals) ::signal(number, SIG_IGN);
}

}  // namespace mayfly::cli
