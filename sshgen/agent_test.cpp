#include "sshgen/agent.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <thread>

#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "sshgen/testing/agent_process.hpp"
#include "sshgen/wire.hpp"

namespace mayfly::sshgen {

AgentProcess::AgentProcess() : socket_(scratch_.path_of("agent")) {
  // It returns when the socket takes connections.
  const auto told = output_of("ssh-agent -s -a " + socket_);
  const std::string name = "SSH_AGENT_PID=";
  pid_ = std::stoi(told.substr(told.find(name) + name.size()));
}

AgentProcess::~AgentProcess() {
  ::kill(pid_, SIGTERM);
}

std::string AgentProcess::ssh_add(const std::string& options) const {
  return output_of("SSH_AUTH_SOCK=" + socket_ + " ssh-add " + options + " 2>/dev/null");
}

namespace {

using namespace std::literals;
using std::chrono::seconds;

std::chrono::sys_seconds present() {
  return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

struct Certified {
  KeyPair pair;
  std::string line;
  Certificate certificate;

  explicit Certified(KeyType type, const std::string& validity = "-5m:+1h")
      : pair(generate_key_pair(type)),
        line(Authority().sign(pair.public_line(), "-I id -n jdoe -V " + validity)),
        certificate(parse_certificate(line).value()) {}
  AgentAddition under(const std::string& comment, seconds lifetime = seconds(3600)) const {
    return {pair, certificate, comment, lifetime};
  }
};

TEST_CASE("agent: OpenSSH's agent takes our certificate, lists it and signs with it") {
  for (const auto type : {KeyType::ecdsa, KeyType::ed25519}) {
    const AgentProcess process;
    const Scratch scratch;
    const Certified certified(type);
    auto agent = Agent::connect(process.socket());
    CHECK(agent.identities().empty());
    agent.add(certified.under("mayfly:vm.example.com"));

    const auto identities = agent.identities();
    REQUIRE(identities.size() == 1);
    CHECK(identities[0].blob == certified.certificate.blob);
    CHECK(identities[0].comment == "mayfly:vm.example.com");
    CHECK(process.ssh_add("-L") == certified.certificate.type + " " +
                                       base64_encode(certified.certificate.blob, Base64::standard) +
                                       " mayfly:vm.example.com\n");
    process.ssh_add("-T " + scratch.file("key-cert.pub", certified.line));

    CHECK(agent.remove(certified.certificate.blob));
    CHECK_FALSE(agent.remove(certified.certificate.blob));
    CHECK(agent.identities().empty());
  }
}

TEST_CASE("agent: finds the certificate under this comment that expires last") {
  const AgentProcess process;
  auto agent = Agent::connect(process.socket());
  const Certified hour(KeyType::ecdsa), day(KeyType::ed25519, "-5m:+1d"),
      ended(KeyType::ecdsa, "-2h:-1h"), foreign(KeyType::ecdsa, "-5m:+2d");
  agent.add(hour.under("mayfly:a"));
  agent.add(day.under("mayfly:a"));
  agent.add(ended.under("mayfly:a"));
  agent.add(foreign.under("mayfly:b"));
  CHECK(agent.find_valid("mayfly:a", present())->blob == day.certificate.blob);
  CHECK_FALSE(agent.find_valid("mayfly:a", present() + std::chrono::hours(25)));
  CHECK_FALSE(agent.find_valid("mayfly:c", present()));

  CHECK(agent.remove_all("mayfly:a", day.certificate.blob) == 2);
  CHECK(agent.identities().size() == 2);
  CHECK(agent.remove_all("mayfly:a") == 1);
  CHECK(agent.find_valid("mayfly:b", present()));
}

TEST_CASE("agent: keeps one valid certificate under a comment and removes the others") {
  const AgentProcess process;
  auto agent = Agent::connect(process.socket());
  const Certified hour(KeyType::ecdsa), day(KeyType::ed25519, "-5m:+1d"),
      foreign(KeyType::ecdsa, "-5m:+2d");
  agent.add(hour.under("mayfly:a"));
  agent.add(day.under("mayfly:a"));
  agent.add(foreign.under("mayfly:b"));
  CHECK_FALSE(agent.keep_valid("mayfly:a", present() + std::chrono::hours(25)));
  CHECK(agent.identities().size() == 3);
  CHECK(agent.keep_valid("mayfly:a", present())->blob == day.certificate.blob);
  CHECK(agent.identities().size() == 2);
  CHECK(agent.find_valid("mayfly:b", present()));
}

TEST_CASE("agent: does not take a plain key under our comment for a certificate") {
  const AgentProcess process;
  const Scratch scratch;
  const auto key = scratch.path_of("key");
  output_of("ssh-keygen -q -t ed25519 -N '' -C mayfly:a -f " + key);
  process.ssh_add("-q " + key);
  auto agent = Agent::connect(process.socket());
  CHECK(agent.identities().size() == 1);
  CHECK_FALSE(agent.find_valid("mayfly:a", present()));
}

TEST_CASE("agent: a locked agent refuses to add") {
  const AgentProcess process;
  auto agent = Agent::connect(process.socket());
  // draft-miller-ssh-agent: SSH_AGENTC_LOCK, as ssh-add -x sends it after asking on a terminal.
  output_of(
      "printf '\\0\\0\\0\\010\\026\\0\\0\\0\\003abc' | timeout 5 perl -MIO::Socket::UNIX -e '"
      "my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die; print $s <STDIN>; "
      "$s->flush; read $s, my $b, 5; exit(ord(substr $b, 4) != 6)' " +
      process.socket());
  CHECK_THROWS_AS(agent.add(Certified(KeyType::ecdsa).under("mayfly:a")), Error);
}

TEST_CASE("agent: a path that is not a socket is refused") {
  const Scratch scratch;
  for (const auto& path : {std::string(), scratch.path_of("nothing"), scratch.file("file", "x"),
                           std::string(200, 'x')}) {
    try {
      Agent::connect(path);
      FAIL("connected");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::failed);
      CHECK_FALSE(error.hint().empty());
    }
  }
}

TEST_CASE("agent: comments are named from host and path") {
  CHECK(agent_comment(parse_url("VM.example.com")) == "mayfly:vm.example.com");
  CHECK(agent_comment(parse_url("https://vm.example.com/")) == "mayfly:vm.example.com");
  CHECK(agent_comment(parse_url("vm.example.com/a/b")) == "mayfly:vm.example.com-a-b");
}

// Takes one connection, reads one message, and answers with given bytes: then hangs up, or stays
// silent until it ends.
class ScriptedAgent {
 public:
  enum class Then { hang_up, stay };
  ScriptedAgent(std::string reply, Then then)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), reply_(std::move(reply)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    REQUIRE(::bind(listener_.get(), generic, sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
    thread_ = std::thread([this, then] { serve(then); });
  }
  ScriptedAgent(const ScriptedAgent&) = delete;
  ScriptedAgent& operator=(const ScriptedAgent&) = delete;
  ~ScriptedAgent() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }

  std::string path() const { return scratch_.path_of("agent"); }
  // The message that came, once the connection has been served.
  std::string message() {
    thread_.join();
    return message_;
  }

 private:
  void serve(Then then) {
    const Descriptor connection(::accept(listener_.get(), nullptr, nullptr));
    const auto size = WireReader(receive(connection.get(), 4)).uint32();
    message_ = receive(connection.get(), size);
    ::send(connection.get(), reply_.data(), reply_.size(), MSG_NOSIGNAL);
    if (then == Then::stay) receive(connection.get(), 1);
  }
  static std::string receive(int fd, std::size_t size) {
    std::string bytes(size, '\0');
    if (::recv(fd, bytes.data(), size, MSG_WAITALL) != static_cast<ssize_t>(size)) return {};
    return bytes;
  }

  Scratch scratch_;
  Descriptor listener_;
  std::string reply_, message_;
  std::thread thread_;
};

TEST_CASE("agent: adds a certificate with its lifetime") {
  for (const auto& [lifetime, sent] : {std::pair(seconds(90), 90U), std::pair(seconds(0), 1U),
                                       std::pair(seconds::max(), 0x7fffffffU)}) {
    ScriptedAgent scripted("\0\0\0\x01\x06"s, ScriptedAgent::Then::hang_up);
    const Certified certified(KeyType::ecdsa);
    Agent::connect(scripted.path()).add(certified.under("a comment", lifetime));
    const auto message = scripted.message();
    WireReader reader(message);
    CHECK(reader.byte() == 25);  // SSH_AGENTC_ADD_ID_CONSTRAINED
    CHECK(reader.string() == certified.certificate.type);
    CHECK(reader.string() == certified.certificate.blob);
    CHECK(reader.mpint().size() <= 32);
    CHECK(reader.string() == "a comment");
    CHECK(reader.byte() == 1);  // SSH_AGENT_CONSTRAIN_LIFETIME
    CHECK(reader.uint32() == sent);
    CHECK(reader.complete());
  }
}

std::string framed(std::string_view reply) {
  WireWriter writer;
  writer.string(reply);
  return writer.bytes();
}

TEST_CASE("agent: answers that violate the protocol are refused") {
  const std::string replies[] = {
      "",
      "\0\0"s,
      "\0\0\0\0"s,                                  // an empty message
      "\0\x04\0\x01"s,                              // 256 KiB and one byte announced
      "\xff\xff\xff\xff"s,                          //
      "\0\0\0\x05\x0c"s,                            // cut
      framed("\x05"sv),                             // failure
      framed("\x06"sv),                             // success, but no list
      framed("\x0c"sv),                             // a list without its count
      framed("\x0c\0\0\0\x01"sv),                   // one key announced, none there
      framed("\x0c\0\0\x08\x01"sv),                 // 2049 keys announced
      framed("\x0c\xff\xff\xff\xff"sv),             //
      framed("\x0c\0\0\0\0x"sv),                    // something after the list
      framed("\x0c\0\0\0\x01\0\0\0\x09key"sv),      // a blob past the end
      framed("\x0c\0\0\0\x01\0\0\0\x01k\0\0\0"sv),  // a comment without its length
  };
  for (const auto& reply : replies) {
    CAPTURE(base64_encode(reply, Base64::standard));
    ScriptedAgent scripted(reply, ScriptedAgent::Then::hang_up);
    CHECK_THROWS_AS(Agent::connect(scripted.path()).identities(), Error);
  }
}

TEST_CASE("agent: an answer longer than OpenSSH's agent gives is refused") {
  WireWriter list;
  list.byte(12).uint32(1).string(std::string(256 << 10, 'k')).string("mayfly:a");
  ScriptedAgent scripted(framed(list.bytes()), ScriptedAgent::Then::hang_up);
  CHECK_THROWS_AS(Agent::connect(scripted.path()).identities(), Error);
}

TEST_CASE("agent: keys that are not certificates are skipped") {
  WireWriter list;
  list.byte(12).uint32(2).string("").string("mayfly:a").string("\xff\xff").string("mayfly:a");
  ScriptedAgent scripted(framed(list.bytes()), ScriptedAgent::Then::hang_up);
  CHECK_FALSE(Agent::connect(scripted.path()).find_valid("mayfly:a", present()));
}

TEST_CASE("agent: a silent agent, or one that stops within its answer, is given up") {
  for (const auto& reply : {""s, "\0\0\0\x05\x0c\0"s}) {
    ScriptedAgent scripted(reply, ScriptedAgent::Then::stay);
    auto agent = Agent::connect(scripted.path(), std::chrono::milliseconds(50));
    CHECK_THROWS_WITH_AS(agent.identities(), "ssh-agent: no answer in time", Error);
  }
}

}  // namespace
}  // namespace mayfly::sshgen
