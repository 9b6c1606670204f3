#include "access/dial/endpoints.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/ip/address.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/loopback_name.hpp"
#include "access/core/release.hpp"
#include "access/core/text.hpp"
#include "access/io/deadline.hpp"
#include "access/io/watched_descriptor.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly {
namespace {

using asio::ip::tcp;
using Endpoints = std::vector<tcp::endpoint>;

// Returns the fields of "HOST:PORT:HOST2:PORT2". Fields that are missing are empty.
std::array<std::string, 4> mapping_of(std::string_view text) {
  std::array<std::string, 4> mapping;
  const auto fields = colon_fields(text);
  for (std::size_t i = 0; i < std::min(fields.size(), mapping.size()); ++i)
    mapping[i] = without_brackets(fields[i]);
  return mapping;
}

std::optional<tcp::endpoint> literal(std::string_view address, std::string_view port) {
  asio::error_code error;
  const auto parsed = asio::ip::make_address(std::string(address), error);
  if (error) return std::nullopt;
  return tcp::endpoint(parsed, parse_port(port).value_or(0));
}

// Alternates the address families, beginning with that of the first address.
Endpoints interleaved(const Endpoints& all) {
  Endpoints ordered;
  std::size_t next[2] = {0, 0};
  const auto take = [&](bool v6, std::size_t& at) {
    while (at < all.size() && all[at].address().is_v6() != v6) ++at;
    if (at < all.size()) ordered.push_back(all[at++]);
  };
  bool v6 = !all.empty() && all.front().address().is_v6();
  while (ordered.size() < all.size()) {
    take(v6, next[v6 ? 1 : 0]);
    v6 = !v6;
  }
  return ordered;
}

LookedUp ask(const Target& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (const int failure = getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &list);
      failure != 0)
    return {.found = {}, .failure = failure, .shortage = descriptor_shortage()};
  const std::unique_ptr<addrinfo, Release<freeaddrinfo>> owner(list);
  Endpoints found;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    tcp::endpoint endpoint;
    if (one->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), one->ai_addr, one->ai_addrlen);
    endpoint.resize(one->ai_addrlen);
    found.push_back(endpoint);
  }
  return {.found = interleaved(found)};
}

// Shared by the thread and the loop. The thread writes to the pipe once `result` is set.
struct LookUp {
  Target target;
  LookedUp result;
  Pipe pipe;

  explicit LookUp(Target wanted)
      : target(std::move(wanted)), pipe(make_pipe(fmt::format("cannot look up {}", target.host))) {}
};

void start(const std::shared_ptr<LookUp>& look_up) {
  std::thread([look_up] {
    look_up->result = ask(look_up->target);
    [[maybe_unused]] const auto told = write(look_up->pipe.writing.get(), "!", 1);
  }).detach();
}

}  // namespace

Target redirected(const Target& target, const std::vector<std::string>& connect_to) {
  for (const std::string& entry : connect_to) {
    const auto [host, port, new_host, new_port] = mapping_of(entry);
    if (!host.empty() && !equals_ignoring_case(host, target.host)) continue;
    if (!port.empty() && port != target.port) continue;
    return {.host = new_host.empty() ? target.host : new_host,
            .port = new_port.empty() ? target.port : new_port};
  }
  return target;
}

Endpoints pinned(const Target& target, const std::vector<std::string>& resolve) {
  Endpoints found;
  for (const std::string& entry : resolve) {
    std::string_view rest = entry;
    if (rest.starts_with('+')) rest.remove_prefix(1);
    const auto fields = colon_fields(rest);
    if (fields.size() < 3) continue;
    const std::string_view host = without_brackets(fields[0]), port = fields[1];
    rest = rest.substr(static_cast<std::size_t>(fields[2].data() - rest.data()));
    if ((host != "*" && !equals_ignoring_case(host, target.host)) || port != target.port) continue;
    for (std::string_view address : split(rest, ',')) {
      if (const auto endpoint = literal(without_brackets(address), port))
        found.push_back(*endpoint);
    }
    if (!found.empty()) return found;
  }
  return found;
}

Endpoints known(const Target& target) {
  if (const auto endpoint = literal(target.host, target.port)) return {*endpoint};
  if (!is_loopback_name(target.host)) return {};
  const std::uint16_t port = parse_port(target.port).value_or(0);
  return {{asio::ip::address_v6::loopback(), port}, {asio::ip::address_v4::loopback(), port}};
}

asio::awaitable<LookedUp> look_up(Target target, Deadline& deadline) {
  if (LookedUp without_service{.found = known(target)}; !without_service.found.empty())
    co_return without_service;
  const auto shared = std::make_shared<LookUp>(std::move(target));
  start(shared);
  WatchedDescriptor done(co_await asio::this_coro::executor, shared->pipe.reading.get());
  deadline.cancel_by([&done] { done.cancel(); });
  asio::error_code error;
  co_await done.wait(WatchedDescriptor::For::wait_read,
                     asio::redirect_error(asio::use_awaitable, error));
  deadline.cancel_by({});
  // Reading the byte orders the thread's write of `result` before the read below.
  char told = 0;
  if (error || read(shared->pipe.reading.get(), &told, 1) != 1) co_return LookedUp{};
  co_return shared->result;
}

}  // namespace mayfly
