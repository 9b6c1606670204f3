#include "access/identity/place.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

std::string_view without_slashes_at_end(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

// Returns the path of the application, "" for a whole host, or nullopt if it has a "*".
std::optional<std::string_view> path_of(const Application& application) {
  const auto slash = application.hostname.find('/');
  if (slash == std::string::npos) return std::string_view();
  const auto path = std::string_view(application.hostname).substr(slash);
  if (path.find('*') != std::string_view::npos) return std::nullopt;
  return without_slashes_at_end(path);
}

// Compares whole segments: "/a" holds "/a/b" and not "/ab".
bool holds(std::string_view path, std::string_view inner) {
  return inner.starts_with(path) && (inner.size() == path.size() || inner[path.size()] == '/');
}

std::string place(const Url& url, std::string_view path) {
  const std::string server = url.port == 443 ? url.host : url.authority();
  return file_name(server + std::string(path));
}

}  // namespace

std::string place_of(const Url& url) {
  return place(url, without_slashes_at_end(url.path));
}

std::string key_place_of(const Url& url) {
  const bool is_host = without_slashes_at_end(url.path).empty();
  return file_name(url.host + (is_host ? "" : url.path));
}

std::vector<std::string> places_above(const Url& url) {
  std::vector<std::string> places;
  std::string_view path = without_slashes_at_end(url.path);
  for (;;) {
    // A longer path has no file.
    if (url.host.size() + path.size() <= 200) places.push_back(place(url, path));
    if (path.empty()) return places;
    path = without_slashes_at_end(path.substr(0, path.rfind('/')));
  }
}

std::string place_of(const Application& application, const Url& url) {
  const auto path = path_of(application);
  return path && holds(*path, without_slashes_at_end(url.path)) ? place(url, *path) : place_of(url);
}

std::vector<std::string> places_of(const Url& url, const std::optional<Application>& application) {
  if (!application) return places_above(url);
  return {place_of(url), place_of(*application, url), file_name(application->hostname)};
}

bool may_hold(const Application& application, const Url& url) {
  const std::string name = to_lower(application.hostname);
  const auto slash = std::min(name.find('/'), name.size());
  const auto matches = [](const std::string& pattern, const std::string& text) {
    return ::fnmatch(pattern.c_str(), text.c_str(), FNM_NOESCAPE) == 0;
  };
  if (!matches(name.substr(0, slash), url.host)) return true;
  const std::string path(without_slashes_at_end(std::string_view(name).substr(slash)));
  const std::string asked = to_lower(without_slashes_at_end(url.path));
  if (path.find('*') == std::string::npos) return holds(path, asked);
  return matches(path, asked) || matches(path + "/*", asked) || matches(path, asked + "/");
}

bool is_at(const Application& application, const std::string& remembered_at, const Url& url) {
  const std::string_view asked = without_slashes_at_end(url.path);
  const auto path = path_of(application);
  return path ? holds(*path, asked) : remembered_at == place(url, asked);
}

}  // namespace mayfly
