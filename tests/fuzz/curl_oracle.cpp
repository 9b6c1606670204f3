#include "curl_oracle.hpp"

#include <curl/curl.h>

#include <memory>

namespace mayfly::fuzz {
namespace {

struct Free {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  const std::unique_ptr<char, Free> owner(text);
  return text;
}

}  // namespace

std::optional<CurlReading> read_by_curl(const std::string& text) {
  const std::unique_ptr<CURLU, Free> url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return std::nullopt;
  return CurlReading{.scheme = part_of(url.get(), CURLUPART_SCHEME),
                     .host = part_of(url.get(), CURLUPART_HOST),
                     .port = part_of(url.get(), CURLUPART_PORT),
                     .path = part_of(url.get(), CURLUPART_PATH),
                     .query = part_of(url.get(), CURLUPART_QUERY),
                     .user = part_of(url.get(), CURLUPART_USER)};
}

}  // namespace mayfly::fuzz
