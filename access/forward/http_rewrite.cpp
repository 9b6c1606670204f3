#include "access/forward/http_rewrite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "access/answer/cookies.hpp"
#include "access/core/text.hpp"
#include "access/forward/click_page.hpp"

namespace mayfly {
namespace {

bool starts_ignoring_case(std::string_view text, std::string_view start) {
  return equals_ignoring_case(text.substr(0, start.size()), start);
}

// RFC 9110 section 7.6.1, the framing, which is set anew, and trailers, which are dropped.
bool is_hop_by_hop(std::string_view name, const Headers& headers) {
  if (is_among_ignoring_case(name, {"Connection", "Keep-Alive", "Proxy-Connection",
                                    "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
                                    "Transfer-Encoding", "Content-Length", "Upgrade"}))
    return true;
  return headers.lists("Connection", name);
}

// Many servers hand a header to the application as a variable whose name has "_" for "-" (RFC 3875
// section 4.1.18), so a header written with "_" would be read as one of Access's.
bool is_header_of_access(std::string_view name) {
  std::string read(name);
  std::ranges::replace(read, '_', '-');
  return starts_ignoring_case(read, "Cf-Access-");
}

void put(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

void put_framing(std::string& text, const BodyFraming& body) {
  if (body.kind == BodyFraming::Kind::length)
    put(text, "Content-Length", fmt::to_string(body.length));
  if (body.kind == BodyFraming::Kind::chunked) put(text, "Transfer-Encoding", "chunked");
}

std::string_view name_of(std::string_view pair) {
  return trim(pair.substr(0, pair.find('=')));
}

// Range and If-Range (RFC 9110 section 14): a server may answer with the whole.
bool is_left_out(std::string_view name, RequestChanges::Answer answer) {
  using Answer = RequestChanges::Answer;
  if (answer == Answer::any) return false;
  return equals_ignoring_case(name, "Accept-Encoding") ||
         (answer == Answer::uncompressed_and_whole &&
          is_among_ignoring_case(name, {"Range", "If-Range"}));
}

std::string request_value(const Header& header, const SitePair& site) {
  if (equals_ignoring_case(header.name, "Cookie")) return cookies_without_access(header.value);
  if (is_among_ignoring_case(header.name, {"Origin", "Referer", "Destination"}))
    return application_url(header.value, site);
  return header.value;
}

// A page that hides its address from itself too would look like one of another site
// (http_guard.hpp) to a listener that browsers do not tell more. Of several the last counts.
std::string local_referrer_policy(std::string_view value) {
  const std::string_view last = trim(split(value, ',').back());
  return equals_ignoring_case(last, "no-referrer") ? "same-origin" : std::string(value);
}

// Returns the value with the listener's URLs. Of a header that redirects nobody, such as Link, only
// if it is to be changed too.
std::optional<std::string> local_value(const Header& header, const ResponseChanges& changes) {
  const auto& [name, value] = header;
  if (is_among_ignoring_case(name, {"Location", "Content-Location"}))
    return local_url(value, changes.site);
  if (changes.urls == ChangedUrls::in_redirects) return std::nullopt;
  if (equals_ignoring_case(name, "Link")) return local_link(value, changes.site);
  if (equals_ignoring_case(name, "Refresh")) return local_refresh(value, changes.site);
  if (equals_ignoring_case(name, "WWW-Authenticate")) return local_challenges(value, changes.site);
  return std::nullopt;
}

// Nothing for what is left out.
std::optional<std::string> response_value(const Header& header, const ResponseChanges& changes) {
  if (equals_ignoring_case(header.name, "Set-Cookie")) return local_cookie(header.value);
  // They would take a browser away from the listener.
  if (is_among_ignoring_case(header.name, {"Strict-Transport-Security", "Alt-Svc"}))
    return std::nullopt;
  // Ours are the strictest there are.
  if (is_among_ignoring_case(header.name,
                             {"Cross-Origin-Resource-Policy", "Cross-Origin-Opener-Policy"}))
    return std::nullopt;
  if (equals_ignoring_case(header.name, "Referrer-Policy"))
    return local_referrer_policy(header.value);
  if (changes.content == ResponseChanges::Content::changed &&
      equals_ignoring_case(header.name, "Accept-Ranges"))
    return std::nullopt;
  if (auto value = local_value(header, changes)) return value;
  // A browser shares its cache between all ports of a name. A page of another port could read what
  // lies there, if the response allowed it, without any request that the listener could refuse.
  if (equals_ignoring_case(header.name, "Access-Control-Allow-Origin")) {
    const std::string origin = local_url(header.value, changes.site);
    return origin == fmt::format("http://{}", changes.site.local) ? std::optional(origin)
                                                                  : std::nullopt;
  }
  return header.value;
}

// The browser keeps the answer from pages of other sites: as script, picture or style (Fetch,
// section 3.7), in a frame, and in a window that they opened (HTML, section 7.1.3). Of several
// policies each counts (Content Security Policy, section 8.1).
void put_own_pages_only(std::string& text) {
  put(text, "Cross-Origin-Resource-Policy", "same-origin");
  put(text, "Cross-Origin-Opener-Policy", "same-origin");
  put(text, "Content-Security-Policy", "frame-ancestors 'self'");
}

std::string_view reason_of(int status) {
  switch (status) {
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

}  // namespace

std::string path_of_target(const RequestHead& head) {
  if (head.target.starts_with('/')) return head.target;
  const auto hosts = head.headers.all("Host");
  constexpr std::string_view scheme = "http://";
  if (hosts.size() != 1 || !starts_ignoring_case(head.target, scheme)) return "";
  const auto rest =
      after_authority(std::string_view(head.target).substr(scheme.size()), hosts.front());
  if (!rest) return "";
  return rest->starts_with('/') ? std::string(*rest) : "/" + std::string(*rest);
}

bool is_below(std::string_view path, std::string_view application_path) {
  while (application_path.ends_with('/')) application_path.remove_suffix(1);
  if (application_path.empty()) return true;
  path = path.substr(0, path.find('?'));
  if (!path.starts_with(application_path)) return false;
  std::string rest = to_lower(path.substr(application_path.size()));
  if (!rest.empty() && rest.front() != '/') return false;
  for (std::size_t at = 0; (at = rest.find("%2e", at)) != std::string::npos;)
    rest.replace(at, 3, ".");
  return rest.find("/..") == std::string::npos && rest.find("%2f") == std::string::npos &&
         rest.find("%5c") == std::string::npos && rest.find('\\') == std::string::npos;
}

bool wants_websocket(const RequestHead& head) {
  const auto upgrades = head.headers.all("Upgrade");
  return head.method == "GET" && head.minor_version == 1 && upgrades.size() == 1 &&
         equals_ignoring_case(upgrades.front(), "websocket") &&
         head.headers.lists("Connection", "upgrade");
}

bool may_ask_for_json(const RequestHead& head) {
  const auto kinds = head.headers.all("Sec-Fetch-Dest");
  return std::ranges::none_of(kinds, [](std::string_view kind) {
    return is_among(kind, {"audio", "document", "font", "frame", "iframe", "image", "script",
                           "style", "track", "video", "worker", "sharedworker"});
  });
}

std::string request_text(const RequestHead& head, const RequestChanges& changes) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\n", head.method, path_of_target(head));
  put(text, "Host", changes.site.application.authority());
  for (const Header& header : head.headers) {
    const std::string& name = header.name;
    if (equals_ignoring_case(name, "Host") || is_header_of_access(name) ||
        is_hop_by_hop(name, head.headers) || changes.added.contains(name) ||
        is_left_out(name, changes.answer))
      continue;
    const std::string value = request_value(header, changes.site);
    if (!value.empty() || header.value.empty()) put(text, name, value);
  }
  for (const auto& [name, value] : changes.added) put(text, name, value);
  if (changes.answer != RequestChanges::Answer::any && !changes.added.contains("Accept-Encoding"))
    put(text, "Accept-Encoding", "identity");
  put_framing(text, changes.body);
  // RFC 9110 section 8.6: an empty body is announced where one is expected.
  if (changes.body.kind == BodyFraming::Kind::none &&
      is_among_ignoring_case(head.method, {"POST", "PUT", "PATCH"}))
    put(text, "Content-Length", "0");
  if (changes.upgrade == RequestChanges::Upgrade::websocket) {
    put(text, "Connection", "Upgrade");
    put(text, "Upgrade", "websocket");
  }
  return text + "\r\n";
}

std::string response_text(const ResponseHead& head, const ResponseChanges& changes) {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\n", head.status, head.reason);
  if (head.status >= 200) put_own_pages_only(text);
  for (const Header& header : head.headers) {
    if (is_hop_by_hop(header.name, head.headers)) continue;
    if (const auto value = response_value(header, changes)) put(text, header.name, *value);
  }
  // An answer without a body may still say how long it would be (HEAD, 304).
  const auto lengths = head.headers.all("Content-Length");
  if (changes.body.kind == BodyFraming::Kind::none && lengths.size() == 1 && head.status >= 200 &&
      head.status != 204 && changes.content == ResponseChanges::Content::as_it_came)
    put(text, "Content-Length", lengths.front());
  put_framing(text, changes.body);
  if (changes.then == ResponseChanges::Then::close) put(text, "Connection", "close");
  if (changes.then == ResponseChanges::Then::upgraded) {
    put(text, "Connection", "Upgrade");
    put(text, "Upgrade", "websocket");
  }
  return text + "\r\n";
}

std::optional<std::string> local_cookie(std::string_view value) {
  const auto parts = split(value, ';');
  const std::string_view name = name_of(parts.front());
  if (is_cookie_of_access(name)) return std::nullopt;
  // Browsers take these two sorts with Secure only, and from a loopback address they do.
  const bool needs_secure =
      starts_ignoring_case(name, "__Host-") || starts_ignoring_case(name, "__Secure-");
  std::string kept(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string_view attribute = name_of(parts[i]);
    if (equals_ignoring_case(attribute, "Domain")) continue;
    if (!needs_secure) {
      if (is_among_ignoring_case(attribute, {"Secure", "Partitioned"})) continue;
      // Without Secure a browser refuses it.
      if (equals_ignoring_case(attribute, "SameSite") &&
          equals_ignoring_case(trim(parts[i].substr(parts[i].find('=') + 1)), "None"))
        continue;
    }
    kept.append(";").append(parts[i]);
  }
  return kept;
}

std::string cookies_without_access(std::string_view value) {
  std::string kept;
  for (const std::string_view pair : split(value, ';')) {
    if (is_cookie_of_access(name_of(pair)) || trim(pair).empty()) continue;
    kept.append(kept.empty() ? "" : "; ").append(trim(pair));
  }
  return kept;
}

std::string page_text(const Page& page) {
  const bool is_html = !page.link.empty();
  const std::string body = is_html ? click_page_body(page.message, page.link)
                                   : fmt::format("mayfly: {}\n{}{}{}", page.message,
                                                 page.hint.empty() ? "" : "hint: ", page.hint,
                                                 page.hint.empty() ? "" : "\n");
  std::string text = fmt::format("HTTP/1.1 {} {}\r\n", page.status, reason_of(page.status));
  put_own_pages_only(text);
  if (!page.location.empty()) put(text, "Location", page.location);
  put(text, "Content-Type", is_html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");
  if (is_html) put(text, "Content-Security-Policy", click_page_policy);
  put(text, "Content-Length", fmt::to_string(body.size()));
  if (page.retry_after) put(text, "Retry-After", fmt::to_string(page.retry_after->count()));
  put(text, "Cache-Control", "no-store");
  put(text, "X-Content-Type-Options", "nosniff");
  put(text, "Connection", "close");
  return text + "\r\n" + (page.body == Page::Body::sent ? body : std::string());
}

}  // namespace mayfly
