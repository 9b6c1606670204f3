// The answer to an upgrade, whole and in pieces; the first byte says how large they are.
#include <optional>

#include "access/answer/login.hpp"
#include "access/answer/refusal.hpp"
#include "access/core/url.hpp"
#include "access/dial/upgrade.hpp"
#include "access/http1/head.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

struct Reading {
  std::optional<ResponseHead> head;  // the final one
  std::string rest;
};

// Returns nullopt if the text is refused.
std::optional<Reading> read(std::string_view text, std::size_t piece_size) {
  Reading reading;
  ResponseReader reader;
  while (!reading.head && !text.empty()) {
    const auto piece = text.substr(0, piece_size);
    text.remove_prefix(piece.size());
    reader.feed(piece);
    for (auto next = reader.next(); next.index() != 0; next = reader.next()) {
      if (std::holds_alternative<Malformed>(next)) return std::nullopt;
      reading.head = std::get<ResponseHead>(std::move(next));
      if (is_final(*reading.head)) break;
      reading.head.reset();
    }
  }
  if (reading.head) reading.rest = reader.take_rest().append(text);
  return reading;
}

void check_headers(const ResponseHead& head) {
  require(head.status >= 100 && head.status <= 999, "a status has three digits");
  require(head.headers.size() <= most_fields, "the headers are bounded");
  for (const Header& header : head.headers) {
    require(header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
            "a header is one line");
    result_of({}, [&] { return header_line(header); });
  }
}

// The key and its answer are those of RFC 6455 section 1.3.
void check_upgrade(const Headers& headers) {
  if (upgrade_problem(headers, "dGhlIHNhbXBsZSBub25jZQ==")) return;
  require(headers.find("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
          "an upgrade belongs to our key");
}

const Harness harness("http_head", [](std::string_view input) {
  Input in(input);
  const std::size_t piece = in.byte() % 64 + 1;
  const auto whole = read(in.rest(), in.rest().size());
  const auto parts = read(in.rest(), piece);
  require(whole.has_value() == parts.has_value(), "pieces are judged as the whole");
  if (!whole) return;
  require(whole->head.has_value() == parts->head.has_value() && whole->rest == parts->rest,
          "pieces end as the whole");
  if (!whole->head) return;
  require(
      whole->head->status == parts->head->status && whole->head->headers == parts->head->headers,
      "pieces are read as the whole");

  const ResponseHead& head = *whole->head;
  check_headers(head);
  check_upgrade(head.headers);
  const Url url{"vm.example.com", 443, "/", ""};
  const Response response{.status = head.status, .headers = head.headers, .body = whole->rest};
  if (head.status != 101) require_fit_to_show(explain_refusal(url, response));
  wants_login(url, head.status, head.headers);
});

}  // namespace
}  // namespace mayfly::fuzz
