#include "access/pump/observed_end.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

using namespace mayfly;

namespace {

// An end with scripted results.
struct Scripted : LocalEnd {
  std::string text;
  IoResult answer;
  IoResult read(std::span<std::byte> into) override {
    std::memcpy(into.data(), text.data(), text.size());
    return answer;
  }
  IoResult write(std::span<const iovec>) override { return answer; }
};

using Seen = std::vector<std::pair<PayloadDirection, std::string>>;

}  // namespace

TEST_CASE("an observer sees exactly the bytes that were moved") {
  Scripted end;
  Seen seen;
  ObservedEnd observed(end, [&](PayloadDirection direction, std::string_view bytes) {
    seen.emplace_back(direction, bytes);
  });
  std::byte room[16];

  end.text = std::string("a\0b", 3);
  end.answer = {.bytes = 3};
  CHECK(observed.read(room).bytes == 3);
  CHECK(seen == Seen{{PayloadDirection::from_local, end.text}});

  seen.clear();
  char first[] = "first", second[] = "second";
  const iovec pieces[] = {{first, 5}, {second, 6}};
  end.answer = {.bytes = 7};
  CHECK(observed.write(pieces).bytes == 7);
  CHECK(seen == Seen{{PayloadDirection::to_local, "first"}, {PayloadDirection::to_local, "se"}});

  seen.clear();
  end.answer = {.state = IoResult::State::wait_writable};
  CHECK(observed.write(pieces).state == IoResult::State::wait_writable);
  end.answer = {.state = IoResult::State::ended};
  CHECK(observed.read(room).state == IoResult::State::ended);
  CHECK(seen.empty());
}
