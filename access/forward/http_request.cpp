#include "access/forward/http_request.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "access/core/access_path.hpp"
#include "access/core/text.hpp"
#include "access/forward/click_page.hpp"

namespace mayfly {
namespace {

Page page_of(int status, std::string message, std::string hint = {}) {
  return {.status = status, .message = std::move(message), .hint = std::move(hint)};
}

Page page_of(const Malformed& malformed) {
  return page_of(malformed.status, "the request is refused: " + malformed.why);
}

// The methods that are passed on. A method that reflects the request shows the token: TRACE (RFC
// 9110 section 9.3.8), TRACK and DEBUG of IIS, and whatever another server calls it; CONNECT is for
// proxies. Therefore only registered methods pass (IANA's HTTP Method Registry), and those that
// WebDAV's extensions, caches and other well-known programs use. Methods are told apart by case
// (RFC 9110 section 9.1), but not by every server: "trace" is none of them either.
constexpr auto passed_methods = std::to_array<std::string_view>(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY",
     // RFC 4918, 3253, 3648, 3744, 4437, 5323, 5842, 4791
     "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "VERSION-CONTROL",
     "REPORT", "CHECKOUT", "CHECKIN", "UNCHECKOUT", "MKWORKSPACE", "UPDATE", "LABEL", "MERGE",
     "BASELINE-CONTROL", "MKACTIVITY", "ORDERPATCH", "ACL", "MKREDIRECTREF", "UPDATEREDIRECTREF",
     "SEARCH", "BIND", "REBIND", "UNBIND", "MKCALENDAR", "LINK", "UNLINK",
     // Caches and indexes (Varnish, Squid, nginx), UPnP, Exchange
     "PURGE", "BAN", "REFRESH", "LIST", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "M-SEARCH", "BCOPY",
     "BDELETE", "BMOVE", "BPROPFIND", "BPROPPATCH", "POLL"});

std::optional<Page> judge_method(const RequestHead& head) {
  if (equals_ignoring_case(head.method, "CONNECT"))
    return page_of(405, "this listener is one web site and no proxy",
                   "take it out of the proxy settings, and use its own address");
  if (std::ranges::find(passed_methods, head.method) == passed_methods.end())
    return page_of(405, fmt::format("the method \"{}\" is refused", printable(head.method)),
                   "methods that nobody knows may show the token to whoever asks, as TRACE and "
                   "TRACK do");
  for (const std::string_view expected : head.headers.all("Expect"))
    if (!equals_ignoring_case(expected, "100-continue"))
      return page_of(417, "only 100-continue can be expected here");
  return std::nullopt;
}

std::optional<Page> judge_target(const RequestHead& head, const Url& application) {
  const std::string path = path_of_target(head);
  if (path.empty())
    return page_of(
        400, fmt::format("the target \"{}\" is none of this listener's", printable(head.target)),
        "this listener is one web site and no proxy: use its own address");
  if (may_be_path_of_access(path))
    return page_of(
        403,
        fmt::format("the request is refused: {} is a path of Access itself, where it acts on the "
                    "token",
                    printable(path.substr(0, path.find('?')))),
        fmt::format("nothing under /cdn-cgi/access is passed on with your identity; to log in or "
                    "out there, open https://{}/ in the browser, or run: mayfly logout {}",
                    application.authority(), application.authority()));
  if (!is_below(path, application.path))
    return page_of(404, "the application begins at " + printable(application.path),
                   "ask for a path below that");
  return std::nullopt;
}

bool wants_close(const RequestHead& head) {
  return head.minor_version == 0 || head.headers.lists("Connection", "close");
}

}  // namespace

bool AskedRequest::is_idempotent() const {
  constexpr auto methods = std::to_array<std::string_view>(
      {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "REPORT", "SEARCH"});
  return std::ranges::find(methods, head.method) != methods.end();
}

Page::Body AskedRequest::page_body() const {
  return head.method == "HEAD" ? Page::Body::head_only : Page::Body::sent;
}

RequestChanges::Answer AskedRequest::wanted_answer() const {
  using Answer = RequestChanges::Answer;
  if (wants_whole) return Answer::uncompressed_and_whole;
  return !websocket && may_ask_for_json(head) ? Answer::uncompressed : Answer::any;
}

bool AskedRequest::ask_for_whole() {
  if (wants_whole || !head.headers.contains("Range") || !is_idempotent() || !body.can_be_replayed)
    return false;
  wants_whole = true;
  return true;
}

std::string AskedRequest::name() const {
  const std::string path = path_of_target(head);
  return printable(fmt::format("{} {}", head.method, path.substr(0, path.find('?'))));
}

std::variant<AskedRequest, Page> judge_request(std::string_view head_text, const LocalPlace& place,
                                               const Url& application) {
  auto read = read_request_head(head_text);
  if (const auto* malformed = std::get_if<Malformed>(&read)) return page_of(*malformed);
  RequestHead& head = std::get<RequestHead>(read);
  // HTTP/1.0 has none, and no browser leaves it out.
  if (head.minor_version == 0 && !head.headers.contains("Host"))
    head.headers.add("Host", place.authority());
  if (auto page = judge_method(head)) return *page;
  if (const auto denial = denial_of(head, place)) {
    const bool may_go_on = denial->click == Denial::Click::goes_on;
    // No page of ours leads to a target that is refused.
    if (auto page = may_go_on ? judge_target(head, application) : std::nullopt) return *page;
    Page page = page_of(denial->status, "the request is refused: " + denial->why, denial->hint);
    if (may_go_on) page.link = link_to(path_of_target(head));
    return page;
  }
  if (auto page = judge_target(head, application)) return *page;
  if (const auto origin = origin_for_browser(head, place))
    return Page{.status = 307,
                .message = "a browser opened the application, which has an address of its own",
                .hint = "use " + *origin + "/",
                .location = *origin + path_of_target(head)};
  const auto framing = framing_of(head);
  if (const auto* malformed = std::get_if<Malformed>(&framing)) return page_of(*malformed);
  const BodyFraming body = std::get<BodyFraming>(framing);
  const bool websocket = wants_websocket(head);
  if (websocket && body.kind != BodyFraming::Kind::none)
    return page_of(400, "the request is refused: an upgrade has no body");
  const std::string local(head.headers.find("Host"));
  const bool keep_alive = !wants_close(head);
  return AskedRequest{.head = std::move(head),
                      .site = {local, application},
                      .framing = body,
                      .body = RequestBody(body),
                      .websocket = websocket,
                      .keep_alive = keep_alive};
}

}  // namespace mayfly
