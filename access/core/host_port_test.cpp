#include "access/core/host_port.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>

namespace mayfly {
namespace {

using Fields = std::vector<std::string_view>;

TEST_CASE("an IPv6 address is written in brackets, and read out of them") {
  CHECK(host_port("vm.example.com", 8443) == "vm.example.com:8443");
  CHECK(host_port("::1", 0) == "[::1]:0");
  CHECK(bracketed("192.0.2.1") == "192.0.2.1");
  CHECK(without_brackets("[2001:db8::1]") == "2001:db8::1");
  CHECK(without_brackets("vm.example.com") == "vm.example.com");
  CHECK(without_brackets("[::1") == "[::1");
}

TEST_CASE("colons inside brackets do not separate fields") {
  CHECK(colon_fields("[::1]:443:other:80") == Fields{"[::1]", "443", "other", "80"});
  CHECK(colon_fields("host:443:[2001:db8::1]:80") == Fields{"host", "443", "[2001:db8::1]", "80"});
  CHECK(colon_fields("::b:") == Fields{"", "", "b", ""});
  CHECK(colon_fields("") == Fields{""});
  CHECK(colon_fields("[::1") == Fields{"[", "", "1"});  // the bracket is not closed
  CHECK(colon_fields("[::1]x:80") == Fields{"[::1]x", "80"});
}

TEST_CASE("a port is written in decimal digits and fits 16 bits") {
  CHECK(parse_port("0") == 0);
  CHECK(parse_port("0443") == 443);
  CHECK(parse_port("65535") == 65535);
  for (const char* text : {"", "65536", "-1", "+1", " 1", "1 ", "0x1", "http"})
    CHECK_FALSE(parse_port(text));
}

TEST_CASE("addresses are told from names") {
  CHECK(is_ipv4("192.0.2.1"));
  CHECK_FALSE(is_ipv4("127.1"));
  CHECK(is_ipv6("::ffff:192.0.2.1"));
  CHECK_FALSE(is_ipv6("[::1]"));
  CHECK_FALSE(is_ipv6("fe80::1%eth0"));
  CHECK_FALSE(is_ipv6(std::string_view("::1\0x", 5)));
  const in_addr loopback{htonl(INADDR_LOOPBACK)};
  CHECK(address_text(AF_INET, &loopback) == "127.0.0.1");
  CHECK(address_text(AF_INET6, &in6addr_loopback) == "::1");
}

}  // namespace
}  // namespace mayfly
