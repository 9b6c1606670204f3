// What the server sends after the upgrade, whole and in pieces; the first byte says how large they
// are.
#include <string>
#include <vector>

#include "access/websocket/websocket.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

using websocket::Decoder;
using websocket::Event;
using Kind = Event::Kind;

// Payload that arrives without anything in between is one event, however it was handed out.
struct Seen {
  Kind kind;
  std::string payload;
  std::uint16_t code;
  std::string problem;
  bool operator==(const Seen&) const = default;
};

void note(std::vector<Seen>& seen, const Event& event) {
  if (event.kind == Kind::data && !seen.empty() && seen.back().kind == Kind::data) {
    seen.back().payload += as_text(event.payload);
  } else {
    seen.push_back(
        {event.kind, std::string(as_text(event.payload)), event.code, std::string(event.problem)});
  }
}

bool is_last(const Event& event) {
  return event.kind == Kind::close || event.kind == Kind::violation;
}

void check_event(const Event& event, std::span<const std::byte> piece) {
  if (event.kind == Kind::data)
    require(!event.payload.empty() && event.payload.data() >= piece.data() &&
                event.payload.data() + event.payload.size() <= piece.data() + piece.size(),
            "data lies in the input");
  else
    require(event.payload.size() <= websocket::max_control_body, "control frames are bounded");
  require((event.kind == Kind::violation) == !event.problem.empty(), "a violation has its name");
  if (event.kind == Kind::close)
    require(
        event.code >= 1000 && event.code < 5000 && decode_utf8(as_text(event.payload)).has_value(),
        "a close is well-formed");
}

std::vector<Seen> events_of(std::string_view stream, std::size_t piece_size) {
  Decoder decoder;
  std::vector<Seen> seen;
  for (; !stream.empty(); stream.remove_prefix(std::min(piece_size, stream.size()))) {
    const auto piece = as_bytes(stream.substr(0, piece_size));
    auto left = piece;
    for (;;) {
      const auto before = left.size();
      const Event event = decoder.next(left);
      require(left.size() <= before, "input only shrinks");
      if (event.kind == Kind::need_more) break;
      check_event(event, piece);
      note(seen, event);
      if (!is_last(event)) continue;
      const auto rest = left.size();
      require(decoder.next(left).kind == Kind::need_more && left.size() == rest,
              "nothing comes after the end");
      return seen;
    }
    require(left.empty(), "more is only wanted when all is used up");
  }
  return seen;
}

// Text that turns out to be none is handed out up to where its piece begins.
void drop_spoilt_text(std::vector<Seen>& seen) {
  if (seen.empty() || seen.back().code != websocket::close_code::bad_text) return;
  if (seen.size() > 1 && seen[seen.size() - 2].kind == Kind::data) seen.erase(seen.end() - 2);
}

const Harness harness("websocket", [](std::string_view input) {
  Input in(input);
  const std::size_t piece = in.byte() % 32 + 1;
  auto whole = events_of(in.rest(), in.rest().size());
  auto parts = events_of(in.rest(), piece);
  drop_spoilt_text(whole);
  drop_spoilt_text(parts);
  require(whole == parts, "any split of the input gives the same events");
});

}  // namespace
}  // namespace mayfly::fuzz
