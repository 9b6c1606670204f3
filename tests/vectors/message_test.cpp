// llhttp, the HTTP reader of Node: requests and responses, and where they end. Two readers that
// disagree about an end can be led to take a part of one message for another one.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <variant>

#include "access/http1/body.hpp"
#include "access/http1/head.hpp"
#include "tests/vectors/vectors.hpp"

namespace {

using mayfly::Malformed;

struct Read {
  bool is_refused = false;
  std::size_t complete = 0, body = 0;  // messages, and bytes of their bodies
};

// Returns how the body is framed, or nullopt if head or framing is refused.
std::optional<mayfly::BodyFraming> framing(const std::string& kind, std::string_view head) {
  if (kind == "request") {
    const auto request = mayfly::read_request_head(head);
    if (std::holds_alternative<Malformed>(request)) return std::nullopt;
    const auto found = framing_of(std::get<mayfly::RequestHead>(request));
    const auto* framing = std::get_if<mayfly::BodyFraming>(&found);
    return framing == nullptr ? std::nullopt : std::optional(*framing);
  }
  const auto response = mayfly::read_response_head(head);
  if (std::holds_alternative<Malformed>(response)) return std::nullopt;
  const auto found = framing_of(std::get<mayfly::ResponseHead>(response), "GET");
  const auto* framing = std::get_if<mayfly::BodyFraming>(&found);
  return framing == nullptr ? std::nullopt : std::optional(*framing);
}

Read read(const std::string& kind, std::string_view text) {
  Read result;
  while (!text.empty()) {
    const auto end = mayfly::find_head_end(text);
    if (!end) {
      // Without its empty line a head is judged as far as its last whole line.
      const auto lines = text.rfind("\r\n");
      const bool has_lines = lines != std::string_view::npos && lines > 0;
      result.is_refused = has_lines && !framing(kind, text.substr(0, lines));
      return result;
    }
    const auto framed = framing(kind, text.substr(0, end->head));
    if (!framed) {
      result.is_refused = true;
      return result;
    }
    text.remove_prefix(end->all);
    mayfly::BodyScanner body(*framed);
    while (!body.over() && !body.malformed() && !text.empty()) {
      const auto part = body.next(text);
      if (part.sort == mayfly::BodyScanner::Part::Sort::data) result.body += part.size;
      text.remove_prefix(part.size);
      if (part.size == 0) break;
    }
    result.is_refused = body.malformed();
    if (result.is_refused || !body.over()) return result;
    ++result.complete;
  }
  return result;
}

}  // namespace

TEST_CASE("vectors: llhttp, HTTP/1.1 messages") {
  vectors::Verdicts verdicts("http");
  for (const nlohmann::json& test : vectors::data("messages")) {
    const Read ours = read(test[1], vectors::from_hex(test[2].get<std::string>()));
    const bool is_taken = test[3];
    const bool is_same = ours.complete == test[4].get<std::size_t>() && ours.body == test[5];
    verdicts.judge(test[0], is_taken ? !ours.is_refused && is_same : ours.is_refused);
  }
  verdicts.finish(165);
}
