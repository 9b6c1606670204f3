// UTF-8 checked in pieces; the first byte says how large they are.

#include "access/websocket/websocket.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

const Harness harness("utf8", [](std::string_view input) {
  Input in(input);
  const std::size_t piece = in.byte() % 16 + 1;
  const std::string_view text = in.rest();

  websocket::Utf8Checker whole;
  const bool may_go_on = whole.feed(as_bytes(text));
  require((may_go_on && whole.complete()) == decode_utf8(text).has_value(),
          "exactly the texts that decode are taken");

  websocket::Utf8Checker parts;
  std::size_t fed = 0;
  bool good = true;
  while (good && fed < text.size()) {
    const auto next = text.substr(fed, piece);
    good = parts.feed(as_bytes(next));
    fed += next.size();
  }
  require(good == may_go_on, "pieces are judged as the whole");
  require(!good || parts.complete() == whole.complete(), "pieces end as the whole");
  // What may go on can be completed.
  if (may_go_on && !whole.complete()) {
    bool completes = false;
    for (const char* tail : {"\x80", "\x80\x80", "\x80\x80\x80", "\xa0\x80", "\x90\x80\x80"})
      completes = completes || decode_utf8(std::string(text) + tail);
    require(completes, "a beginning that is taken is one of a text");
  }
});

}  // namespace
}  // namespace mayfly::fuzz
