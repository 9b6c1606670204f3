#include "access/dial/address_probe.hpp"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cerrno>

using namespace mayfly;
using namespace std::chrono_literals;
using asio::ip::tcp;
using Texts = std::vector<std::string>;

namespace {

const Url vm{.host = "vm.example.com", .path = "", .query = ""};

}  // namespace

TEST_CASE("addresses that are given are not asked for") {
  ConnectionOptions options;
  options.connect_to = {":443:127.0.0.1:8443"};
  const ProbedName mapped = probe_name(options, vm);
  CHECK(mapped.source == ProbedName::Source::given);
  CHECK(mapped.host == "127.0.0.1");
  CHECK(mapped.port == 8443);
  CHECK(mapped.ipv4 == Texts{"127.0.0.1"});
  CHECK(mapped.ipv6.empty());

  options.connect_to.clear();
  options.resolve = {"vm.example.com:443:127.0.0.1,[::1]"};
  const ProbedName pinned = probe_name(options, vm);
  CHECK(pinned.source == ProbedName::Source::given);
  CHECK(pinned.ipv4 == Texts{"127.0.0.1"});
  CHECK(pinned.ipv6 == Texts{"::1"});
  CHECK(pinned.port == 443);
}

TEST_CASE("names are asked for") {
  ConnectionOptions options;
  options.connect_to = {"::localhost:"};
  const ProbedName known = probe_name(options, vm);
  CHECK(known.source == ProbedName::Source::given);
  CHECK_FALSE((known.ipv4.empty() && known.ipv6.empty()));
  CHECK(known.failure == 0);

  options.connect_to = {"::no-such-name.invalid:"};
  const ProbedName unknown = probe_name(options, vm);
  CHECK(unknown.ipv4.empty());
  CHECK(unknown.ipv6.empty());
  CHECK(unknown.failure != 0);
  CHECK_FALSE(unknown.timed_out);
}

TEST_CASE("addresses answer or do not") {
  asio::io_context loop;
  tcp::acceptor acceptor(loop, {asio::ip::make_address("127.0.0.1"), 0});
  const std::uint16_t port = acceptor.local_endpoint().port();
  CHECK(probe_addresses({"127.0.0.1"}, port, 10s) == 0);
  CHECK(probe_addresses({"127.0.0.9", "127.0.0.1"}, port, 10s) == 0);
  acceptor.close();
  CHECK(probe_addresses({"127.0.0.1"}, port, 10s) == ECONNREFUSED);
}
