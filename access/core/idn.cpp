#include "access/core/idn.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "access/core/error.hpp"
#include "access/core/on_demand.hpp"
#include "access/core/punycode.hpp"
#include "access/core/release.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

// idn2.h: int idn2_lookup_u8(const uint8_t* src, uint8_t** lookupname, int flags).
using LookupU8 = int(const unsigned char*, unsigned char**, int);
constexpr int idn2_nfc_input = 1;
constexpr int idn2_nontransitional = 8;

#ifdef MAYFLY_STATIC
constexpr std::string_view no_library = "this build of mayfly has no library for such names";
constexpr const char* no_library_hint = "give the name in its xn-- form";
#else
constexpr std::string_view no_library = "libidn2 is not installed";
constexpr const char* no_library_hint = "install libidn2, or give the name in its xn-- form";
#endif

constexpr std::string_view capital_sharp_s = "\xe1\xba\x9e";  // U+1E9E

Error not_a_name(std::string_view utf8_host) {
  std::string message =
      fmt::format("{} is no host name: not a valid internationalised name", printable(utf8_host));
  const auto ascii = xn_form(utf8_host);
  if (!ascii || !is_host_name(*ascii)) return Error(ErrorKind::usage, std::move(message));
  return Error(ErrorKind::usage, std::move(message),
               fmt::format("if it is the right one, write it as {}", *ascii));
}

}  // namespace

std::string host_to_ascii(std::string_view utf8_host) {
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::all_of(utf8_host.begin(), utf8_host.end(), is_ascii)) return std::string(utf8_host);
  const Error refused = not_a_name(utf8_host);
  // Versions of libidn2 differ: for the older ones it is "ss", for Unicode 15.1 it is "ß".
  if (utf8_host.find(capital_sharp_s) != std::string_view::npos)
    throw Error(refused.kind(), refused.message(), "write the name with \"ß\" or with \"ss\"");
  if (utf8_host.find('\0') != std::string_view::npos) throw refused;  // C would not see the rest
  // Most hosts are ASCII, and the library brings 2 MB of Unicode tables.
  auto* const lookup = on_demand<LookupU8>("libidn2.so.0", "idn2_lookup_u8");
  if (!lookup) {
    throw Error(
        ErrorKind::usage,
        fmt::format("cannot convert the host name {}: {}", printable(utf8_host), no_library),
        no_library_hint);
  }
  unsigned char* ascii = nullptr;
  const std::string input(utf8_host);
  const int code = lookup(reinterpret_cast<const unsigned char*>(input.c_str()), &ascii,
                          idn2_nfc_input | idn2_nontransitional);
  const std::unique_ptr<unsigned char, Release<std::free>> owner(ascii);
  if (code != 0 || ascii == nullptr) throw refused;
  return reinterpret_cast<const char*>(ascii);
}

}  // namespace mayfly
