#include "access/testing/program.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace mayfly::testing {
LocalPair tcp_pair() {
  const Descriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Descriptor programs(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listening.get(), generic, size) == 0);
  REQUIRE(::listen(listening.get(), 1) == 0);
  REQUIRE(::getsockname(listening.get(), generic, &size) == 0);
  REQUIRE(::connect(programs.get(), generic, size) == 0);
  Descriptor accepted(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  REQUIRE(accepted);
  const int on = 1;  // as the listener does with its end, and programs with theirs
  ::setsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(programs.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {.listeners = std::move(accepted),
          .programs = std::move(programs),
          .host = "127.0.0.1:" + std::to_string(ntohs(address.sin_port))};
}

LocalPair unix_pair() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  REQUIRE(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
  return {.listeners = Descriptor(ends[0]), .programs = Descriptor(ends[1]), .host = "app.local"};
}

Answer AnswerReader::next() {
  Answer answer;
  framing_.clear();
  auto head = line();
  if (!head) return answer;
  const std::string status = head->substr(head->find(' ') + 1, 3);
  while ((head = line()) && !head->empty())
    if (head->starts_with("Content-Length: ") || head->starts_with("Transfer-Encoding: "))
      framing_ = *head;
  if (!head) return answer;
  answer.status = std::stoi(status);
  body_of(answer);
  return answer;
}

void AnswerReader::body_of(Answer& answer) {
  const std::size_t colon = framing_.find(": ");
  if (framing_.starts_with("Content-Length")) {
    answer.whole = take(std::stoul(framing_.substr(colon + 2)), answer.body);
  } else if (framing_.starts_with("Transfer-Encoding")) {
    answer.whole = chunks(answer.body);
  } else {
    while (more()) continue;
    answer.body = std::exchange(text_, {});
    answer.whole = end_ == End::orderly;
  }
}

bool AnswerReader::chunks(std::string& into) {
  while (const auto size = line()) {
    const std::size_t count = std::stoul(*size, nullptr, 16);
    if (count > 0 && !take(count, into)) return false;
    const auto after = line();
    if (!after || !after->empty()) return false;
    if (count == 0) return true;
  }
  return false;
}

bool AnswerReader::more() {
  if (end_ != End::none) return false;
  std::array<char, 65536> room;
  const ssize_t count = ::recv(socket_, room.data(), room.size(), 0);
  if (count <= 0) end_ = count == 0 ? End::orderly : End::reset;
  if (count > 0) text_.append(room.data(), static_cast<std::size_t>(count));
  return count > 0;
}

std::optional<std::string> AnswerReader::line() {
  std::size_t at = 0;
  while ((at = text_.find("\r\n")) == std::string::npos)
    if (!more()) return std::nullopt;
  std::string line = text_.substr(0, at);
  text_.erase(0, at + 2);
  return line;
}

// Appends as much of it as there is.
bool AnswerReader::take(std::size_t size, std::string& into) {
  while (text_.size() < size && more()) continue;
  const bool whole = text_.size() >= size;
  into += text_.substr(0, size);
  text_.erase(0, size);
  return whole;
}

std::vector<Answer> converse(Descriptor socket, const std::vector<std::string>& requests) {
  std::vector<Answer> answers;
  AnswerReader reader(socket.get());
  for (const std::string& request : requests) {
    // An answer that came before the connection was closed is still read.
    static_cast<void>(send_all(socket.get(), request));
    answers.push_back(reader.next());
    if (!answers.back().whole) break;
  }
  return answers;
}

}  // namespace mayfly::testing
