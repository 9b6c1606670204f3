// Tunnels in processes of their own, on stdin and stdout and from a listener, to a TLS server.
#include "access/tunnel/tunnel.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>

#include "access/core/error.hpp"
#include "access/listen/listener.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/interrupt.hpp"
#include "access/testing/scratch_directory.hpp"
#include "access/testing/silent_port.hpp"
#include "access/testing/tunnel.hpp"

using namespace mayfly;
using namespace mayfly::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;
using Clock = std::chrono::steady_clock;

namespace {

// A forked child with pipes for its stdin and stdout, which is killed at the end.
class Child {
 public:
  explicit Child(const std::function<int()>& body) {
    int in[2], out[2];
    REQUIRE(pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(pipe2(out, O_CLOEXEC) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      close(in[1]);  // otherwise the child would hold its own stdin open
      close(out[0]);
      catch_interrupts();
      _exit(body());
    }
    close(in[0]);
    close(out[1]);
    input = Descriptor(in[1]);
    output = Descriptor(out[0]);
  }
  ~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void signal(int number) const { kill(pid_, number); }
  // Returns the exit code. Fails the test if the child does not end within ten seconds.
  int wait() {
    const auto limit = Clock::now() + 10s;
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      REQUIRE(Clock::now() < limit);
      poll(nullptr, 0, 5);
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  Descriptor input, output;

 private:
  pid_t pid_ = -1;
};

// Reads until `size` bytes or the end of stream. Fails the test if no byte comes for ten seconds.
std::string read_up_to(int descriptor, std::size_t size) {
  std::string text;
  char room[4096];
  while (text.size() < size) {
    pollfd state{.fd = descriptor, .events = POLLIN, .revents = 0};
    REQUIRE(poll(&state, 1, 60'000) == 1);
    const ssize_t count = read(descriptor, room, std::min(sizeof room, size - text.size()));
    if (count <= 0) break;
    text.append(room, static_cast<std::size_t>(count));
  }
  return text;
}
std::string read_all(int descriptor) {
  return read_up_to(descriptor, std::string::npos);
}

// The child tells the ending by its exit code.
int code_of(const Ending& ending) {
  return 10 + static_cast<int>(ending.how);
}

Authorization known() {
  return {.known =
              [] {
                return Headers{{"Cf-Access-Token", "old"}};
              },
          .obtain = [](Authorization::Why) -> Headers {
            throw Error(ErrorKind::login_needed, "a login is needed");
          }};
}

int run_stdio(const TunnelOptions& options, const Authorization& authorization) {
  try {
    return code_of(run_stdio_tunnel(options, authorization));
  } catch (const Error& error) {
    return static_cast<int>(error.kind());
  }
}

const std::string close_1000 = "\x88\x02\x03\xe8";

}  // namespace

TEST_CASE("a tunnel carries stdin and stdout") {
  TestServer server(serving(
      [](const std::string& request) { return upgraded(request) + "\x82\x05hello" + close_1000; }));
  Child child([&] { return run_stdio(tunnel_to(server.port()), known()); });
  CHECK(read_all(child.output.get()) == "hello");
  CHECK(child.wait() == 10 + static_cast<int>(Ending::How::closed));
}

TEST_CASE("a redirect to the login leads to one login and one more dial") {
  const std::string login =
      "HTTP/1.1 302 Found\r\nLocation: https://t.cloudflareaccess.com/cdn-cgi/access/login/x\r\n"
      "Content-Length: 0\r\n\r\n";
  TestServer server(serving([&](const std::string& request) {
    return request.find("Cf-Access-Token: fresh") != std::string::npos
               ? upgraded(request) + "\x82\x02ok" + close_1000
               : login;
  }));
  Authorization authorization = known();
  std::string fresh = "fresh";
  authorization.obtain = [&](Authorization::Why why) -> Headers {
    if (why != Authorization::Why::refused) throw Error(ErrorKind::failed, "wrong reason");
    return {{"Cf-Access-Token", fresh}};
  };
  SUBCASE("and the second credential is accepted") {
    Child child([&] { return run_stdio(tunnel_to(server.port()), authorization); });
    CHECK(read_all(child.output.get()) == "ok");
    CHECK(child.wait() == 10 + static_cast<int>(Ending::How::closed));
    CHECK(server.handshakes() == 2);
  }
  SUBCASE("and not to a third dial, if the second is refused") {
    fresh = "also refused";
    Child child([&] { return run_stdio(tunnel_to(server.port()), authorization); });
    CHECK(read_all(child.output.get()).empty());
    CHECK(child.wait() == static_cast<int>(ErrorKind::refused));
    CHECK(server.handshakes() == 2);
  }
}

TEST_CASE("a tunnel ends at a signal, and when stdout is closed") {
  TestServer server(
      serving([](const std::string& request) { return upgraded(request) + "\x82\x01x"; }));
  Child child([&] { return run_stdio(tunnel_to(server.port()), known()); });
  REQUIRE(read_up_to(child.output.get(), 1) == "x");
  const auto before = Clock::now();
  SUBCASE("SIGTERM") {
    child.signal(SIGTERM);
  }
  SUBCASE("SIGINT") {
    child.signal(SIGINT);
  }
  SUBCASE("SIGHUP") {
    child.signal(SIGHUP);
  }
  SUBCASE("a closed stdout, though stdin is open") {
    child.output = Descriptor();
  }
  CHECK(child.wait() == 10 + static_cast<int>(Ending::How::interrupted));
  CHECK(Clock::now() - before < 2s);
}

TEST_CASE("SIGTERM ends a dial as well") {
  const SilentPort silent(4);
  Child child([&] { return run_stdio(tunnel_to(silent.port), known()); });
  pollfd state{.fd = silent.socket.get(), .events = POLLIN, .revents = 0};
  REQUIRE(poll(&state, 1, 60'000) == 1);  // it has connected
  child.signal(SIGTERM);
  CHECK(child.wait() == static_cast<int>(ErrorKind::failed));
}

TEST_CASE("stdin and stdout may be files, and keep their flags") {
  TestServer server(serving(
      [](const std::string& request) { return upgraded(request) + "\x82\x05hello" + close_1000; }));
  const ScratchDirectory scratch;
  const Descriptor file(open((scratch / "out").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(file);
  Child child([&] {
    const Descriptor null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    dup2(null.get(), 0);
    dup2(file.get(), 1);
    return run_stdio(tunnel_to(server.port()), known());
  });
  CHECK(child.wait() == 10 + static_cast<int>(Ending::How::closed));
  CHECK((fcntl(file.get(), F_GETFL) & O_NONBLOCK) == 0);
  lseek(file.get(), 0, SEEK_SET);
  CHECK(read_all(file.get()) == "hello");
}

namespace {

int run_here(const ListenerOptions& options, const Authorization& authorization) {
  try {
    run_listener(options, authorization);
    return 0;
  } catch (const Error& error) {
    return static_cast<int>(error.kind());
  }
}

void say(const std::string& line) {
  REQUIRE(write(STDOUT_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
}

Descriptor connect_to(int port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  REQUIRE(connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return socket;
}

ListenerOptions listening(const TunnelOptions& tunnel) {
  ListenerOptions options;
  options.tunnel = tunnel;
  options.addresses = {ListenAddress::parse("127.0.0.1:0")};
  options.ready = [](const ListenAddress& address) { say(fmt::format("{:05}", address.port)); };
  options.failed = [](const Error& error) {
    say(fmt::format("!{}", static_cast<int>(error.kind())));
  };
  return options;
}

int port_of(const Child& child) {
  return std::stoi(read_up_to(child.output.get(), 5));
}

}  // namespace

TEST_CASE("a listener serves connection after connection until SIGTERM") {
  TestServer server(
      serving([](const std::string& request) { return upgraded(request) + "\x82\x05hello"; }));
  Child child([&] { return run_here(listening(tunnel_to(server.port())), known()); });
  const int port = port_of(child);
  std::vector<Descriptor> sockets;
  for (int i = 0; i < 5; ++i) sockets.push_back(connect_to(port));
  for (const Descriptor& socket : sockets) CHECK(read_up_to(socket.get(), 5) == "hello");
  const auto before = Clock::now();
  SUBCASE("SIGTERM") {
    child.signal(SIGTERM);
  }
  SUBCASE("SIGHUP") {
    child.signal(SIGHUP);
  }
  CHECK(child.wait() == 0);
  CHECK(Clock::now() - before < 2s);
  for (const Descriptor& socket : sockets) CHECK(read_all(socket.get()).empty());
}

TEST_CASE("a connection that fails does not end the listener") {
  int count = 0;
  TestServer server(serving([&](const std::string& request) {
    return ++count == 1 ? "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"s
                        : upgraded(request) + "\x82\x02ok" + close_1000;
  }));
  Child child([&] { return run_here(listening(tunnel_to(server.port())), known()); });
  const int port = port_of(child);
  CHECK(read_all(connect_to(port).get()).empty());
  CHECK(read_up_to(child.output.get(), 2) == "!5");
  CHECK(read_all(connect_to(port).get()) == "ok");
}

TEST_CASE("a listener logs in while its other connections go on") {
  TestServer server(serving([&](const std::string& request) {
    return request.find("Cf-Access-Token: fresh") != std::string::npos
               ? upgraded(request) + "\x82\x02ok" + close_1000
               : "HTTP/1.1 302 Found\r\nLocation: "
                 "https://t.cloudflareaccess.com/cdn-cgi/access/login\r\nContent-Length: "
                 "0\r\n\r\n"s;
  }));
  int logins[2];
  REQUIRE(pipe2(logins, O_CLOEXEC) == 0);
  const Descriptor reading(logins[0]);
  Descriptor writing(logins[1]);
  Child child([&] {
    Authorization authorization = known();
    authorization.obtain = [&](Authorization::Why) -> Headers {
      say("L");
      char gate = 0;
      if (read(logins[0], &gate, 1) != 1) throw Error(ErrorKind::failed, "no gate");
      return {{"Cf-Access-Token", "fresh"}};
    };
    return run_here(listening(tunnel_to(server.port())), authorization);
  });
  const int port = port_of(child);
  std::vector<Descriptor> sockets;
  for (int i = 0; i < 4; ++i) sockets.push_back(connect_to(port));
  CHECK(read_up_to(child.output.get(), 1) == "L");
  while (server.handshakes() < 4) poll(nullptr, 0, 1);
  // A connection that is refused after that login has a login of its own.
  REQUIRE(write(writing.get(), "gggg", 4) == 4);
  for (const Descriptor& socket : sockets) CHECK(read_all(socket.get()) == "ok");
}

TEST_CASE("a taken address is an error before any connection is served") {
  const SilentPort taken(1);
  ListenerOptions options = listening(tunnel_to(1));
  options.addresses = {ListenAddress::parse(fmt::format("127.0.0.1:{}", taken.port))};
  CHECK(run_here(options, known()) == static_cast<int>(ErrorKind::failed));
}
