#include "sshgen/agent.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/identity/place.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/platform.hpp"
#include "sshgen/wire.hpp"

namespace mayfly::sshgen {
namespace {

// draft-miller-ssh-agent section 6.1 and 6.3
enum Message : std::uint8_t {
  success = 6,
  request_identities = 11,
  identities_answer = 12,
  remove_identity = 18,
  add_id_constrained = 25,
};
constexpr std::uint8_t constrain_lifetime = 1;
constexpr std::uint8_t constrain_confirm = 2;

constexpr std::uint32_t largest_reply = 256 << 10;  // OpenSSH's AGENT_MAX_LEN
constexpr std::size_t most_identities = 2048;       // OpenSSH's MAX_AGENT_IDENTITIES

Error agent_error(std::string_view why) {
  return Error(ErrorKind::failed, fmt::format("ssh-agent: {}", why),
               "check SSH_AUTH_SOCK with: ssh-add -l");
}

Error call_error(std::string_view call) {
  return agent_error(system_error(call, errno).message());
}

void wait_until_ready(int fd, short events, const TimeLimit& limit) {
  std::array<pollfd, 2> polled{pollfd{fd, events, 0}, pollfd{interrupt_descriptor(), POLLIN, 0}};
  for (;;) {
    const auto left = limit.left();
    if (left.count() <= 0) throw agent_error("no answer in time");
    const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) throw call_error("poll");
    if (ready > 0 && polled[1].revents != 0) throw agent_error("interrupted");
    if (ready > 0) return;
  }
}

void send_all(int fd, std::string_view bytes, const TimeLimit& limit) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    else if (errno == EAGAIN)
      wait_until_ready(fd, POLLOUT, limit);
    else if (errno != EINTR)
      throw call_error("send");
  }
}

std::string receive(int fd, std::size_t size, const TimeLimit& limit) {
  std::string bytes(size, '\0');
  for (std::size_t have = 0; have < size;) {
    const auto got = ::recv(fd, bytes.data() + have, size - have, MSG_DONTWAIT);
    if (got == 0) throw agent_error("it closed the connection");
    if (got > 0)
      have += static_cast<std::size_t>(got);
    else if (errno == EAGAIN)
      wait_until_ready(fd, POLLIN, limit);
    else if (errno != EINTR)
      throw call_error("recv");
  }
  return bytes;
}

void limit_connect_time(int fd, std::chrono::milliseconds patience) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(patience);
  const timeval limit{
      seconds.count(),
      std::chrono::duration_cast<std::chrono::microseconds>(patience - seconds).count()};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

// The path of an agent that has ended is free: another user may listen there and collect keys. Root
// could read the memory of every agent anyway.
void refuse_agent_of_another_user(int socket) {
  const auto user = peer_user(socket);
  if (!user || *user == ::geteuid() || *user == 0) return;
  throw Error(ErrorKind::failed,
              fmt::format("ssh-agent: the one at SSH_AUTH_SOCK belongs to another user (uid {}), "
                          "who could use what it is given",
                          *user),
              "start one of your own with: eval \"$(ssh-agent)\"");
}

}  // namespace

Agent Agent::connect(std::string_view socket_path, std::chrono::milliseconds patience) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.empty())
    throw Error(ErrorKind::failed, "ssh-agent: SSH_AUTH_SOCK is not set",
                "start one with: eval \"$(ssh-agent)\"");
  if (socket_path.size() >= sizeof address.sun_path)
    throw agent_error("the path in SSH_AUTH_SOCK is too long for a socket");
  socket_path.copy(address.sun_path, socket_path.size());

  Descriptor socket = open_socket({.family = AF_UNIX});
  if (!socket) throw call_error("socket");
  limit_connect_time(socket.get(), patience);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw call_error("connect");
  refuse_agent_of_another_user(socket.get());
  return Agent(std::move(socket), patience);
}

std::string Agent::ask(std::string_view message) {
  const TimeLimit limit(patience_);
  WireWriter framed;
  framed.string(message);
  send_all(socket_.get(), framed.bytes(), limit);
  const auto size = WireReader(receive(socket_.get(), 4, limit)).uint32();
  if (size == 0 || size > largest_reply)
    throw agent_error(fmt::format("it announces an answer of {} bytes", size));
  return receive(socket_.get(), size, limit);
}

std::vector<AgentIdentity> Agent::identities() {
  WireWriter message;
  message.byte(request_identities);
  const auto reply = ask(message.bytes());
  WireReader reader(reply);
  if (reader.byte() != identities_answer) throw agent_error("it does not list its keys");
  const auto count = reader.uint32();
  if (count > most_identities) throw agent_error(fmt::format("it claims to hold {} keys", count));
  std::vector<AgentIdentity> identities;
  while (identities.size() < count && reader.ok()) {
    std::string blob(reader.string());
    identities.push_back({std::move(blob), std::string(reader.string())});
  }
  if (!reader.complete()) throw agent_error("its list of keys is malformed");
  return identities;
}

void Agent::add(const AgentAddition& addition) {
  // Other agents than OpenSSH's may store the lifetime as a signed 32-bit number.
  constexpr std::int64_t longest = 0x7fffffff;
  const auto lifetime = std::clamp<std::int64_t>(addition.lifetime.count(), 1, longest);
  WireWriter message;
  message.byte(add_id_constrained)
      .string(addition.certificate.type)
      .string(addition.certificate.blob)
      .raw(addition.pair.agent_private.reveal())
      .string(addition.comment)
      .byte(constrain_lifetime)
      .uint32(static_cast<std::uint32_t>(lifetime));
  if (addition.confirmation == Confirmation::each_use) message.byte(constrain_confirm);
  const auto reply = ask(message.bytes());
  if (reply.size() != 1 || WireReader(reply).byte() != success)
    throw Error(
        ErrorKind::failed, "ssh-agent: it refuses the certificate",
        "it may be locked, or not take certificates with a lifetime or with --agent-confirm as "
        "OpenSSH's does; "
        "leave out --agent to keep the certificate in files");
}

bool Agent::remove(std::string_view blob) {
  WireWriter message;
  message.byte(remove_identity).string(blob);
  return WireReader(ask(message.bytes())).byte() == success;
}

Agent::Held Agent::held(std::string_view comment, std::chrono::sys_seconds now) {
  Held held;
  for (const auto& identity : identities()) {
    if (identity.comment != comment) continue;
    ++held.all;
    auto certificate = parse_certificate_blob(identity.blob);
    if (certificate && certificate->usable_at(now) &&
        (!held.valid || certificate->valid_before >= held.valid->valid_before))
      held.valid = std::move(certificate);
  }
  return held;
}

std::optional<Certificate> Agent::find_valid(std::string_view comment,
                                             std::chrono::sys_seconds now) {
  return held(comment, now).valid;
}

std::optional<Certificate> Agent::keep_valid(std::string_view comment,
                                             std::chrono::sys_seconds now) {
  auto valid = find_valid(comment, now);
  if (valid) remove_all(comment, valid->blob);
  return valid;
}

std::size_t Agent::remove_all(std::string_view comment, std::string_view keep) {
  std::size_t removed = 0;
  for (const auto& identity : identities())
    if (identity.comment == comment && identity.blob != keep && remove(identity.blob)) ++removed;
  return removed;
}

std::string agent_comment(const Url& url) {
  return "mayfly:" + key_place_of(url);
}

}  // namespace mayfly::sshgen
