#include "cli/curl/redirect_steps.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "access/core/access_path.hpp"
#include "access/core/text.hpp"
#include "access/identity/place.hpp"

namespace mayfly::cli {
namespace {

// Each of these options acts on every request alike, and no output of one request replaces or
// follows that of another.
constexpr std::array<std::string_view, 50> alike = {"basic",
                                                    "cacert",
                                                    "capath",
                                                    "cert",
                                                    "cert-type",
                                                    "ciphers",
                                                    "compressed",
                                                    "connect-timeout",
                                                    "create-dirs",
                                                    "disable",
                                                    "fail",
                                                    "fail-with-body",
                                                    "head",
                                                    "http1.0",
                                                    "http1.1",
                                                    "http2",
                                                    "include",
                                                    "insecure",
                                                    "ipv4",
                                                    "ipv6",
                                                    "key",
                                                    "key-type",
                                                    "limit-rate",
                                                    "location",
                                                    "location-trusted",
                                                    "max-time",
                                                    "no-buffer",
                                                    "no-progress-meter",
                                                    "noproxy",
                                                    "output",
                                                    "output-dir",
                                                    "pass",
                                                    "progress-bar",
                                                    "proxy",
                                                    "proxy-user",
                                                    "resolve",
                                                    "retry",
                                                    "retry-all-errors",
                                                    "retry-connrefused",
                                                    "retry-delay",
                                                    "retry-max-time",
                                                    "show-error",
                                                    "show-headers",
                                                    "silent",
                                                    "styled-output",
                                                    "tlsv1.2",
                                                    "tlsv1.3",
                                                    "user",
                                                    "user-agent",
                                                    "verbose"};

bool acts_on_each_request(const CurlArguments::Option& option) {
  if (option.is_expanded) return false;
  if (option.name == "request") return option.value == "GET";
  if (option.name == "header") return !option.value.starts_with('@');
  return std::ranges::find(alike, option.name) != alike.end();
}

}  // namespace

std::optional<std::size_t> position_of_followed_url(const CurlArguments& curl,
                                                    const GuardedCurl& guarded) {
  if (!guarded.follows || curl.redirects == CurlArguments::Redirects::allowed ||
      curl.parts.size() != 1 || curl.urls.size() != 1 || !guarded.configured_urls.empty())
    return std::nullopt;
  const auto acts_otherwise = [](const GuardedCurl::Given& given) {
    return !acts_on_each_request(given.option);
  };
  if (std::ranges::any_of(guarded.given, acts_otherwise)) return std::nullopt;
  const std::string& url = curl.urls.front();
  const auto found = std::ranges::find(curl.arguments, url);
  if (url.find_first_of("{}[]") != std::string::npos ||
      std::ranges::count(curl.arguments, url) != 1)
    return std::nullopt;
  return static_cast<std::size_t>(found - curl.arguments.begin());
}

bool may_follow(const Url& url, const Application& application, const Url& next) {
  return next.origin() == url.origin() && may_hold(application, next) &&
         !may_be_path_of_access(next.text().substr(next.origin().size()));
}

CurlArguments with_url(CurlArguments curl, std::size_t position, const Url& url) {
  curl.arguments[position] = url.text();
  curl.urls = {curl.arguments[position]};
  return curl;
}

}  // namespace mayfly::cli
