// What a local program sends to the HTTP port: a head, and a body in pieces of a size that the
// first byte says.
#include <string>

#include "access/forward/http_request.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

const LocalPlace place{.family = LocalPlace::Family::tcp,
                       .address = "127.0.0.1",
                       .port = 8080,
                       .reach = LocalPlace::Reach::loopback,
                       .names = {}};

using Values = std::vector<std::string_view>;

// What goes to the edge is one request, to the application, however it came.
void check_forwarded(const AskedRequest& asked) {
  RequestChanges changes{
      .site = asked.site, .added = {{"Cf-Access-Token", "token"}}, .body = asked.framing};
  if (asked.websocket) changes.upgrade = RequestChanges::Upgrade::websocket;
  const std::string text = request_text(asked.head, changes);
  const auto end = find_head_end(text);
  require(end && end->all == text.size(), "the head has one end");
  const auto read = read_request_head(std::string_view(text).substr(0, end->head));
  const auto* head = std::get_if<RequestHead>(&read);
  require(head != nullptr, "what was taken can be read again");
  require(head->headers.all("Host") == Values{"app.example"}, "it names the application");
  require(head->headers.all("Cf-Access-Token") == Values{"token"}, "it has one token");
  require(head->target.starts_with('/'), "its target is a path");
  const auto framing = framing_of(*head);
  require(std::holds_alternative<BodyFraming>(framing) &&
              std::get<BodyFraming>(framing).kind == asked.framing.kind &&
              std::get<BodyFraming>(framing).length == asked.framing.length,
          "its body ends where it ended before");
  for (const char* name : {"TE", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection"})
    require(head->headers.all(name).empty(), "nothing between two hops is passed on");
  for (const auto cookie : head->headers.all("Cookie"))
    require(cookies_without_access(cookie) == cookie, "Access' cookies stay behind");
}

// How much of the bytes belongs to the body, and how it ended.
std::pair<std::size_t, int> body_of(const BodyFraming& framing, std::string_view bytes,
                                    std::size_t piece) {
  BodyScanner scanner(framing);
  std::size_t taken = 0;
  while (!scanner.over() && !scanner.malformed() && taken < bytes.size()) {
    const auto part = bytes.substr(taken, piece);
    const std::size_t size = scanner.take(part);
    require(size <= part.size(), "no more than there is");
    taken += size;
    if (size < part.size()) break;
  }
  return {taken, scanner.malformed() ? 2 : scanner.over() ? 1 : 0};
}

const Harness harness("http_request", [](std::string_view input) {
  Input in(input);
  const std::size_t piece = in.byte() % 16 + 1;
  const std::string_view text = in.rest();
  const auto end = find_head_end(text);
  const std::string_view head = end ? text.substr(0, end->head) : text;
  const auto judged = judge_request(head, place, parse_url("app.example"));
  if (const auto* page = std::get_if<Page>(&judged)) {
    require(page->status >= 400 && page->status < 600, "a page has a status");
    require(is_fit_to_show(page->message, 1000), "a page is fit to be shown");
    require(find_head_end(page_text(*page)).has_value(), "a page is an answer");
  } else {
    const auto& asked = std::get<AskedRequest>(judged);
    check_forwarded(asked);
    require(is_fit_to_show(asked.name(), 1000), "a name is fit to be shown");
    const std::string_view body = end ? text.substr(end->all) : std::string_view();
    require(body_of(asked.framing, body, body.size() + 1) == body_of(asked.framing, body, piece),
            "any split of the body gives the same end");
  }
});

}  // namespace
}  // namespace mayfly::fuzz
