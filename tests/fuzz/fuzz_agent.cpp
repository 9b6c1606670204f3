// What an agent replies: framed here, or (first byte 1, 3, ...) as it comes.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "access/system/descriptor.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "sshgen/agent.hpp"
#include "sshgen/wire.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshgen;

// In the abstract namespace (unix(7)): no file is left behind.
class Listener {
 public:
  Listener() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sun_family = AF_UNIX;
    const std::string name = "mayfly-fuzz-" + std::to_string(::getpid());
    name.copy(address_.sun_path + 1, sizeof address_.sun_path - 1);
    require(
        ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0 &&
            ::listen(socket_.get(), 1) == 0,
        "there is a socket for the agent");
  }
  std::string_view path() const { return {address_.sun_path, sizeof address_.sun_path - 1}; }
  Descriptor accept() const {
    return Descriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

 private:
  Descriptor socket_;
  sockaddr_un address_{};
};

// An agent whose answers are there before it is asked.
Agent agent_that_says(std::string_view replies, Descriptor& its_end) {
  static const Listener listener;
  Agent agent = Agent::connect(listener.path());
  its_end = listener.accept();
  const auto sent =
      ::send(its_end.get(), replies.data(), replies.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  require(sent == static_cast<ssize_t>(replies.size()), "the replies fit into the socket");
  ::shutdown(its_end.get(), SHUT_WR);
  return agent;
}

const Harness harness("agent", [](std::string_view input) {
  Input in(input.substr(0, 64 << 10));
  WireWriter replies;
  if (in.byte() % 2 == 1)
    replies.raw(in.rest());
  else
    replies.string(in.rest()).string("\x06");

  Descriptor end;
  const auto identities = result_of(
      {ErrorKind::failed}, [&] { return agent_that_says(replies.bytes(), end).identities(); });
  if (identities) {
    std::size_t bytes = 0;
    for (const auto& [blob, comment] : *identities) bytes += 8 + blob.size() + comment.size();
    require(bytes <= replies.bytes().size(), "all of it came from the agent");
  }
  const auto valid = result_of({ErrorKind::failed}, [&] {
    return agent_that_says(replies.bytes(), end).find_valid("mayfly:vm.example.com", now);
  });
  require(valid.has_value() == identities.has_value(), "one reply is judged alike");
  if (valid && *valid) require((*valid)->usable_at(now), "what is found is usable");
  result_of({ErrorKind::failed}, [&] {
    return agent_that_says(replies.bytes(), end).remove_all("mayfly:vm.example.com");
  });
});

}  // namespace
}  // namespace mayfly::fuzz
