// What the edge answers to a request of the HTTP listener: a head, and chunks.
#include <string>

#include "access/forward/http_rewrite.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

void check_passed_on(const ResponseHead& head, const BodyFraming& body) {
  const ResponseChanges changes{.site = {"127.0.0.1:8080", parse_url("app.example")}, .body = body};
  const std::string text = response_text(head, changes);
  const auto end = find_head_end(text);
  require(end && end->all == text.size(), "the head has one end");
  const auto read = read_response_head(std::string_view(text).substr(0, end->head));
  const auto* again = std::get_if<ResponseHead>(&read);
  require(again != nullptr && again->status == head.status, "what was taken can be read again");
  for (const auto cookie : again->headers.all("Set-Cookie"))
    require(!cookie.starts_with("CF_Authorization="), "Access' cookies stay behind");
  require(again->headers.all("Strict-Transport-Security").empty(), "HTTP stays possible");
  const auto framing = framing_of(*again, "GET");
  require(std::holds_alternative<BodyFraming>(framing), "its framing is one");
  if (body.kind != BodyFraming::Kind::none)
    require(std::get<BodyFraming>(framing).kind == body.kind,
            "its body ends where it ended before");
}

const Harness harness("http_answer", [](std::string_view input) {
  const auto end = find_head_end(input);
  const auto read = read_response_head(end ? input.substr(0, end->head) : input);
  if (std::holds_alternative<Malformed>(read)) return;
  const auto& head = std::get<ResponseHead>(read);
  const auto framing = framing_of(head, "GET");
  if (std::holds_alternative<Malformed>(framing)) return;
  check_passed_on(head, std::get<BodyFraming>(framing));
  if (!end) return;
  BodyScanner scanner(std::get<BodyFraming>(framing));
  const std::string_view body = input.substr(end->all);
  std::size_t size = 0;
  for (BodyScanner::Part part; (part = scanner.next(body.substr(size))).size > 0;)
    size += part.size;
  require(size <= body.size(), "no more than there is");
});

}  // namespace
}  // namespace mayfly::fuzz
