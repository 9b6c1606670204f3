#include "access/forward/local_urls.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "access/core/text.hpp"
#include "access/http1/challenges.hpp"
#include "access/http1/head.hpp"

namespace mayfly {
namespace {

bool starts_ignoring_case(std::string_view text, std::string_view start) {
  return equals_ignoring_case(text.substr(0, start.size()), start);
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

bool has_value(const Challenge& challenge, const std::string& value) {
  return std::ranges::any_of(challenge.parameters,
                             [&](const Header& one) { return one.value == value; });
}

}  // namespace

std::vector<Replacement> replacements(const SitePair& site) {
  const Url& application = site.application;
  std::vector<std::string> authorities = {application.authority()};
  if (application.port == 443) authorities.push_back(authorities.front() + ":443");
  std::vector<Replacement> all;
  for (const std::string& authority : authorities) {
    for (const char* scheme : {"https://", "http://", "//"})
      all.push_back({scheme + authority, "http://" + site.local});
    for (const char* scheme : {"wss://", "ws://"})
      all.push_back({scheme + authority, "ws://" + site.local});
  }
  return all;
}

std::optional<std::string_view> after_authority(std::string_view url, std::string_view authority) {
  if (!starts_ignoring_case(url, authority)) return std::nullopt;
  url.remove_prefix(authority.size());
  if (!url.empty() && url.front() != '/' && url.front() != '?' && url.front() != '#')
    return std::nullopt;
  return url;
}

std::string local_url(std::string_view url, const SitePair& site) {
  for (const auto& [from, to] : replacements(site))
    if (const auto rest = after_authority(url, from)) return to + std::string(*rest);
  return std::string(url);
}

std::string application_url(std::string_view url, const SitePair& site) {
  const auto rest = after_authority(url, "http://" + site.local);
  return rest ? site.application.origin() + std::string(*rest) : std::string(url);
}

std::string local_link(std::string_view value, const SitePair& site) {
  std::string text;
  while (!value.empty()) {
    const std::size_t plain = std::min(value.find_first_of("<\""), value.size());
    text += value.substr(0, plain);
    value.remove_prefix(plain);
    const std::size_t size = value.empty() ? 0 : size_of_enclosed(value);
    if (size == 0) return text += value;
    text += value.front();
    text += local_url(value.substr(1, size - 2), site);
    text += value[size - 1];
    value.remove_prefix(size);
  }
  return text;
}

// "5; url=https://...", with or without the separator, "url=" and quotes.
std::string local_refresh(std::string_view value, const SitePair& site) {
  std::size_t at = 0;
  const auto skip = [&](const char* characters) {
    at = std::min(value.find_first_not_of(characters, at), value.size());
  };
  const auto skip_blanks = [&] { skip(" \t"); };
  skip("0123456789.");
  skip_blanks();
  if (at < value.size() && (value[at] == ';' || value[at] == ',')) ++at;
  skip_blanks();
  if (starts_ignoring_case(value.substr(at), "url")) {
    at += 3;
    skip_blanks();
    if (at == value.size() || value[at] != '=') return std::string(value);
    ++at;
    skip_blanks();
  }
  std::string_view url = value.substr(at), rest;
  if (url.starts_with('"') || url.starts_with('\'')) {
    const std::size_t end = std::min(url.find(url.front(), 1), url.size());
    ++at;
    rest = url.substr(end);
    url = url.substr(1, end - 1);
  }
  return fmt::format("{}{}{}", value.substr(0, at), local_url(url, site), rest);
}

std::string local_challenges(std::string_view value, const SitePair& site) {
  const auto challenges = parse_challenges(value);
  std::string text(value);
  for (const Challenge& challenge : challenges) {
    if (!challenge.is_of("Bearer")) continue;
    for (const auto& [name, url] : challenge.parameters) {
      const auto is_shared = [&url = url](const Challenge& other) {
        return !other.is_of("Bearer") && has_value(other, url);
      };
      const std::string local = local_url(url, site);
      if (local != url && std::ranges::none_of(challenges, is_shared))
        replace_all(text, '"' + url + '"', '"' + local + '"');
    }
  }
  return text;
}

}  // namespace mayfly
