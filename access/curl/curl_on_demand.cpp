// libcurl's functions under their own names, loaded on first use: most commands use no network, and
// libcurl loads some thirty libraries.
#ifndef CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_TYPECHECK  // the macros would get in the way of the definitions
#endif
#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/core.h>

#include <cstdarg>

#include "access/core/error.hpp"
#include "access/core/on_demand.hpp"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

namespace {

constexpr const char* library_name = "libcurl.so.4";  // the flavour that uses OpenSSL

[[noreturn]] void not_available() {
  const char* why = dlerror();
  throw mayfly::Error(mayfly::ErrorKind::failed,
                      fmt::format("cannot use libcurl: {}", why != nullptr ? why : library_name),
                      "install libcurl 7.88 or later (Debian package: libcurl4)");
}

template <typename Function>
Function* find(const char* name) {
  auto* const function = mayfly::on_demand<Function>(library_name, name);
  if (function == nullptr) not_available();
  return function;
}

// A variadic function cannot forward its arguments. libcurl takes exactly one, a long, a curl_off_t
// or a pointer; where these have the same size (LP64) they are passed the same way.
static_assert(sizeof(long) == sizeof(void*) && sizeof(curl_off_t) == sizeof(void*));

}  // namespace

#define REAL(function)                                               \
  (*[] {                                                             \
    static auto* const real = find<decltype(::function)>(#function); \
    return real;                                                     \
  }())

// libcurl's prototypes have an enum before the dots, which the standard does not let va_start take.
#pragma GCC diagnostic ignored "-Wvarargs"
#define FORWARD_ONE_ARGUMENT(function, object, option) \
  va_list arguments;                                   \
  va_start(arguments, option);                         \
  void* const argument = va_arg(arguments, void*);     \
  va_end(arguments);                                   \
  return REAL(function)(object, option, argument)

// Hidden, so that libcurl's own calls cannot resolve to these.
#pragma GCC visibility push(hidden)
extern "C" {

CURLcode curl_global_init_mem(long flags, curl_malloc_callback allocate, curl_free_callback free,
                              curl_realloc_callback reallocate, curl_strdup_callback duplicate,
                              curl_calloc_callback allocate_zeroed) {
  return REAL(curl_global_init_mem)(flags, allocate, free, reallocate, duplicate, allocate_zeroed);
}
time_t curl_getdate(const char* text, const time_t* unused) {
  return REAL(curl_getdate)(text, unused);
}
void curl_free(void* memory) {
  REAL(curl_free)(memory);
}

CURL* curl_easy_init() {
  return REAL(curl_easy_init)();
}
void curl_easy_cleanup(CURL* easy) {
  REAL(curl_easy_cleanup)(easy);
}
CURLcode curl_easy_setopt(CURL* easy, CURLoption option, ...) {
  FORWARD_ONE_ARGUMENT(curl_easy_setopt, easy, option);
}
CURLcode curl_easy_getinfo(CURL* easy, CURLINFO info, ...) {
  FORWARD_ONE_ARGUMENT(curl_easy_getinfo, easy, info);
}
CURLcode curl_easy_perform(CURL* easy) {
  return REAL(curl_easy_perform)(easy);
}
CURLcode curl_easy_recv(CURL* easy, void* buffer, size_t size, size_t* received) {
  return REAL(curl_easy_recv)(easy, buffer, size, received);
}
CURLcode curl_easy_send(CURL* easy, const void* buffer, size_t size, size_t* sent) {
  return REAL(curl_easy_send)(easy, buffer, size, sent);
}
const char* curl_easy_strerror(CURLcode code) {
  return REAL(curl_easy_strerror)(code);
}
curl_header* curl_easy_nextheader(CURL* easy, unsigned origin, int request, curl_header* before) {
  return REAL(curl_easy_nextheader)(easy, origin, request, before);
}

CURLM* curl_multi_init() {
  return REAL(curl_multi_init)();
}
CURLMcode curl_multi_cleanup(CURLM* multi) {
  return REAL(curl_multi_cleanup)(multi);
}
CURLMcode curl_multi_add_handle(CURLM* multi, CURL* easy) {
  return REAL(curl_multi_add_handle)(multi, easy);
}
CURLMcode curl_multi_remove_handle(CURLM* multi, CURL* easy) {
  return REAL(curl_multi_remove_handle)(multi, easy);
}
CURLMcode curl_multi_setopt(CURLM* multi, CURLMoption option, ...) {
  FORWARD_ONE_ARGUMENT(curl_multi_setopt, multi, option);
}
CURLMcode curl_multi_perform(CURLM* multi, int* running) {
  return REAL(curl_multi_perform)(multi, running);
}
CURLMcode curl_multi_poll(CURLM* multi, curl_waitfd* extra, unsigned count, int timeout_ms,
                          int* ready) {
  return REAL(curl_multi_poll)(multi, extra, count, timeout_ms, ready);
}
CURLMcode curl_multi_socket_action(CURLM* multi, curl_socket_t socket, int events, int* running) {
  return REAL(curl_multi_socket_action)(multi, socket, events, running);
}
CURLMsg* curl_multi_info_read(CURLM* multi, int* left) {
  return REAL(curl_multi_info_read)(multi, left);
}
const char* curl_multi_strerror(CURLMcode code) {
  return REAL(curl_multi_strerror)(code);
}

curl_slist* curl_slist_append(curl_slist* list, const char* text) {
  return REAL(curl_slist_append)(list, text);
}
void curl_slist_free_all(curl_slist* list) {
  REAL(curl_slist_free_all)(list);
}

}  // extern "C"
#pragma GCC visibility pop
