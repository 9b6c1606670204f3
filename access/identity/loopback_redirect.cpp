#include "access/identity/loopback_redirect.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "access/core/clock.hpp"
#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/secret.hpp"
#include "access/core/text.hpp"
#include "access/http1/head.hpp"
#include "access/system/interrupt.hpp"

namespace mayfly {
namespace {

constexpr std::size_t most_visitors = 32;
constexpr std::size_t longest_request = 16384;
constexpr int tick_ms = 250;

constexpr std::string_view page =
    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>mayfly</title></head>"
    "<body><p>mayfly has got the answer of Access. You can close this page.</p></body></html>\n";

std::string answer(std::string_view status, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n"
      "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
      "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{}",
      status, body.size(), body);
}

// Takes as long for each text of the same size.
bool is_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<RedirectParameters> parameters_in(std::string_view query) {
  RedirectParameters parameters;
  for (const std::string_view pair : split(query, '&')) {
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    std::string value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), Plus::space);
    if (!parameters.emplace(percent_decode(pair.substr(0, equals), Plus::space), std::move(value))
             .second)
      return std::nullopt;
  }
  return parameters;
}

Error login_over(std::string_view why) {
  return Error(ErrorKind::login_needed, fmt::format("login not completed: {}", why),
               "run the command again");
}

}  // namespace

// A visitor who has gone, or of whom nothing is told now, could be anybody.
bool may_redirect(const PeerSocket& visitor) {
  return visitor.state == PeerSocket::State::held &&
         (visitor.user == 0 || visitor.user == ::geteuid());
}

std::optional<RedirectParameters> read_redirect(std::string_view text,
                                                const ExpectedRedirect& expected) {
  const auto read = read_request_head(text);
  const auto* head = std::get_if<RequestHead>(&read);
  if (head == nullptr || head->method != "GET") return std::nullopt;
  const auto hosts = head->headers.all("Host");
  if (hosts.size() != 1 || hosts.front() != expected.host) return std::nullopt;
  const std::string_view target = head->target;
  const auto question = std::min(target.find('?'), target.size());
  if (target.substr(0, question) != expected.path) return std::nullopt;
  auto parameters = parameters_in(target.substr(std::min(question + 1, target.size())));
  if (!parameters || !is_same((*parameters)["state"], expected.state)) return std::nullopt;
  return parameters;
}

LoopbackRedirect::LoopbackRedirect()
    : listening_(open_socket({.family = AF_INET, .blocking = Blocking::no})) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (!listening_ || ::bind(listening_.get(), raw, size) != 0 ||
      ::listen(listening_.get(), 16) != 0 || ::getsockname(listening_.get(), raw, &size) != 0)
    throw system_error("cannot listen on 127.0.0.1 for the end of the login", errno);
  port_ = ntohs(address.sin_port);
}

std::string LoopbackRedirect::host() const {
  return fmt::format("127.0.0.1:{}", port_);
}

std::string LoopbackRedirect::uri(std::string_view path) const {
  return fmt::format("http://{}{}", host(), path);
}

// A browser opens connections ahead, on which nothing comes; the oldest makes room. Other users
// neither get a place nor keep this busy.
void LoopbackRedirect::accept_visitors() {
  for (std::size_t i = 0; i < most_visitors; ++i) {
    Descriptor socket = accept_connection(listening_.get());
    if (!socket) return;
    if (tells_visitors_ && !may_redirect(peers_.other_end(socket.get()))) continue;
    if (visitors_.size() == most_visitors) visitors_.erase(visitors_.begin());
    visitors_.push_back({std::move(socket)});
  }
}

std::optional<RedirectParameters> LoopbackRedirect::hear(Visitor& visitor,
                                                         const ExpectedRedirect& expected) {
  std::array<char, 4096> room{};
  const ssize_t got = ::recv(visitor.socket.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (got <= 0) {
    visitor.socket = Descriptor();
    return std::nullopt;
  }
  visitor.received.append(room.data(), static_cast<std::size_t>(got));
  wipe(room.data(), room.size());
  const auto end = find_head_end(visitor.received);
  if (!end && visitor.received.size() < longest_request) return std::nullopt;
  std::optional<RedirectParameters> parameters;
  if (end)
    parameters = read_redirect(std::string_view(visitor.received).substr(0, end->head), expected);
  wipe(visitor.received);
  send_all(visitor.socket.get(), parameters ? answer("200 OK", page)
                                            : answer("404 Not Found", "<p>There is nothing here."));
  ::shutdown(visitor.socket.get(), SHUT_WR);
  visitor.socket = Descriptor();
  return parameters;
}

RedirectParameters LoopbackRedirect::wait(
    std::string_view path, std::string_view state, std::chrono::seconds patience,
    const std::function<void(std::chrono::seconds left)>& waiting) {
  const ExpectedRedirect expected{host(), std::string(path), std::string(state)};
  const TimeLimit limit(patience);
  while (!limit.is_over()) {
    waiting(std::chrono::ceil<std::chrono::seconds>(limit.left()));
    std::vector<pollfd> watched = {{listening_.get(), POLLIN, 0},
                                   {interrupt_descriptor(), POLLIN, 0}};
    for (const Visitor& visitor : visitors_) watched.push_back({visitor.socket.get(), POLLIN, 0});
    ::poll(watched.data(), watched.size(), tick_ms);
    if (interrupted_by() != 0) throw login_over("interrupted");
    for (Visitor& visitor : visitors_)
      if (auto parameters = hear(visitor, expected)) return *std::move(parameters);
    std::erase_if(visitors_, [](const Visitor& one) { return !one.socket; });
    accept_visitors();
  }
  throw login_over("nobody has logged in within the time");
}

}  // namespace mayfly
