// The places for connections at a listener, and the connections that are ended to free one.
#include "access/listen/admission.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace mayfly;

namespace {

using Guest = std::shared_ptr<Admission::Guest>;

// A listener with few places, and the names of the connections that were ended.
struct Listener {
  explicit Listener(const Admission::Limits& limits = {.connections = 3,
                                                       .unfinished = 100,
                                                       .bytes = 300})
      : admission(std::make_shared<Admission>(limits)) {}

  Guest half_open(const std::string& name, std::size_t bytes = 0) {
    Guest guest = admission->admit();
    REQUIRE(guest);
    guest->is_half_open([this, name] { ended.push_back(name); });
    CHECK(guest->hold(bytes));
    return guest;
  }

  std::shared_ptr<Admission> admission;
  std::vector<std::string> ended;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("connections that are being served keep their places, and no more come") {
  Listener listener;
  std::vector<Guest> guests;
  for (int i = 0; i < 3; ++i) guests.push_back(listener.admission->admit());
  CHECK_FALSE(listener.admission->admit());
  guests.pop_back();
  CHECK(listener.admission->connections() == 2);
  CHECK(listener.admission->admit());
}

TEST_CASE("the connection that has been half-open for longest makes room for the next") {
  Listener listener;
  const Guest first = listener.half_open("first"), second = listener.half_open("second");
  const Guest busy = listener.half_open("busy");
  busy->is_busy();
  const Guest third = listener.half_open("third");
  CHECK(listener.ended == Names{"first"});
  const Guest fourth = listener.half_open("fourth");
  CHECK(listener.ended == Names{"first", "second"});
  CHECK(listener.admission->connections() == 3);
}

TEST_CASE("a connection that stays half-open keeps its age") {
  Listener listener;
  const Guest first = listener.half_open("first"), second = listener.half_open("second");
  const Guest third = listener.half_open("third");
  first->is_half_open([] { FAIL("it was half-open before"); });
  const Guest fourth = listener.half_open("fourth");
  CHECK(listener.ended == Names{"first"});
}

TEST_CASE("an idle connection ends if no connection is half-open") {
  Listener listener;
  const Guest idle = listener.half_open("unused");
  idle->is_busy();
  idle->is_idle([&] { listener.ended.emplace_back("idle"); });
  const Guest half = listener.half_open("half-open"), busy = listener.admission->admit();
  const Guest next = listener.admission->admit();
  CHECK(listener.ended == Names{"half-open"});
  const Guest after = listener.admission->admit();
  CHECK(listener.ended == Names{"half-open", "idle"});
  CHECK_FALSE(listener.admission->admit());
}

TEST_CASE("if there are too many bytes, the oldest unfinished requests with bytes are ended") {
  Listener listener({.connections = 10, .unfinished = 100, .bytes = 300});
  const Guest empty = listener.half_open("empty"), first = listener.half_open("first", 60);
  const Guest second = listener.half_open("second", 30), third = listener.half_open("third", 20);
  CHECK(listener.ended == Names{"first"});
  CHECK(listener.admission->bytes() == 50);
  CHECK_FALSE(first->hold(10));
  CHECK(third->hold(70));
  CHECK(listener.ended == Names{"first"});
  CHECK_FALSE(third->hold(120));  // too much even alone
  CHECK(listener.ended == Names{"first", "second", "third"});
  CHECK(listener.admission->bytes() == 0);
}

TEST_CASE("requests that are served are not ended, and further ones are refused") {
  Listener listener({.connections = 10, .unfinished = 100, .bytes = 300});
  std::vector<Guest> served;
  for (int i = 0; i < 3; ++i) {
    served.push_back(listener.half_open("served", 90));
    served.back()->is_busy();
  }
  const Guest half = listener.half_open("half-open", 20);
  const Guest next = listener.admission->admit();
  CHECK_FALSE(next->hold(90));
  CHECK(listener.ended == Names{"half-open"});
  CHECK(next->hold(0));
  served.clear();
  CHECK(next->hold(90));
  CHECK(listener.admission->bytes() == 90);
}

TEST_CASE("the place of a connection is free once the connection is gone, in any state") {
  Listener listener;
  for (int round = 0; round < 100; ++round) {
    const Guest half = listener.half_open("half-open", 10);
    const Guest idle = listener.half_open("idle", 10);
    idle->is_busy();
    idle->hold(0);
    idle->is_idle([] {});
    const Guest busy = listener.half_open("busy", 10);
    busy->is_busy();
    CHECK(listener.admission->bytes() == 20);
  }
  CHECK(listener.admission->connections() == 0);
  CHECK(listener.admission->bytes() == 0);
  CHECK(listener.ended.empty());
}

TEST_CASE("the limit leaves two descriptors for each connection, and some for other files") {
  CHECK(Admission::limits_under(1024).connections == 448);
  CHECK(Admission::limits_under(0).connections == 16);
  CHECK(Admission::limits_under(64).connections == 16);
  CHECK(Admission::limits_under(1 << 20).connections == 10'000);
  CHECK(Admission::limits_under(static_cast<std::size_t>(-1)).connections == 10'000);
}

TEST_CASE("without an admission there are no limits") {
  Admission::Guest guest;
  guest.is_half_open([] { FAIL("it was ended"); });
  CHECK(guest.hold(std::size_t{1} << 40));
  guest.is_busy();
}

TEST_CASE("a crowd has left when a quarter of it is there, and again when a quarter of these is") {
  const auto admission = std::make_shared<Admission>(Admission::Limits{.connections = 400});
  int left = 0;
  admission->on_crowd_left([&] { ++left; });
  std::vector<Guest> guests;
  const auto remain = [&](std::size_t count) {
    while (guests.size() > count) guests.pop_back();
    return left;
  };
  while (guests.size() < 400) guests.push_back(admission->admit());
  CHECK(remain(101) == 0);
  CHECK(remain(100) == 1);
  CHECK(remain(26) == 1);
  CHECK(remain(25) == 2);
  CHECK(remain(0) == 2);  // 25 are no crowd
}
