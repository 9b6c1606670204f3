#include "access/dial/address_probe.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/this_coro.hpp>
#include <cerrno>

#include "access/core/host_port.hpp"
#include "access/dial/connect.hpp"
#include "access/dial/endpoints.hpp"
#include "access/io/deadline.hpp"
#include "access/io/run_to_end.hpp"

namespace mayfly {
namespace {

using asio::ip::tcp;

void add(ProbedName& probed, const std::vector<tcp::endpoint>& found) {
  for (const tcp::endpoint& one : found) {
    const asio::ip::address address = one.address();
    (address.is_v6() ? probed.ipv6 : probed.ipv4).push_back(address.to_string());
  }
}

asio::awaitable<ProbedName> ask_for(Target target, std::chrono::milliseconds patience) {
  ProbedName probed{.host = target.host};
  if (!known(target).empty()) probed.source = ProbedName::Source::given;
  Deadline deadline(co_await asio::this_coro::executor, patience);
  const LookedUp result = co_await look_up(std::move(target), deadline);
  add(probed, result.found);
  probed.failure = result.failure;
  probed.timed_out = deadline.expired();
  co_return probed;
}

asio::awaitable<int> connect_and_hang_up(std::vector<tcp::endpoint> endpoints,
                                         std::chrono::milliseconds patience) {
  Deadline deadline(co_await asio::this_coro::executor, patience);
  const Connected connected = co_await connect_to_any(std::move(endpoints), deadline);
  if (connected.socket) co_return 0;
  co_return deadline.expired() ? ETIMEDOUT : connected.error.value();
}

}  // namespace

ProbedName probe_name(const ConnectionOptions& options, const Url& url) {
  const Target target = redirected({url.host, std::to_string(url.port)}, options.connect_to);
  ProbedName probed;
  if (const auto fixed = pinned(target, options.resolve); !fixed.empty()) {
    probed = {.host = target.host, .source = ProbedName::Source::given};
    add(probed, fixed);
  } else {
    asio::io_context loop;
    probed = run_to_end(loop, ask_for(target, options.connect_timeout));
  }
  probed.port = parse_port(target.port).value_or(0);
  return probed;
}

int probe_addresses(const std::vector<std::string>& addresses, std::uint16_t port,
                    std::chrono::milliseconds patience) {
  std::vector<tcp::endpoint> endpoints;
  endpoints.reserve(addresses.size());
  for (const std::string& address : addresses)
    endpoints.emplace_back(asio::ip::make_address(address), port);
  asio::io_context loop;
  return run_to_end(loop, connect_and_hang_up(std::move(endpoints), patience));
}

}  // namespace mayfly
