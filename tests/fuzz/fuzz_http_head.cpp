// The answer to an upgrade, whole and in pieces; the first byte says how large they are.
#include <optional>

#include "access/answer/refusal.hpp"
#include "access/core/url.hpp"
#include "access/dial/upgrade.hpp"
#include "access/identity/credentials.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

struct Reading {
  bool whole = false;
  Response response;
  std::string rest;
};

// Nothing when it is refused.
std::optional<Reading> read(std::string_view text, std::size_t piece_size) {
  return result_of({ErrorKind::protocol}, [&] {
    Reading reading;
    ResponseReader reader;
    while (!reading.whole && !text.empty()) {
      const auto piece = text.substr(0, piece_size);
      text.remove_prefix(piece.size());
      reading.whole = reader.feed(as_bytes(piece));
    }
    if (reading.whole) {
      reading.response = reader.take_response();
      reading.rest = reader.take_rest().append(text);
    }
    return reading;
  });
}

void check_headers(const Response& response) {
  require(response.status >= 100 && response.status <= 999, "a status has three digits");
  for (const Header& header : response.headers) {
    require(header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
            "a header is one line");
    result_of({}, [&] { return header_line(header); });
  }
}

// The key and its answer are those of RFC 6455 section 1.3.
void check_upgrade(const Response& response) {
  if (upgrade_problem(response, "dGhlIHNhbXBsZSBub25jZQ==")) return;
  require(response.headers.find("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
          "an upgrade belongs to our key");
}

const Harness harness("http_head", [](std::string_view input) {
  Input in(input);
  const std::size_t piece = in.byte() % 64 + 1;
  const auto whole = read(in.rest(), in.rest().size());
  const auto parts = read(in.rest(), piece);
  require(whole.has_value() == parts.has_value(), "pieces are judged as the whole");
  if (!whole) return;
  require(whole->whole == parts->whole && whole->rest == parts->rest &&
              whole->response.status == parts->response.status &&
              whole->response.headers == parts->response.headers,
          "pieces are read as the whole");
  if (!whole->whole) return;

  Response response = whole->response;
  check_headers(response);
  check_upgrade(response);
  body_is_whole(response, whole->rest);
  response.body = whole->rest;
  const Url url{"vm.example.com", 443, "/", ""};
  if (response.status != 101) require_fit_to_show(explain_refusal(url, response));
  is_login_redirect(url, response, url.origin());
});

}  // namespace
}  // namespace mayfly::fuzz
