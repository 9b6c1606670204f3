#include "access/answer/login.hpp"

#include "access/core/error.hpp"

namespace mayfly {
namespace {

constexpr std::string_view path_of_access = "/cdn-cgi/access/";
constexpr std::string_view login_path = "/cdn-cgi/access/login";
constexpr std::string_view team_suffix = ".cloudflareaccess.com";

// Both paths are normalised (access/core/url.hpp). Access puts only a host's name below its pages,
// so characters that a server could still read as a way out ("..%2f", "..;") are refused.
bool is_at_or_below(std::string_view path, std::string_view root) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/";
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/') &&
         path.find_first_not_of(plain) == std::string_view::npos;
}

std::optional<Url> target_of(const Url& asked, const Headers& headers) {
  try {
    return resolve_location(asked, headers.find("Location"));
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<Url> redirect_below(const Url& asked, int status, const Headers& headers,
                                  std::string_view root) {
  if (status != 302) return std::nullopt;
  auto target = target_of(asked, headers);
  if (!target || !is_at_or_below(target->path, root)) return std::nullopt;
  return target;
}

std::optional<Url> login_page(const Url& asked, int status, const Headers& headers,
                              const TeamOf& team) {
  auto page = redirect_below(asked, status, headers, login_path);
  if (!page || page->origin() == asked.origin()) return page;
  if (page->port != 443) return std::nullopt;
  const std::string known = team();
  const bool is_of_team = known.empty() ? page->host.ends_with(team_suffix) : page->host == known;
  if (!is_of_team) return std::nullopt;
  return page;
}

bool is_guarded(const Url& asked, int status, const Headers& headers) {
  if (status == 401 || status == 403) return true;
  if (status < 300 || status > 399) return false;
  const auto target = target_of(asked, headers);
  return !target || target->host != asked.host || target->path.starts_with(path_of_access);
}

}  // namespace mayfly
